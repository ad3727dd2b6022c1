"""Results of learners that were never trained."""

import numpy as np
import pytest

from pipeline.compare.trial import Result


@pytest.fixture
def result():
    def make(learner: str, scores, **given) -> Result:
        values = {
            "learner": learner,
            "metric": "accuracy",
            "higher_is_better": True,
            "scores": np.asarray(scores, float).tolist(),
            "adapt_milliseconds": 10.0,
            "megabytes": 1.0,
            "steps": 100,
            "total_steps": 200,
            "seconds": 40.0,
            "episodes_per_second": 20.0,
            "serves": {"ways": "any number", "shots": "any number", "steps": "takes none"},
            "history": [{"step": 100, "seconds": 40.0, "eval_score": 0.5}],
        }
        return Result(**values | given)

    return make

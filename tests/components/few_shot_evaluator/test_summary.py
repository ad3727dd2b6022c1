"""The verdict of `metrics.json`: which baselines a model must be ahead of."""

import pytest

from components.episodes.record import EpisodeSetRecord
from components.few_shot_evaluator.options import EvaluationOptions
from components.few_shot_evaluator.scoring import EpisodeResult
from components.few_shot_evaluator.summary import NO_ADAPTATION, EvaluationContext, summarise
from components.modalities.base import ExampleSpec

CLASSES = [f"c{n}" for n in range(5)]
IMAGES = ExampleSpec("image", "uint8", (4, 4, 1))
RECORD = EpisodeSetRecord(2, IMAGES, 5, 1, 1, {"test": 600}, 0, {"test": CLASSES}, {}, {})


def verdict(baseline: float, before: float):
    """Of a model with an accuracy of 0.9, `baseline` of a script, `before` its first step."""
    results = [
        EpisodeResult(
            index=number,
            score=0.9 + 0.01 * (-1) ** number,
            last_blessed=None,
            baselines={"script": baseline},
            per_step=[before, 0.9],
            per_shots=None,
            classes={name: [0.9, 1] for name in CLASSES},
            not_finite=0,
        )
        for number in range(600)
    ]
    context = EvaluationContext(RECORD, EvaluationOptions(threshold=0.8), "inductive", None)
    return summarise(results, context, {})


def test_a_model_whose_head_begins_at_the_classes_means_is_blessed():
    metrics = verdict(baseline=0.5, before=0.95)
    assert metrics["blessed"], metrics["reasons"]
    assert not metrics["baseline_differences"][NO_ADAPTATION]["ahead"]


@pytest.mark.parametrize("baseline", [0.9, 0.95])
def test_a_script_must_be_behind(baseline):
    assert not verdict(baseline=baseline, before=0.2)["blessed"]

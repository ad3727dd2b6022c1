"""A model of regression is evaluated as a classifier is; its episodes have one way."""

import json
from pathlib import Path

import pytest

from pipeline.evaluate.data import Shape, plan_task
from pipeline.evaluate.evaluation import run_evaluation
from pipeline.evaluate.model import find_model
from serving.errors import UserError
from tests.components.few_shot_evaluator.regression.conftest import regression

__all__ = ["regression"]  # the fixture


def test_other_shots_of_tasks_never_seen(regression, tmp_path):
    uri, folder = regression("sinusoid")
    config = json.loads(Path(uri, "episodes.json").read_text())["config"]
    Path(f"{folder}.summary.json").write_text(json.dumps({"config": config}))
    model = find_model(Path(folder))
    task = plan_task(model, None, Shape(None, 2, 5), episodes=6, seed=None)
    record, page = run_evaluation(model, task, tmp_path)
    assert record["metric"] == "mean_squared_error" and record["mean_squared_error"] > 0
    assert (record["shots"], record["queries"], record["episodes"]) == (2, 5, 6)
    assert record["classes"] == 2 and "mean_target" in record["baselines"]
    assert "Regression from 2 examples" in page
    with pytest.raises(UserError, match="`--ways` must be 1 for a model of regression"):
        plan_task(model, None, Shape(2, None, None), episodes=6, seed=None)

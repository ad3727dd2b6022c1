"""What a finished run prints."""

from pathlib import Path

import pytest
from rich.console import Console

from pipeline.run_command import print_results

SUMMARY = {
    "test": {"accuracy": 0.8, "ci95": 0.01, "protocol": "inductive", "episodes": 600},
    "baselines": {"nearest_centroid": 0.7},
    "pushed": "runs/x/serving_model/x/1",
    "reasons": [],
}


def printed(**other) -> str:
    console = Console(record=True, width=200)
    print_results(SUMMARY | other, Path("runs/x"), console)
    return console.export_text()


def test_a_baseline_that_is_as_good_is_named():
    assert "warning" not in printed()
    assert "warning: the baseline nearest_centroid is as good" in printed(
        baselines={"nearest_centroid": 0.8}
    )


@pytest.mark.parametrize(("baseline", "named"), [(0.2, True), (0.4, False)])
def test_less_of_an_error_is_better(baseline, named):
    error = {"mean_squared_error": 0.3, "ci95": 0.01, "protocol": "inductive", "episodes": 600}
    assert ("warning" in printed(test=error, baselines={"mean_target": baseline})) == named


def test_a_refused_model_is_not_pushed_for_the_reasons_given():
    text = printed(pushed=None, reasons=["The lower bound is below the threshold."])
    assert "not blessed, not pushed" in text and "below the threshold" in text

"""What a finished run prints."""

from pathlib import Path

from rich.console import Console

from pipeline.run_command import print_results

SUMMARY = {
    "test": {"accuracy": 0.8, "ci95": 0.01, "protocol": "inductive", "episodes": 600},
    "baselines": {"nearest_centroid": 0.7},
    "baseline_differences": {
        "nearest_centroid": {"words": "pixels", "difference": 0.1, "ci95": 0.02, "ahead": True}
    },
    "pushed": "runs/x/serving_model/x/1",
    "reasons": [],
}


def printed(**other) -> str:
    console = Console(record=True, width=200)
    print_results(SUMMARY | other, Path("runs/x"), console)
    return console.export_text()


def test_a_baseline_that_the_model_is_not_ahead_of_is_named():
    assert "  pixels: 0.7000" in printed() and "warning" not in printed()
    row = {"words": "pixels", "difference": 0.001, "ci95": 0.02, "ahead": False}
    text = printed(baseline_differences={"nearest_centroid": row})
    assert "warning: not ahead of pixels (difference +0.0010 ± 0.0200)" in text


def test_intervals_over_classes_stand_beside_that_over_episodes():
    text = printed(test_intervals={"ci95_by_class": 0.05, "ci95_by_group": None})
    assert "0.8000 ± 0.0100 over episodes, ± 0.0500 over classes (inductive" in text
    assert "0.8000 ± 0.0100 (inductive" in printed()


def test_a_refused_model_is_not_pushed_for_the_reasons_given():
    text = printed(pushed=None, reasons=["The lower bound is below the threshold."])
    assert "not blessed, not pushed" in text and "below the threshold" in text

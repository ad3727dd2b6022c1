"""Each wrong model is caught by the check that is meant for it, and by no other of its kind."""

import shutil
from pathlib import Path

import pytest

from components.serving_validator.probe import probe
from serving.saved_model.signatures import WARMUP_FILE
from tests.components.few_shot_evaluator import small_models as models


def failures(saved, examples_uri, model_class):
    model_dir = saved(model_class, encoded=True) + "/Format-Serving"
    lines = probe(model_dir, examples_uri, 1e-5)
    return {line["check"]: line["detail"] for line in lines if not line.get("passed", True)}


@pytest.mark.parametrize("model_class", [models.SmallModel, models.ScoresNone])
def test_the_good_models_hold_to_everything(saved, examples_uri, model_class):
    assert failures(saved, examples_uri, model_class) == {}


@pytest.mark.parametrize(
    ("model_class", "check", "detail"),
    [
        (models.Leaky, "answers each query alone", "query 0 sent alone and with the others"),
        (models.NotANumber, "gives probabilities", "NaN"),
        (models.Unnormalised, "gives probabilities", "sum of `probabilities`"),
        (models.CountsPadding, "ignores padding", "with and without padding"),
        (models.MixesEpisodes, "keeps episodes apart", "alone and in one request with another"),
        (models.CallsPython, "calls no Python", "PyFunc"),
        (models.GuessesAbsentClasses, "gives absent classes nothing", "without support examples"),
        (models.RenamesOutputs, "offers the agreed signature", "probability (float32)"),
        (models.ScoresNoneAbove1, "gives probabilities", "`none_score` must be"),
        (models.SortsWrongly, "gives probabilities", "`predictions` must be the class"),
    ],
)
def test_a_wrong_model_is_caught(saved, examples_uri, model_class, check, detail):
    found = failures(saved, examples_uri, model_class)
    assert detail in found[check]


def test_a_model_without_checks_answers_what_it_must_refuse(saved, examples_uri):
    found = failures(saved, examples_uri, models.Unchecked)
    assert all(name.startswith("refuses") for name in found)
    for wrong in ("an empty support set", "a label above N - 1", "more episodes in query_x"):
        assert "must be INVALID_ARGUMENT" in found[f"refuses {wrong}"]
    # TensorFlow itself stumbles over these, in words that no client understands.
    assert "must name `query_x`" in found["refuses query_x of a lower rank"]


def test_a_folder_without_a_model_does_not_load(tmp_path, examples_uri):
    (outcome,) = [line for line in probe(str(tmp_path), examples_uri, 1e-5) if "check" in line]
    assert outcome["check"] == "loads in a C++ session"
    assert not outcome["passed"] and outcome["detail"]


def test_a_model_that_no_server_would_load_for_its_warm_up_requests_does_not_load(
    tmp_path, saved, examples_uri
):
    model_dir = saved(models.SmallModel, encoded=True) + "/Format-Serving"
    copy = Path(shutil.copytree(model_dir, tmp_path / "model"))
    (copy / WARMUP_FILE).write_bytes(b"no record" * 10)
    (outcome,) = [line for line in probe(str(copy), examples_uri, 1e-5) if "check" in line]
    assert outcome["check"] == "loads in a C++ session"
    assert not outcome["passed"] and "DataLossError" in outcome["detail"]

import dataclasses
import json
import pathlib
import shutil

import pytest
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import standard_artifacts

from components.few_shot_evaluator.executor import Executor
from serving.errors import UserError
from tests.components.few_shot_evaluator import small_episodes
from tests.components.few_shot_evaluator import small_models as models


def artifact(kind, uri, identity=1):
    made = kind()
    made.uri, made.id = str(uri), identity
    pathlib.Path(uri).mkdir(parents=True, exist_ok=True)
    return made


@pytest.fixture
def evaluate(tmp_path, examples_uri, saved):
    """Runs the executor on a model class; returns (metrics, page, evaluation, blessing)."""

    def run(model_class, *, baseline=None, history=None, examples=examples_uri, **options):
        inputs = {
            "examples": [artifact(standard_artifacts.Examples, examples)],
            "model": [artifact(standard_artifacts.Model, saved(model_class), 7)],
        }
        if baseline is not None:
            inputs["baseline_model"] = [artifact(standard_artifacts.Model, saved(baseline), 5)]
        if history is not None:
            inputs["model_run"] = [artifact(standard_artifacts.ModelRun, tmp_path / "run")]
            (tmp_path / "run" / "history.json").write_text(json.dumps(history))
        evaluation = artifact(standard_artifacts.ModelEvaluation, tmp_path / "evaluation")
        blessing = artifact(standard_artifacts.ModelBlessing, tmp_path / "blessing")
        context = BaseBeamExecutor.Context(
            beam_pipeline_args=["--runner=FnApiRunner"], tmp_dir=str(tmp_path), unique_id="1"
        )
        Executor(context).Do(
            inputs,
            {"evaluation": [evaluation], "blessing": [blessing]},
            {"config_json": json.dumps({"baseline_episodes": 100} | options), "code_version": ""},
        )
        written = {path.name: path.read_text() for path in (tmp_path / "evaluation").iterdir()}
        assert sorted(written) == ["metrics.json", "report.html"]  # and nothing half-written
        return json.loads(written["metrics.json"]), written["report.html"], evaluation, blessing

    return run


def files(blessing):
    return [path.name for path in pathlib.Path(blessing.uri).iterdir()]


def test_a_good_model_is_blessed_as_the_stock_evaluator_does(evaluate, saved):
    metrics, page, evaluation, blessing = evaluate(
        models.SmallModel, threshold=0.9, must_beat_baselines=False
    )
    assert metrics["blessed"] and metrics["episodes"] == 600 and metrics["queries"] == 2
    assert metrics["accuracy"] - metrics["ci95"] >= 0.9
    assert metrics["baselines"]["nearest_centroid"] == pytest.approx(metrics["accuracy"], abs=0.02)
    for name in ("chance", "no_adaptation"):
        assert metrics["baselines"][name] == pytest.approx(1 / 3, abs=1e-3)
        assert metrics["baseline_differences"][name]["ahead"]
    assert metrics["baseline_model"] is None
    assert evaluation.get_float_custom_property("accuracy") == metrics["accuracy"]
    assert files(blessing) == ["BLESSED"]
    assert blessing.get_int_custom_property("blessed") == 1
    assert blessing.get_string_custom_property("current_model") == saved(models.SmallModel)
    assert blessing.get_int_custom_property("current_model_id") == 7
    assert "No training history" in page


@pytest.mark.parametrize(
    ("model_class", "options", "reason"),
    [
        (models.SmallModel, {"threshold": 0.999}, "below the threshold 0.999"),
        (models.SmallModel, {}, "No threshold"),
        (models.Transductive, {"threshold": 0.3}, "protocol is transductive"),
        (models.NotANumber, {"threshold": 0.3}, "not finite"),
    ],
)
def test_not_blessed_and_the_report_says_why(evaluate, model_class, options, reason):
    metrics, page, _, blessing = evaluate(model_class, **options)
    assert not metrics["blessed"]
    assert any(reason in one for one in metrics["reasons"])
    assert reason in page and "Not blessed" in page
    assert files(blessing) == ["NOT_BLESSED"]
    assert blessing.get_int_custom_property("blessed") == 0


def test_a_model_that_pixels_do_as_well_as_is_not_blessed(evaluate):
    metrics, page, _, blessing = evaluate(models.SmallModel, threshold=0.5)
    assert metrics["baseline_differences"]["nearest_centroid"]["episodes"] == 100
    assert metrics["accuracy"] - metrics["ci95"] >= 0.5 and files(blessing) == ["NOT_BLESSED"]
    (reason,) = metrics["reasons"]
    assert reason.startswith("Not ahead of ") and "nearest centroid of pixels" in reason
    assert reason in page and "must_beat_baselines: true" in page

    told = evaluate(models.SmallModel, threshold=0.5, must_beat_baselines=False)
    assert told[0]["blessed"] and reason[:-1] in " ".join(told[0]["reasons"])
    assert "Blessed, though not ahead" in told[1] and 'class="verdict blessed"' not in told[1]


def test_a_model_worse_than_the_last_blessed_one_is_not_blessed(evaluate):
    options = {"threshold": 0.3, "tolerance": 0.05, "must_beat_baselines": False}
    metrics, _, _, blessing = evaluate(models.Noisy, baseline=models.SmallModel, **options)
    compared = metrics["baseline_model"]
    assert compared["difference"] == pytest.approx(
        metrics["accuracy"] - compared["accuracy"], abs=1e-5
    )
    assert compared["difference"] < -0.05
    (reason,) = metrics["reasons"]
    assert "best blessed" in reason
    assert blessing.get_int_custom_property("baseline_model_id") == 5
    assert files(blessing) == ["NOT_BLESSED"]


def test_the_report_needs_no_other_file_and_shows_everything(evaluate):
    history = [{"step": 1, "loss": 1.0, "score": 0.4}, {"step": 2, "loss": 0.5, "eval_score": 0.6}]
    metrics, page, _, _ = evaluate(models.SmallModel, history=history, threshold=0.9)
    # The only addresses are the names of SVG's XML vocabularies, which nothing fetches.
    assert "http" not in page.replace("http://www.w3.org/", "")
    for words in ("inner steps", "number of shots", "Calibration", "meta-validation", "loss"):
        assert words in page
    assert metrics["splits_hash"] in page
    headline = " ".join(page[page.index("<h1>") : page.index("</header>")].split())
    assert "classes not seen in training" in headline and "of 3 classes. " in headline
    assert "Note: the test split has 3 classes for 3 ways" in headline
    assert page.count("data:image/png;base64") == 3 * 12  # 3 worst episodes of 6 + 6 examples
    assert f"Episode {metrics['worst_episodes'][0]['index']}" in page


def test_a_class_name_cannot_inject_html(evaluate, tmp_path, monkeypatch):
    plain = small_episodes.episode
    monkeypatch.setattr(
        small_episodes,
        "episode",
        lambda *args, **kwargs: dataclasses.replace(
            plain(*args, **kwargs), class_names=["<script>alert(1)</script>", "b", "c"]
        ),
    )
    uri = small_episodes.write_episodes(tmp_path / "examples", 4)
    _, page, _, _ = evaluate(models.SmallModel, examples=uri, episodes=4)
    assert "&lt;script&gt;" in page and "<script" not in page


def test_too_few_test_episodes_are_a_users_mistake(evaluate):
    with pytest.raises(UserError, match=r"must hold the episodes 0 to 699.*600 of them"):
        evaluate(models.SmallModel, episodes=700)


def test_none_of_these_by_the_models_own_score(evaluate, tmp_path, examples_uri):
    examples = pathlib.Path(shutil.copytree(examples_uri, tmp_path / "examples"))
    shutil.copytree(examples / "Split-test", examples / "Split-eval")
    record = json.loads((examples / "episodes.json").read_text())
    record["counts"]["eval"] = record["counts"]["test"]
    (examples / "episodes.json").write_text(json.dumps(record))
    metrics, page, *_ = evaluate(
        models.ScoresNone, examples=examples, none_of_these=True, episodes=60
    )
    found = metrics["none_of_these"]
    assert found["score"] == "none_score" and found["threshold"] == pytest.approx(0.2)
    assert found["auroc"] > found["by_largest_probability"]["auroc"]
    assert "--none-below auto" in page and 'accuracy with "none"' in page.replace("&quot;", '"')

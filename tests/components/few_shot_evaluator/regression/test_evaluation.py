"""A regression model is served, evaluated and shown as a classifier is, by its error."""

import json

import numpy as np
import pytest

from components.episodes.dataset import parse_episodes, read_split
from components.episodes.record import read_record
from components.few_shot_evaluator.model import ExportedModel
from components.few_shot_evaluator.options import EvaluationOptions
from components.few_shot_evaluator.regression.baselines import COLOUR_MAPS, colour_map
from components.few_shot_evaluator.report import Evaluation
from components.few_shot_evaluator.scoring import ScoringPlan
from components.few_shot_evaluator.summary import EvaluationContext
from components.few_shot_evaluator.task_evaluation import evaluation_of
from components.serving_validator.probe import probe
from components.tasks.lookup import task_of
from serving.saved_model import signatures as sig
from serving.saved_model.metadata import read_metadata

SOURCES = ("sinusoid", "styles")
OPTIONS = EvaluationOptions(curve_episodes=6)


@pytest.fixture
def evaluated(regression):
    def make(source: str, last_blessed: bool = False):
        uri, model_dir = regression(source)
        record = read_record(uri)
        task = task_of(record.example_spec)
        functions = evaluation_of(task)
        model = ExportedModel(model_dir, task)
        serialized = list(read_split(uri, "test").as_numpy_iterator())
        plan = ScoringPlan.of(record, OPTIONS)
        results = functions.evaluate_episodes(
            serialized, plan, model, model if last_blessed else None
        )
        return functions, model, serialized, results

    return make


@pytest.mark.parametrize("source", SOURCES)
def test_it_is_fit_for_serving(regression, source):
    """All checks of the validator: each query alone, episodes apart, every bad request refused."""
    uri, model_dir = regression(source)
    lines = [line for line in probe(model_dir, uri, 1e-5) if "check" in line]
    assert {line["check"]: line["detail"] for line in lines if not line["passed"]} == {}
    names = {line["check"] for line in lines}
    assert {"gives targets", "answers each query alone", "refuses NaN in support_y"} <= names


@pytest.mark.parametrize("source", SOURCES)
def test_what_it_cannot_offer_is_said(regression, source):
    metadata = read_metadata(regression(source)[1])
    assert metadata["task"] == "regression"
    assert metadata["withheld_signatures"] == {
        sig.ENCODED: "its support set has float targets, not names of classes"
    }


@pytest.mark.parametrize("source", SOURCES)
def test_the_score_is_the_mean_squared_error(regression, evaluated, source):
    uri, _ = regression(source)
    _, model, serialized, results = evaluated(source, last_blessed=True)
    parsed = parse_episodes(serialized, read_record(uri).example_spec)
    prediction = model.predict(parsed)
    for row, result in enumerate(results):
        error = np.mean((prediction[row] - parsed.query_y[row]) ** 2)
        np.testing.assert_allclose(result.score, error, rtol=1e-5)
        assert result.last_blessed == result.score
        assert (result.per_step is not None) == (result.index < OPTIONS.curve_episodes)
        if result.per_step:
            assert len(result.per_step) == 3
            np.testing.assert_allclose(result.per_step[-1], result.score, rtol=1e-4)
            np.testing.assert_allclose(result.per_shots["3"], result.score)
            shown = ["0", "1", "2", *["affine_colour_map"] * (source == "styles")]
            assert list(result.predictions) == shown


def test_results_do_not_depend_on_who_is_asked_with_them(evaluated, regression):
    functions, model, serialized, results = evaluated("sinusoid")
    plan = ScoringPlan.of(read_record(regression("sinusoid")[0]), OPTIONS)
    (alone,) = functions.evaluate_episodes(serialized[3:4], plan, model)
    np.testing.assert_allclose(alone.score, results[3].score, rtol=1e-5)
    assert alone.baselines == pytest.approx(results[3].baselines)


def test_baselines_by_hand(evaluated, regression):
    uri, _ = regression("styles")
    _, _, serialized, results = evaluated("styles")
    parsed = parse_episodes(serialized, read_record(uri).example_spec)
    x, y, q, target = (part[0] for part in parsed.numpy())
    found = results[0].baselines
    np.testing.assert_allclose(found["identity"], np.mean((q / 255.0 - target) ** 2), rtol=1e-5)
    mean = np.mean((y.mean(axis=0) - target) ** 2)
    np.testing.assert_allclose(found["mean_target"], mean, rtol=1e-5)
    apart = ((x[None] / 255.0 - q[:, None] / 255.0) ** 2).sum(axis=(2, 3, 4))
    nearest = np.mean((y[apart.argmin(axis=1)] - target) ** 2)
    np.testing.assert_allclose(found["nearest_neighbour"], nearest, rtol=1e-5)
    # Each degree includes those before it, on the support set; a query may still be worse.
    assert all(found[name] < found["mean_target"] for name in COLOUR_MAPS)
    assert results[0].similarity["model"] < 1.0


@pytest.mark.parametrize("degree", COLOUR_MAPS.values())
def test_a_colour_map_finds_a_polynomial_of_its_degree_and_no_neighbours(degree):
    rng = np.random.default_rng(0)
    x, q = (rng.integers(0, 256, (count, 6, 5, 3), np.uint8) for count in (4, 2))

    def style(images: np.ndarray) -> np.ndarray:
        return 0.2 + 0.5 * (images / 255.0)[..., ::-1] ** degree

    found = colour_map(x, style(x), q, degree)
    np.testing.assert_allclose(found, style(q), atol=1e-3)
    moved = colour_map(x, np.roll(style(x), 2, axis=2), q, degree)
    assert np.abs(moved - np.roll(style(q), 2, axis=2)).mean() > 0.05


@pytest.mark.parametrize("starts_from_support", [False, True])
def test_itself_without_adaptation_is_a_baseline_unless_it_starts_from_the_support_set(
    regression, evaluated, starts_from_support
):
    functions, _, _, results = evaluated("sinusoid")
    record = read_record(regression("sinusoid")[0])
    context = EvaluationContext(record, OPTIONS, "inductive", None)
    context = context._replace(starts_from_support=starts_from_support)
    metrics = functions.summarise(results, context)
    assert ("no_adaptation" in metrics["baselines"]) != starts_from_support
    assert len(metrics["per_step"]) == 3


@pytest.mark.parametrize("source", SOURCES)
def test_the_report_shows_episodes_and_needs_no_other_file(regression, evaluated, source):
    uri, model_dir = regression(source)
    functions, _, _, results = evaluated(source)
    record = read_record(uri)
    metrics = functions.summarise(results, EvaluationContext(record, OPTIONS, "inductive", None))
    json.dumps(metrics)
    metrics["ci95_by_class"] = 0.01234  # as of more tasks than these
    assert metrics["metric"] == "mean_squared_error" and "accuracy" not in metrics
    assert not metrics["blessed"]
    about = read_metadata(model_dir)
    page = functions.render(Evaluation(metrics, results, record, OPTIONS, about, [], uri))
    assert "http" not in page.replace("http://www.w3.org", "")
    assert page.count("<h3>Episode ") == 6 and "Over tasks it is ± 0.0123:" in page
    # Each of 3 pairs and 4 queries: input, answers after 0, 1 and 2 steps, colour map, target.
    assert page.count("data:image/png") == (6 * (3 * 2 + 4 * 6) if source == "styles" else 0)
    assert ("Structural similarity" in page) == (source == "styles")

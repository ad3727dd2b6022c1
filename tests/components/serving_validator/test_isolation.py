"""A model that takes its process down takes nothing else with it."""

from components.serving_validator.isolation import validate
from components.serving_validator.options import ServingValidatorOptions
from tests.components.few_shot_evaluator import small_models as models


def tried(saved, examples_uri, model_class, **options):
    model_dir = saved(model_class) + "/Format-Serving"
    return validate(model_dir, examples_uri, ServingValidatorOptions(**options))


def test_a_good_model_passes_every_check(saved, examples_uri):
    results = tried(saved, examples_uri, models.SmallModel)
    assert [result for result in results if not result.passed] == []
    assert len(results) > 15


def test_a_crash_is_reported_with_the_check_it_happened_in(saved, examples_uri):
    results = tried(saved, examples_uri, models.Crashes)
    assert results[-1].check == "gives probabilities"
    assert not results[-1].passed
    assert "crashed its process (SIGABRT)" in results[-1].detail
    assert all(result.passed for result in results[:-1])


def test_a_model_that_does_not_answer_is_stopped(saved, examples_uri):
    results = tried(saved, examples_uri, models.Hangs, time_limit_seconds=8.0)
    assert not results[-1].passed
    assert "did not answer within 8 s" in results[-1].detail


def test_a_broken_probe_is_not_a_blessing(saved, tmp_path):
    results = tried(saved, str(tmp_path / "no episodes"), models.SmallModel)
    assert not results[-1].passed
    assert "ended with status 1" in results[-1].detail

import dataclasses
import json

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.testing.util import assert_that, equal_to

from components.episodes.dataset import read_split
from components.episodes.format import decode_stored
from components.episodes.record import read_record
from components.few_shot_evaluator.classification.scoring import evaluate_episodes
from components.few_shot_evaluator.evaluate import ScoreEpisodes, not_comparable, read_results
from components.few_shot_evaluator.model import ExportedModel
from components.few_shot_evaluator.scoring import ScoringPlan
from components.tasks.classification import classification
from serving.errors import UserError
from tests.components.few_shot_evaluator import small_models as models
from tests.components.few_shot_evaluator.small_episodes import SPEC

PLAN = ScoringPlan(SPEC, ways=3, shots=2, curve_episodes=5, baseline_episodes=9, groups={})

TASK = classification()


def directory(uri):
    return f"{uri}/Format-Serving"


@pytest.fixture(scope="module")
def serialized(examples_uri):
    """Episodes 0 to 23, not in this order: the even ones lie in the first shard."""
    every = read_split(examples_uri, "test").as_numpy_iterator()
    return [episode for episode in every if decode_stored(episode).index < 24]


@pytest.fixture(scope="module")
def good(saved):
    return ExportedModel(directory(saved(models.SmallModel)), TASK)


def test_a_nearest_centroid_model_scores_as_the_baseline(serialized, good):
    # The small model is nearest centroid on pixels, reckoned by TensorFlow.
    for result in evaluate_episodes(serialized, PLAN, good):
        if result.index >= PLAN.baseline_episodes:
            assert result.baselines == {}
            continue
        assert result.score == result.baselines["nearest_centroid"]
        right = np.equal(result.predictions, result.labels)
        assert result.score == pytest.approx(right.mean())


def test_curves_begin_without_adaptation_and_end_at_the_score(serialized, good):
    results = evaluate_episodes(serialized, PLAN, good)
    for result in results:
        if result.index < PLAN.curve_episodes:
            assert len(result.per_step) == models.STEPS + 1
            assert result.per_step[0] == pytest.approx(1 / 3)  # always the first class
            assert result.per_step[-1] == result.per_shots["2"] == result.score
            assert list(result.per_shots) == ["1", "2"]
        else:
            assert result.per_step is None and result.per_shots is None
    assert sum(result.per_shots is not None for result in results) == PLAN.curve_episodes


def test_fewer_shots_score_less(examples_uri, good):
    all_of_them = list(read_split(examples_uri, "test").as_numpy_iterator())
    plan = PLAN._replace(curve_episodes=600)
    results = evaluate_episodes(all_of_them, plan, good)
    one, two = (np.mean([r.per_shots[k] for r in results]) for k in ("1", "2"))
    assert one < two - 0.02


def test_a_model_without_its_path_has_no_step_curve(serialized, saved):
    model = ExportedModel(directory(saved(models.WithoutPath)), TASK)
    results = evaluate_episodes(serialized, PLAN, model)
    assert all(result.per_step is None for result in results)
    assert any(result.per_shots is not None for result in results)


def test_a_model_that_answers_nan_is_never_right(serialized, saved):
    model = ExportedModel(directory(saved(models.NotANumber)), TASK)
    assert all(result.score == 0.0 for result in evaluate_episodes(serialized, PLAN, model))


@pytest.mark.parametrize("per_call", [1, 7])
def test_results_depend_on_neither_order_nor_grouping(serialized, good, saved, per_call):
    expected = evaluate_episodes(serialized, PLAN, good, good)
    shuffled = [serialized[i] for i in np.random.default_rng(1).permutation(len(serialized))]
    transform = ScoreEpisodes(
        plan=PLAN,
        episodes=20,
        episodes_per_call=per_call,
        model_dir=directory(saved(models.SmallModel)),
        last_blessed_dir=directory(saved(models.SmallModel)),
    )
    kept = [_comparable(result) for result in expected if result.index < 20]
    with beam.Pipeline(runner="FnApiRunner") as pipeline:
        scored = pipeline | beam.Create(shuffled) | transform | beam.Map(_comparable)
        assert_that(scored, equal_to(kept))


def _comparable(result):
    # The last bits of a confidence are those of the matrix product's order of sums.
    rounded = [round(confidence, 4) for confidence in result.confidences]
    return dataclasses.astuple(dataclasses.replace(result, confidences=rounded))


def test_results_are_read_by_index_from_all_shards(tmp_path, serialized, good):
    results = evaluate_episodes(serialized, PLAN, good)
    for shard, part in enumerate([results[::2], results[1::2]]):
        lines = [json.dumps(dataclasses.asdict(result)) for result in part]
        (tmp_path / f"episodes-{shard}").write_text("\n".join(lines))
    count = len(results)
    read = read_results(str(tmp_path / "episodes"), episodes=count)
    assert read == sorted(results, key=lambda result: result.index)
    with pytest.raises(UserError, match=rf"episodes 0 to {count}.*{count} of them were found"):
        read_results(str(tmp_path / "episodes"), episodes=count + 1)


def test_why_the_last_blessed_model_is_not_compared(examples_uri, saved, tmp_path):
    record, good = read_record(examples_uri), directory(saved(models.SmallModel))

    def why(last_blessed_dir):
        return not_comparable(last_blessed_dir, "the candidate", examples_uri, record)

    assert why(good) is None
    assert not_comparable(good, good, examples_uri, record) == "it is the model that is evaluated"
    assert why(str(tmp_path / "gone")).endswith("is no longer there")
    (tmp_path / "empty").mkdir()
    assert why(str(tmp_path / "empty")).startswith("it cannot predict these episodes")
    assert "`support_y` must be 0 to 1" in why(directory(saved(models.TwoWays)))

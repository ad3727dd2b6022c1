"""Every learner x every promise: one table, so that a new learner is held to all of them."""

import numpy as np
import pytest
import tensorflow as tf

from components.episodes.record import EpisodeSetRecord
from components.episodes.types import Episodes
from components.meta_trainer import learners
from components.meta_trainer.build import Assembly, assemble
from components.meta_trainer.export.pieces import QUERY_PIECE
from components.meta_trainer.export.saved_model import export
from components.meta_trainer.interface_check import check_learner
from components.meta_trainer.types import by_joined_name
from components.modalities.base import ExampleSpec
from serving.saved_model import signatures as sig

WAYS, SHOTS, SIZE = 4, 2, 8
NAMES = sorted(learners.TABLE)
SMALL = {"backbone": {"filters": 6, "blocks": 1}}
# Two steps show what many do, and are traced in a fraction of the time.
FEWER_STEPS = {
    "reptile": {"inner_steps": 2, "test_steps": 2},
    "meta_lstm": {"inner_steps": 2},
    "maml_plus_plus": {"inner_steps": 2},
    "anil": {"inner_steps": 2},
}
RECORD = EpisodeSetRecord(
    format_version=1,
    example_spec=ExampleSpec("image", "uint8", (SIZE, SIZE, 1)),
    ways=WAYS,
    shots=SHOTS,
    queries=3,
    counts={},
    seed=0,
    splits={},
    groups={},
    config={"data": {}},
)


def draw(episodes: int = 2, ways: int = WAYS, queries: int = 3, seed: int = 0) -> Episodes:
    """Images whose class is where their bright spot lies; uint8, as a client sends them."""
    rng = np.random.default_rng(seed)
    spots = np.stack([rng.permutation(SIZE * SIZE)[:ways] for _ in range(episodes)])

    def images(per_class: int):
        y = np.tile(np.repeat(np.arange(ways), per_class), (episodes, 1))
        x = rng.integers(0, 90, (episodes, ways * per_class, SIZE * SIZE))
        np.put_along_axis(x, np.take_along_axis(spots, y, axis=1)[..., None], 255, axis=2)
        shape = (episodes, ways * per_class, SIZE, SIZE, 1)
        return tf.constant(x.reshape(shape), tf.uint8), tf.constant(y, tf.int32)

    return Episodes(*images(SHOTS), *images(queries))


def small(name: str, **options) -> Assembly:
    return assemble(RECORD, {"name": name} | SMALL | FEWER_STEPS.get(name, {}) | options)


@pytest.fixture(scope="module", params=NAMES)
def served(request, tmp_path_factory) -> tuple[Assembly, dict, dict]:
    """A learner, its fresh weights, and the signatures of its export."""
    assembly = small(request.param)
    weights = assembly.learner.init(0)
    if "meta_learner" in weights:  # Meta-LSTM starts with gates all but shut: little would show
        weights["meta_learner"]["input_bias"] = tf.constant(-1.0)
    directory = str(tmp_path_factory.mktemp("export") / "model")
    export(assembly, weights, directory, {})
    loaded = tf.saved_model.load(directory)
    signatures = dict(loaded.signatures)
    signatures["keep"] = loaded  # the signatures die with what they came from
    return assembly, weights, signatures


def ask(served, episodes: Episodes) -> np.ndarray:
    _, _, signatures = served
    outputs = signatures[sig.ADAPT_AND_PREDICT](
        support_x=episodes.support_x, support_y=episodes.support_y, query_x=episodes.query_x
    )
    return outputs[sig.PROBABILITIES].numpy()


def direct(served, episodes: Episodes) -> np.ndarray:
    """The answer of the learner itself, without export."""
    assembly, weights, _ = served
    prepare = assembly.modality.prepare
    support = episodes.support._replace(x=prepare(episodes.support_x))
    adapted = assembly.learner.adapt(weights, support)
    outputs = assembly.learner.predict(weights, adapted, prepare(episodes.query_x))
    return assembly.task.predict(outputs, episodes.support_y).numpy()


def test_it_keeps_to_the_interface(served):
    assembly, _, _ = served
    check_learner(assembly, RECORD)


def test_saved_and_loaded_answers_are_the_learners_own(served):
    episodes = draw()
    np.testing.assert_allclose(ask(served, episodes), direct(served, episodes), atol=1e-5)


def test_each_query_alone_is_as_all_together(served):
    episodes = draw()
    together = ask(served, episodes)
    for i in range(together.shape[1]):
        alone = ask(served, episodes._replace(query_x=episodes.query_x[:, i : i + 1]))
        np.testing.assert_allclose(alone[:, 0], together[:, i], atol=1e-5)


def test_more_queries_than_a_piece_are_answered_as_in_small_groups(served):
    """Of two episodes at once, by every learner."""
    episodes = draw(queries=QUERY_PIECE // WAYS + 5)
    together = ask(served, episodes)
    for start in range(0, together.shape[1], QUERY_PIECE - 9):
        group = episodes.query_x[:, start : start + QUERY_PIECE - 9]
        few = ask(served, episodes._replace(query_x=group))
        np.testing.assert_allclose(few, together[:, start : start + few.shape[1]], atol=1e-6)


def test_each_episode_alone_is_as_stacked(served):
    episodes = draw()
    stacked = ask(served, episodes)
    for e in range(2):
        alone = ask(served, Episodes(*(t[e : e + 1] for t in episodes)))
        np.testing.assert_allclose(alone[0], stacked[e], atol=1e-5)


def test_padding_changes_nothing(served):
    episodes = draw()
    x = tf.concat([episodes.support_x, 255 - episodes.support_x[:, :3]], axis=1)
    y = tf.pad(episodes.support_y, [[0, 0], [0, 3]], constant_values=-1)
    padded = ask(served, episodes._replace(support_x=x, support_y=y))
    np.testing.assert_allclose(padded, ask(served, episodes), atol=1e-5)


def test_order_of_the_support_set_changes_nothing(served):
    episodes = draw()
    x, y = (tf.reverse(t, axis=[1]) for t in episodes.support)
    reversed_ = ask(served, episodes._replace(support_x=x, support_y=y))
    np.testing.assert_allclose(reversed_, ask(served, episodes), atol=1e-5)


@pytest.mark.parametrize("queries", [1, 7])
def test_any_number_of_queries(served, queries):
    episodes = draw(queries=queries)
    assert ask(served, episodes).shape == (2, WAYS * queries, WAYS)


@pytest.mark.parametrize("ways", [1, 2, 7, 20])
def test_any_number_of_ways(served, ways):
    probabilities = ask(served, draw(ways=ways))
    assert probabilities.shape[-1] == ways
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1.0, atol=1e-5)


def test_a_class_without_support_changes_nothing(served):
    """Labels 0, 1 and 3: the same probabilities as of 0, 1 and 2, and 0 for 2."""
    episodes = draw(ways=3)
    gap = ask(
        served,
        episodes._replace(support_y=tf.where(episodes.support_y == 2, 3, episodes.support_y)),
    )
    assert (gap[..., 2] == 0).all()
    np.testing.assert_allclose(gap[..., [0, 1, 3]], ask(served, episodes)[..., :3], atol=1e-5)


def test_order_and_numbers_of_classes_change_nothing(served):
    """Other numbers for the classes of each episode, and another order of its examples."""
    episodes, rng = draw(), np.random.default_rng(1)
    numbers = np.stack([rng.permutation(WAYS) for _ in range(2)]).astype(np.int32)
    order = np.stack([rng.permutation(WAYS * SHOTS) for _ in range(2)])
    y = np.take_along_axis(numbers, episodes.support_y.numpy(), axis=1)
    x, y = (tf.gather(part, order, batch_dims=1) for part in (episodes.support_x, y))
    renumbered = ask(served, episodes._replace(support_x=x, support_y=y))
    by_class = np.take_along_axis(renumbered, numbers[:, np.newaxis], axis=2)
    np.testing.assert_allclose(by_class, ask(served, episodes), atol=1e-5)


@pytest.mark.parametrize("names", [["a", "b", "c", "d"], ["oak", "Eiche", "chêne", "10"]])
def test_files_and_any_class_names_are_as_arrays_and_numbers(served, names):
    episodes, (_, _, signatures) = draw(), served
    files = {
        part: tf.map_fn(lambda x: tf.map_fn(tf.io.encode_png, x, tf.string), images, tf.string)
        for part, images in (("support_x", episodes.support_x), ("query_x", episodes.query_x))
    }
    labels = tf.gather(names, episodes.support_y)
    outputs = signatures[sig.ENCODED](support_labels=labels, **files)
    number = {name.decode(): i for i, name in enumerate(outputs[sig.CLASS_NAMES][0].numpy())}
    by_class = outputs[sig.PROBABILITIES].numpy()[..., [number[name] for name in names]]
    np.testing.assert_allclose(by_class, ask(served, episodes), atol=1e-5)


def test_uneven_shots(served):
    """Another number of examples of each class, none but one of the last."""
    episodes = draw()
    x, y = (t[:, : -SHOTS + 1] for t in episodes.support)
    probabilities = ask(served, episodes._replace(support_x=x, support_y=y))
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1.0, atol=1e-5)
    assert (probabilities[..., -1] > 0).all()


def test_adapt_then_predict_is_serving_default(served):
    episodes, (_, _, signatures) = draw(), served
    adapted = signatures[sig.ADAPT](support_x=episodes.support_x, support_y=episodes.support_y)
    outputs = signatures[sig.PREDICT](query_x=episodes.query_x, **adapted)
    np.testing.assert_allclose(outputs[sig.PROBABILITIES], ask(served, episodes), atol=1e-6)


def test_path_ends_where_serving_default_is(served):
    """What it predicts before the first step depends on the support set if its traits say so."""
    episodes, (assembly, _, signatures) = draw(), served
    if assembly.learner.path is None:
        assert sig.PATH not in signatures
        return
    assert assembly.learner.traits.starts_from_support
    per_step = signatures[sig.PATH](
        support_x=episodes.support_x, support_y=episodes.support_y, query_x=episodes.query_x
    )[sig.PROBABILITIES_PER_STEP].numpy()
    np.testing.assert_allclose(per_step[:, -1], ask(served, episodes), atol=1e-5)


def test_same_under_tf_function(served):
    assembly, weights, _ = served
    episodes = draw()
    prepared = episodes._replace(
        support_x=assembly.modality.prepare(episodes.support_x),
        query_x=assembly.modality.prepare(episodes.query_x),
    )
    progress = tf.constant(0.9)
    eager = assembly.learner.meta_gradients(weights, prepared, progress)
    traced = tf.function(assembly.learner.meta_gradients)(weights, prepared, progress)
    np.testing.assert_allclose(eager.loss, traced.loss, rtol=1e-5)
    found, expected = (by_joined_name(one.gradients) for one in (traced, eager))
    assert {n: g.shape for n, g in expected.items()} == {
        n: w.shape for n, w in by_joined_name(weights).items()
    }
    for name, gradient in expected.items():
        np.testing.assert_allclose(gradient, found[name], atol=1e-5)


@pytest.fixture(scope="module")
def numbered(tmp_path_factory) -> tuple[Assembly, dict, dict]:
    """One learner with a head that has weights for each class number, as `served`."""
    assembly = small("anil", head="numbered")
    weights, directory = (
        assembly.learner.init(0),
        str(tmp_path_factory.mktemp("numbered") / "model"),
    )
    export(assembly, weights, directory, {})
    loaded = tf.saved_model.load(directory)
    return assembly, weights, dict(loaded.signatures) | {"keep": loaded}


def test_a_numbered_head_serves_as_many_ways_as_trained_or_fewer(numbered):
    learner = numbered[0].learner
    assert not learner.traits.starts_from_support
    assert learner.traits.fixed_ways and learner.traits.serves.ways == f"up to {WAYS}, as trained"
    few = ask(numbered, draw(ways=WAYS - 1))
    assert few.shape[-1] == WAYS and (few[..., -1] == 0).all()
    with pytest.raises(tf.errors.InvalidArgumentError, match="support_y"):
        ask(numbered, draw(ways=WAYS + 1))


@pytest.mark.parametrize("name", NAMES)
def test_seeded_starts_repeat_and_seeds_differ(name):
    assembly = small(name)
    one, same, other = (by_joined_name(assembly.learner.init(seed)) for seed in (1, 1, 2))
    assert all((one[n].numpy() == same[n].numpy()).all() for n in one)
    assert any((one[n].numpy() != other[n].numpy()).any() for n in one)

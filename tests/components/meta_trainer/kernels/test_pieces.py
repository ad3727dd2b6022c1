"""Programs for pieces compute what one graph computes, to the second derivative, in loops too."""

import numpy as np
import pytest
import tensorflow as tf

from components.meta_trainer import learners
from components.meta_trainer.backbones.conv4 import Conv4Options, conv4
from components.meta_trainer.kernels import convolution, pieces
from components.meta_trainer.kernels.normalisation import Normalisation
from components.meta_trainer.learners.base import Learner
from components.meta_trainer.learners.maml import MamlOptions, maml
from components.meta_trainer.learners.repeat import repeat
from components.meta_trainer.network import Network
from components.meta_trainer.training.step import compiled_gradients, max_chunk
from components.tasks.classification import classification

RNG = np.random.default_rng(0)
WEIGHTS = {"conv_kernel": (3, 3, 2, 2), "conv_offset": (2,)}


def random(*shape: int) -> tf.Tensor:
    return tf.constant(RNG.standard_normal(shape))


def block(weights: dict, x: tf.Tensor, mask, statistics=None):
    """Convolution, normalisation, maxima; smooth but where rectifier and maxima bend."""
    y = convolution.task_conv(x, weights["conv_kernel"])
    norm = Normalisation("support")
    pool = convolution.max_pool
    return norm.apply(weights, "conv", y, mask, statistics, slope=0.1, pool=pool)


def meta_loss(weights: dict, x: tf.Tensor, query_x: tf.Tensor, mask) -> tf.Tensor:
    """The loss of queries after two inner steps, with the moments of the support set."""

    def step(number: tf.Tensor, fast: dict) -> dict:
        with tf.GradientTape() as tape:
            tape.watch(fast)
            loss = tf.reduce_sum(tf.sin(block(weights | fast, x, mask)[0]))
        return {
            "conv_kernel": fast["conv_kernel"] - 0.01 * tape.gradient(loss, fast)["conv_kernel"]
        }

    adapted = weights | repeat(step, {"conv_kernel": weights["conv_kernel"]}, 2)
    _, statistics = block(adapted, x, mask)
    return tf.reduce_sum(tf.sin(block(adapted, query_x, None, statistics)[0]))


@pytest.mark.parametrize("mask", [None, [[1.0, 1.0, 0.0]]], ids=["all", "padded"])
def test_meta_gradients_in_pieces_are_those_of_finite_differences_and_of_one_graph(mask):
    mask = None if mask is None else tf.constant(mask, tf.float64)
    weights = {name: random(*shape) for name, shape in WEIGHTS.items()}
    x, query_x = random(1, 3, 5, 6, 2), random(1, 2, 5, 6, 2)

    def gradient(active: bool, weights: dict) -> tuple[tf.Tensor, dict]:
        with pieces.compile_pieces(active), tf.GradientTape() as tape:
            tape.watch(weights)
            loss = meta_loss(weights, x, query_x, mask)
        return loss, tape.gradient(loss, weights)

    by_pieces, plain = (
        tf.function(lambda w, active=active: gradient(active, w)) for active in (True, False)
    )
    loss, found = by_pieces(weights)
    expected_loss, expected = plain(weights)
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-12)
    for name, shape in WEIGHTS.items():
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-9, atol=1e-10)
        along, step = random(*shape), 1e-6
        ahead, behind = (
            by_pieces(weights | {name: weights[name] + sign * step * along})[0] for sign in (1, -1)
        )
        numeric = (ahead - behind) / (2 * step)
        np.testing.assert_allclose(tf.reduce_sum(found[name] * along), numeric, rtol=1e-6)


def test_third_derivatives_are_those_of_the_function():
    x = random(3)

    def third(active: bool, x: tf.Tensor) -> tf.Tensor:
        value = x
        with pieces.compile_pieces(active):
            tapes = [tf.GradientTape() for _ in range(3)]
            for tape in tapes:
                tape.__enter__()
                tape.watch(x)
            value = tf.reduce_sum(pieces.piece(lambda x: {"y": tf.sin(x) * x}, x)["y"])
            for tape in reversed(tapes):
                tape.__exit__(None, None, None)
                value = tf.reduce_sum(tape.gradient(value, x) * x)
        return value

    by_pieces, plain = (tf.function(lambda x, a=a: third(a, x))(x) for a in (True, False))
    np.testing.assert_allclose(by_pieces, plain, rtol=1e-12)


@pytest.mark.parametrize(
    ("size", "downsample", "pieces"),
    [(84, "max_pool", True), (84, "stride", True), (28, "stride", False), (42, "stride", False)],
)
def test_networks_on_large_images_compile_in_pieces(size, downsample, pieces):
    assert conv4(Conv4Options(downsample=downsample), (size, size, 3)).in_pieces == pieces


@pytest.fixture
def graph_optimiser():
    """Leaves TensorFlow's graph optimiser on after a test that may turn it off."""
    on = {"disable_meta_optimizer": False}
    tf.config.optimizer.set_experimental_options(on)
    yield
    tf.config.optimizer.set_experimental_options(on)


@pytest.fixture
def traced_pieces(monkeypatch):
    """Counts the pieces that are traced as programs of their own."""
    calls = []
    programs = pieces._programs
    monkeypatch.setattr(pieces, "_programs", lambda *a: calls.append(a) or programs(*a))
    return calls


def with_trait(learner: Learner, in_pieces: bool) -> Learner:
    """The learner on a network for pieces, and whether it wants them itself."""
    network = learner.network
    backbone = network.backbone._replace(in_pieces=True)
    return learner._replace(
        network=network._replace(backbone=backbone),
        traits=learner.traits._replace(in_pieces=in_pieces),
    )


@pytest.mark.parametrize("name", ["maml", "meta_sgd", "maml_plus_plus"])
def test_a_learners_meta_gradients_in_pieces_are_those_of_one_program(
    small_network, small_episodes, in_float64, graph_optimiser, traced_pieces, name
):
    options, factory = learners.lookup(name)
    network = small_network("support", downsample="max_pool")
    learner = factory(options(inner_steps=2), network, classification())
    weights, episodes = in_float64(learner.init(0)), small_episodes(shots=1)
    done = tf.constant(0.9)  # of meta-training: MAML++ takes second-order steps by then
    by_pieces, whole = (with_trait(learner, in_pieces) for in_pieces in (True, False))
    expected = compiled_gradients(whole, jit_compile=True)(weights, episodes, done)
    assert not traced_pieces
    found = compiled_gradients(by_pieces, jit_compile=True)(weights, episodes, done)
    assert traced_pieces
    np.testing.assert_allclose(found.loss, expected.loss, rtol=1e-9)
    tf.nest.map_structure(
        lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-9),
        dict(found.gradients),
        dict(expected.gradients),
    )


def test_in_pieces_a_chunk_is_one_episode_and_else_what_the_learner_allows():
    learner = maml(MamlOptions(), Network(conv4(Conv4Options(), (28, 28, 1)), 5), classification())
    assert max_chunk(learner) == max_chunk(with_trait(learner, False)) == learner.traits.max_chunk
    assert max_chunk(with_trait(learner, True)) == 1 < learner.traits.max_chunk


@pytest.mark.parametrize("size, off", [(84, True), (28, False)])
def test_the_graph_optimiser_is_off_where_it_would_rewrite_sums_of_large_gradients(
    graph_optimiser, size, off
):
    """Meta-SGD with 64 filters and 4 episodes of 84 x 84 pixels failed with AlreadyExistsError."""
    network = Network(conv4(Conv4Options(), (size, size, 3)), 5)
    compiled_gradients(maml(MamlOptions(), network, classification()), jit_compile=True)
    assert tf.config.optimizer.get_experimental_options()["disable_meta_optimizer"] == off

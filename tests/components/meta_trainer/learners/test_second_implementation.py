"""MAML and Reptile against independent second implementations in NumPy, in float64.

The network is two-layered, softmax(relu(x W1 + b1) W2 + b2). Inner gradients are derived by hand;
the meta-gradient is the complex step's: Im f(w + ih) / h with h = 1e-30, which rounds nothing away.
"""

import numpy as np
import pytest
import tensorflow as tf

from components.episodes.types import Episodes
from components.meta_trainer.backbones.mlp import MlpOptions, mlp
from components.meta_trainer.learners.maml import FomamlOptions, MamlOptions, fomaml, maml
from components.meta_trainer.learners.reptile import ReptileOptions, reptile
from components.meta_trainer.network import Network
from components.meta_trainer.types import by_joined_name
from components.tasks.classification import classification

EPISODES, WAYS, FEATURES, HIDDEN = 2, 3, 4, 5
NAMES = ("dense1_kernel", "dense1_bias", "head_kernel", "head_bias")
PROGRESS = tf.constant(0.5)


@pytest.fixture
def network() -> Network:
    return Network(mlp(MlpOptions(sizes=(HIDDEN,)), (FEATURES,)), WAYS)


@pytest.fixture
def arrays() -> tuple[np.ndarray, ...]:
    """support_x, support_y, query_x, query_y, of uneven shots."""
    rng = np.random.default_rng(0)
    y = np.array([[0, 0, 1, 2, 2], [2, 1, 1, 0, 1]]), np.array([[0, 1, 2], [2, 2, 0]])
    x = [rng.normal(size=(*one.shape, FEATURES)) for one in y]
    return x[0], y[0], x[1], y[1]


@pytest.fixture
def episodes(arrays) -> Episodes:
    x, y, query_x, query_y = arrays
    return Episodes(
        tf.constant(x),
        tf.constant(y, tf.int32),
        tf.constant(query_x),
        tf.constant(query_y, tf.int32),
    )


@pytest.fixture
def weights(network) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    shapes = by_joined_name(network.init(0))
    shapes = {name.removeprefix("body_"): w.shape for name, w in shapes.items()}
    return {name: rng.normal(scale=0.7, size=shapes[name]) for name in NAMES}


def loss_and_gradient(weights: dict, x: np.ndarray, y: np.ndarray) -> tuple[complex, dict]:
    """Mean cross-entropy and its gradient; complex weights are followed analytically."""
    w1, b1, w2, b2 = (weights[name] for name in NAMES)
    z = x @ w1 + b1
    active = z.real > 0
    logits = (z * active) @ w2 + b2
    shifted = np.exp(logits - logits.real.max(axis=1, keepdims=True))
    p = shifted / shifted.sum(axis=1, keepdims=True)
    loss = -np.mean(np.log(p[np.arange(len(y)), y]))
    dlogits = (p - np.eye(WAYS)[y]) / len(y)
    dz = (dlogits @ w2.T) * active
    gradient = (x.T @ dz, dz.sum(axis=0), (z * active).T @ dlogits, dlogits.sum(axis=0))
    return loss, dict(zip(NAMES, gradient))


def maml_loss(weights: dict, arrays: tuple, rate: float, steps: int, constant=None) -> complex:
    """The mean query loss after `steps` inner steps.

    Args:
      constant: inner gradients to take in place of the true ones, one list for each episode.
    """
    losses = []
    for e, (x, y, query_x, query_y) in enumerate(zip(*arrays)):
        fast = weights
        for k in range(steps):
            _, g = loss_and_gradient(fast, x, y)
            g = constant[e][k] if constant else g
            fast = {n: fast[n] - rate * g[n] for n in NAMES}
        losses.append(loss_and_gradient(fast, query_x, query_y)[0])
    return np.mean(losses)


def inner_gradients(weights: dict, arrays: tuple, rate: float, steps: int) -> list[list[dict]]:
    """Those of each episode along its path, as numbers that no longer depend on the weights."""
    paths = []
    for x, y, *_ in zip(*arrays):
        fast, path = weights, []
        for _ in range(steps):
            path.append(loss_and_gradient(fast, x, y)[1])
            fast = {n: fast[n] - rate * path[-1][n] for n in NAMES}
        paths.append(path)
    return paths


def complex_step(function, weights: dict) -> dict[str, np.ndarray]:
    """The gradient of `function(weights)`, one coordinate at a time."""
    gradients = {}
    for name, values in weights.items():
        gradient = np.zeros(values.shape)
        for place in np.ndindex(values.shape):
            moved = values.astype(complex)
            moved[place] += 1e-30j
            gradient[place] = function(weights | {name: moved}).imag / 1e-30
        gradients[name] = gradient
    return gradients


def in_tensors(weights: dict) -> dict[str, dict[str, tf.Tensor]]:
    """As a learner takes them: body and head."""
    parts: dict[str, dict[str, tf.Tensor]] = {"body": {}, "head": {}}
    for name, w in weights.items():
        part = "head" if name.startswith("head_") else "body"
        parts[part][name.removeprefix("head_")] = tf.constant(w)
    return parts


def assert_agree(found: dict, expected: dict) -> None:
    by_name = {n.removeprefix("body_"): g for n, g in by_joined_name(found).items()}
    for name, gradient in expected.items():
        np.testing.assert_allclose(by_name[name], gradient, rtol=1e-6, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("steps", [1, 2])
def test_maml(network, episodes, arrays, weights, steps):
    options = MamlOptions(inner_steps=steps, inner_learning_rate=0.3, learn_rates=False)
    found = maml(options, network, classification()).meta_gradients(
        in_tensors(weights), episodes, PROGRESS
    )
    np.testing.assert_allclose(found.loss, maml_loss(weights, arrays, 0.3, steps), rtol=1e-12)
    assert_agree(found.gradients, complex_step(lambda w: maml_loss(w, arrays, 0.3, steps), weights))


@pytest.mark.parametrize("steps", [1, 2])
def test_fomaml_is_maml_with_constant_inner_gradients(network, episodes, arrays, weights, steps):
    options = FomamlOptions(inner_steps=steps, inner_learning_rate=0.3, learn_rates=False)
    found = fomaml(options, network, classification()).meta_gradients(
        in_tensors(weights), episodes, PROGRESS
    )
    constant = inner_gradients(weights, arrays, 0.3, steps)
    expected = complex_step(lambda w: maml_loss(w, arrays, 0.3, steps, constant), weights)
    assert_agree(found.gradients, expected)


def test_the_two_orders_differ(arrays, weights):
    """Or the tests above could not tell MAML from FOMAML."""
    constant = inner_gradients(weights, arrays, 0.3, 2)
    second = complex_step(lambda w: maml_loss(w, arrays, 0.3, 2), weights)
    first = complex_step(lambda w: maml_loss(w, arrays, 0.3, 2, constant), weights)
    assert any(np.abs(second[n] - first[n]).max() > 1e-2 for n in NAMES)


def test_reptile(network, episodes, arrays, weights):
    """theta - mean of phi, phi three steps of SGD, each on the next five of an episode's eight."""
    options = ReptileOptions(inner_steps=3, inner_learning_rate=0.1)
    found = reptile(options, network, classification()).meta_gradients(
        in_tensors(weights), episodes, PROGRESS
    )
    support_x, support_y, query_x, query_y = arrays
    trained = []
    for x, y in zip(np.hstack([support_x, query_x]), np.hstack([support_y, query_y])):
        order = np.argsort([np.sum(y[:i] == y[i]) for i in range(8)], kind="stable")
        fast = dict(weights)
        for some in ([0, 1, 2, 3, 4], [5, 6, 7, 0, 1], [2, 3, 4, 5, 6]):
            _, gradient = loss_and_gradient(fast, x[order[some]], y[order[some]])
            fast = {n: fast[n] - 0.1 * g for n, g in gradient.items()}
        trained.append(fast)
    means = {n: np.mean([phi[n] for phi in trained], axis=0) for n in NAMES}
    assert_agree(found.gradients, {n: weights[n] - means[n] for n in NAMES})

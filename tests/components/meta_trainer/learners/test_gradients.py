"""Every learner's meta-gradient, in float64: against finite differences where it is one, else
against what its paper says it is.

True gradients: MAML, ANIL, Meta-SGD, ProtoNet, Proto-MAML, and MAML++ once it is of second order.
Approximations, and where a test says what they equal: FOMAML and Proto-MAML of first order and
MAML++ early in meta-training (here), Reptile (here and `test_second_implementation.py`), Meta-LSTM
(`test_meta_lstm.py`).
"""

import numpy as np
import pytest
import tensorflow as tf

from components.episodes.types import Support
from components.meta_trainer import learners
from components.meta_trainer.learners.heads import prototype_start
from components.meta_trainer.learners.reptile import (
    ReptileOptions,
    cyclic_slice,
    interleave_classes,
    reptile,
)
from components.meta_trainer.network import HeadKind, head_outputs
from components.meta_trainer.types import Weights, by_joined_name
from components.tasks.classification import classification

LATE = tf.constant(0.9)  # MAML++ is of second order by then, and counts the last step alone
EARLY = tf.constant(0.06)
APPROXIMATE = {"fomaml", "reptile", "meta_lstm"}
# A learner that is added is held to finite differences, too.
EXACT = {name: (name, {}, LATE) for name in sorted(set(learners.TABLE) - APPROXIMATE)} | {
    "maml, two steps": ("maml", {"inner_steps": 2}, LATE),
    "maml, prototypes": ("maml", {"inner_steps": 2, "head": "prototypes"}, LATE),
    "anil, prototypes": ("anil", {"head": "prototypes"}, LATE),
    "meta_sgd, two steps": ("meta_sgd", {"inner_steps": 2}, LATE),
    "maml_plus_plus, losses of all steps": ("maml_plus_plus", {"first_order_share": 0.0}, EARLY),
}


@pytest.fixture
def learner_of(small_network, in_float64):
    def make(name: str, *, mode: str = "support", head: HeadKind = "numbered", **given):
        options, factory = learners.lookup(name)
        network = small_network(mode)._replace(head=head)
        learner = factory(options(**given), network, classification())
        return learner, in_float64(learner.init(0))

    return make


@pytest.mark.parametrize("case", EXACT)
def test_gradient_by_finite_differences(
    learner_of, small_episodes, assert_finite_differences, case
):
    name, options, progress = EXACT[case]
    learner, weights = learner_of(name, **options)
    assert_finite_differences(learner, weights, small_episodes(), progress)


@pytest.mark.parametrize(
    "name, options",
    [
        ("fomaml", {"inner_learning_rate": 0.3}),
        ("proto_maml", {"first_order": True, "inner_learning_rate": 0.1}),
    ],
)
def test_first_order_holds_all_inner_updates_constant(learner_of, small_episodes, name, options):
    """The gradient of L_Q(theta'_0 + u), u = theta'_K - theta'_0 taken as a number.

    theta'_0 of Proto-MAML depends on theta through the prototypes, which stays differentiated.
    """
    options = options | {"mode": "none", "learn_rates": False}
    learner, weights = learner_of(name, inner_steps=3, **options)
    unmoved, _ = learner_of(name, inner_steps=0, **options)
    episodes = small_episodes()
    found = learner.meta_gradients(weights, episodes, LATE).gradients
    last, first = (one.adapt(weights, episodes.support) for one in (learner, unmoved))
    each = tf.nest.map_structure
    updates = each(lambda after, before: tf.constant(after - before), last, first)
    with tf.GradientTape() as tape:
        tape.watch(weights)
        adapted = each(lambda w, u: w + u, unmoved.adapt(weights, episodes.support), updates)
        loss = query_loss(learner, weights, adapted, episodes)
    expected = tape.gradient(loss, weights, unconnected_gradients="zero")
    assert_close(found, expected, atol=1e-12)


def assert_close(found: Weights, expected: Weights, **tolerance: float) -> None:
    """Every tensor of `expected` is in `found`, and close."""
    by_name = by_joined_name(found)
    for name, tensor in by_joined_name(expected).items():
        np.testing.assert_allclose(by_name[name], tensor, err_msg=name, **tolerance)


def query_loss(learner, weights, adapted, episodes) -> tf.Tensor:
    outputs = learner.predict(weights, adapted, episodes.query_x)
    return tf.reduce_mean(classification().loss(outputs, episodes.query_y, episodes.support_y))


def test_early_maml_plus_plus_adds_up_the_first_order_gradients_of_each_step(
    learner_of, small_episodes
):
    """sum_i v_i grad L_Q(theta'_i), each at the adapted weights, v even at the very start."""
    options, episodes = {"inner_learning_rate": 0.5, "mode": "none"}, small_episodes()
    learner, weights = learner_of("maml_plus_plus", inner_steps=4, **options)
    found = learner.meta_gradients(weights, episodes, tf.constant(0.0)).gradients
    own = {part: weights[part] for part in ("body", "head")}
    of_each = []
    for steps in (1, 2, 3, 4):
        fomaml, _ = learner_of("fomaml", inner_steps=steps, learn_rates=False, **options)
        of_each.append(fomaml.meta_gradients(own, episodes, LATE).gradients)
    mean = tf.nest.map_structure(lambda *gradients: sum(gradients) / 4, *of_each)
    assert_close(found, mean, atol=1e-12)


def test_late_maml_plus_plus_with_equal_rates_is_maml(learner_of, small_episodes):
    options = {"inner_steps": 3, "inner_learning_rate": 0.5}
    learner, weights = learner_of("maml_plus_plus", **options)
    maml, maml_weights = learner_of("maml", learn_rates=False, **options)
    found = learner.meta_gradients(weights, small_episodes(), LATE)
    expected = maml.meta_gradients(maml_weights, small_episodes(), LATE)
    np.testing.assert_allclose(found.loss, expected.loss, rtol=1e-12)
    assert_close(found.gradients, expected.gradients, atol=1e-12)


@pytest.mark.parametrize("name", ["maml", "meta_sgd", "maml_plus_plus", "anil", "reptile"])
def test_a_vector_that_all_classes_share_does_as_much_as_zero(learner_of, small_episodes, name):
    """It adds the same to the logits of every class, which softmax drops."""
    learner, weights = learner_of(name, inner_steps=3)
    rng = np.random.default_rng(0)
    if "rates" in weights:  # one rate for all classes, as where no weight belongs to a class
        head = tf.nest.map_structure(tf.ones_like, weights["rates"]["head"])
        weights["rates"] = weights["rates"] | {"head": head}
    zero = tf.nest.map_structure(tf.zeros_like, weights["head"])
    shared = zero | {"kernel": zero["kernel"] + rng.normal(size=(4, 1))}
    found, expected = (
        learner.meta_gradients(weights | {"head": head}, small_episodes(), LATE)
        for head in (shared, zero)
    )
    np.testing.assert_allclose(found.loss, expected.loss, rtol=1e-10)
    assert_close(found.gradients["body"], expected.gradients["body"], atol=1e-10)


def test_the_prototype_head_is_the_distance_classifier():
    """Its softmax equals that of -s |x - c_k|^2 / 2v, padding and an absent class left out."""
    features = np.random.default_rng(0).normal(size=(1, 5, 4))
    y, scale = tf.constant([[0, 2, 2, 0, -1]]), tf.constant(1.7, tf.float64)
    head = prototype_start(tf.constant(features), y, 3, scale)
    means = np.stack([features[0, [0, 3]].mean(0), features[0, [1, 2]].mean(0)])
    spread = np.mean(np.sum((means - means.mean(0)) ** 2, axis=1))
    spread += np.sum(means.mean(0) ** 2) / 1000
    x = np.random.default_rng(1).normal(size=(1, 6, 4))
    found = head_outputs(head, tf.constant(x)).numpy()[0][:, [0, 2]]
    distances = np.sum((x[0][:, None] - means) ** 2, axis=2)
    expected = tf.nn.softmax(-1.7 * distances / (2 * spread))
    np.testing.assert_allclose(tf.nn.softmax(found), expected, atol=1e-9)


def test_the_prototype_head_is_where_a_step_from_zero_leads(learner_of, small_episodes):
    """As many shots of each class: its kernel is a multiple of the first step's."""
    learner, weights = learner_of("anil", inner_steps=1)
    zero = tf.nest.map_structure(tf.zeros_like, weights["head"])
    stepped = learner.adapt(weights | {"head": zero}, small_episodes().support)["head"]["kernel"]
    unmoved, scale = learner_of("anil", head="prototypes", inner_steps=0)
    kernel = unmoved.adapt(scale | {"body": weights["body"]}, small_episodes().support)
    kernel, stepped = (k.numpy().reshape(2, -1) for k in (kernel["head"]["kernel"], stepped))
    ratio = np.sum(kernel * stepped, axis=1) / np.sum(stepped * stepped, axis=1)
    np.testing.assert_allclose(kernel, ratio[:, np.newaxis] * stepped, atol=1e-10)


def test_anil_does_not_move_the_body(learner_of, small_episodes):
    learner, weights = learner_of("anil")
    adapted = learner.adapt(weights, small_episodes().support)
    assert set(adapted) == {"head", "statistics"}


def test_meta_sgd_with_equal_rates_is_maml(learner_of, small_episodes):
    learner, weights = learner_of("meta_sgd")
    maml, maml_weights = learner_of("maml")
    rates = tf.nest.map_structure(
        lambda w: tf.fill(w.shape, tf.constant(0.4, w.dtype)), weights["rates"]
    )
    support = small_episodes().support
    found = learner.adapt(weights | {"rates": rates}, support)
    assert_close(found, maml.adapt(maml_weights, support), atol=1e-7)


def test_protonet_equals_its_linear_form(learner_of, small_episodes):
    """softmax(-|x - c|^2) = softmax(2 c x - |c|^2): Proto-MAML before its first step."""
    learner, weights = learner_of("protonet")
    linear, _ = learner_of("proto_maml")
    episodes = small_episodes()
    adapted = learner.adapt(weights, episodes.support)
    outputs = learner.predict(weights, adapted, episodes.query_x)
    assert linear.path is not None
    linear_outputs = linear.path(weights, episodes.support, episodes.query_x)[:, 0]
    np.testing.assert_allclose(tf.nn.softmax(outputs), tf.nn.softmax(linear_outputs), atol=1e-10)


def test_reptile_with_one_step_is_joint_training_on_a_minibatch(
    small_network, small_episodes, in_float64
):
    """theta - phi is the gradient times the rate, of as many examples as a support set has."""
    network, episodes = small_network(), small_episodes(episodes=1)
    learner = reptile(
        ReptileOptions(inner_steps=1, inner_learning_rate=0.1), network, classification()
    )
    weights = in_float64(learner.init(0))
    found = learner.meta_gradients(weights, episodes, LATE).gradients
    everything = Support(
        tf.concat([episodes.support_x, episodes.query_x], axis=1),
        tf.concat([episodes.support_y, episodes.query_y], axis=1),
    )
    x, y = cyclic_slice(interleave_classes(everything), 0, episodes.support_y.shape[1])
    with tf.GradientTape() as tape:
        tape.watch(weights)
        outputs, _ = network.forward(weights, x, tf.ones(y.shape, tf.float64))
        loss = tf.reduce_sum(classification().loss(outputs, y, y))
    expected = tf.nest.map_structure(lambda g: 0.1 * g, tape.gradient(loss, weights))
    assert_close(found, expected, rtol=1e-8, atol=1e-12)


def test_reptiles_minibatches_interleave_the_classes():
    y = tf.constant([[0, 0, 0, 1, 1, 2]])
    x = tf.constant([[10, 11, 12, 20, 21, 30]])
    interleaved = interleave_classes(Support(x, y))
    assert interleaved.x.numpy().tolist() == [[10, 20, 30, 11, 21, 12]]
    assert interleaved.y.numpy().tolist() == [[0, 1, 2, 0, 1, 0]]
    assert cyclic_slice(interleaved, tf.constant(4), 3).x.numpy().tolist() == [[21, 12, 10]]


def test_multi_step_shares_sum_to_one_and_end_on_the_last_step():
    from components.meta_trainer.learners.maml_plus_plus import step_shares

    np.testing.assert_allclose(step_shares(tf.constant(0.0), 4), [0.25] * 4)
    np.testing.assert_allclose(tf.reduce_sum(step_shares(tf.constant(0.4), 4)), 1.0, rtol=1e-6)
    np.testing.assert_allclose(step_shares(tf.constant(3.0), 4), [0, 0, 0, 1])

"""What the features of a bag of hashed tokens depend on."""

import numpy as np
import pytest
import tensorflow as tf

from components.meta_trainer.backbones.embedding_bag import (
    GATES,
    TABLE,
    EmbeddingBagOptions,
    embedding_bag,
)

LENGTH = 6
TOKENS = tf.constant([[[5, 9, 70, 0, 0, 0], [9, 5, 70, 70, 0, 0], [3, 0, 0, 0, 0, 0]]])
MASK = tf.constant([[1.0, 1.0, 0.0]])


def make(**options):
    made = embedding_bag(EmbeddingBagOptions(buckets=64, size=8, **options), (LENGTH,))
    return made, made.init(0)


def test_order_and_padding_do_not_matter_but_repetition_does():
    bag, weights = make()
    texts = tf.constant([[[5, 9, 0, 0, 0, 0], [0, 9, 0, 0, 5, 0], [5, 9, 9, 0, 0, 0]]])
    one, shuffled, repeated = bag.features(weights, texts, tf.ones([1, 3]))[0][0].numpy()
    assert np.allclose(one, shuffled, atol=1e-6) and not np.allclose(one, repeated, atol=1e-2)


def test_features_have_the_configured_length():
    bag, weights = make(scale=4.0)
    features, statistics = bag.features(weights, TOKENS, MASK)
    assert features.shape == (1, 3, bag.feature_size) and not statistics
    assert np.allclose(np.linalg.norm(features, axis=-1), 4.0, atol=1e-4)


def test_a_text_without_tokens_has_finite_features():
    bag, weights = make()
    features, _ = bag.features(weights, tf.zeros([1, 1, LENGTH], tf.int32), tf.ones([1, 1]))
    assert np.isfinite(features).all() and not features.numpy().any()


def test_at_the_start_distances_are_those_of_the_bags_of_tokens():
    options = EmbeddingBagOptions(buckets=4096, size=512, scale=1.0)
    bag = embedding_bag(options, (20,))
    tokens = np.random.default_rng(0).integers(1, 4000, (1, 2, 20))
    tokens[0, 1, :10] = tokens[0, 0, :10]  # half of the tokens are shared
    features, _ = bag.features(bag.init(0), tf.constant(tokens, tf.int32), tf.ones([1, 2]))
    assert float(tf.tensordot(features[0, 0], features[0, 1], 1)) == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize("normalisation", ["support", "task_norm", "none"])
def test_each_query_is_answered_alone(normalisation):
    bag, weights = make(layers=2, hidden=5, normalisation=normalisation)
    _, statistics = bag.features(weights, TOKENS, MASK)
    ones = tf.ones([1, 3])
    together, _ = bag.features(weights, TOKENS, ones, statistics)
    alone, _ = bag.features(weights, TOKENS[:, 1:2], ones[:, :1], statistics)
    assert np.allclose(together[:, 1:2], alone, atol=1e-6)


def test_padding_has_no_part_in_the_statistics():
    bag, weights = make(layers=1, hidden=5)
    _, statistics = bag.features(weights, TOKENS, MASK)
    _, without = bag.features(weights, TOKENS[:, :2], MASK[:, :2])
    for name, found in statistics.items():
        assert np.allclose(found, without[name], atol=1e-6)


def test_an_episode_adapts_the_layers_and_not_the_tables():
    bag, weights = make(layers=1, hidden=5)
    assert {TABLE, GATES} <= bag.frozen_names and "dense1_kernel" not in bag.frozen_names
    stacked = weights | {"dense1_kernel": tf.stack([weights["dense1_kernel"]] * 2)}
    twice = tf.concat([TOKENS, TOKENS], axis=0)
    features, _ = bag.features(stacked, twice, tf.concat([MASK, MASK], axis=0))
    shared, _ = bag.features(weights, TOKENS, MASK)
    assert np.allclose(features[1], shared[0], atol=1e-5)


def test_an_exact_bag_keeps_the_cosines_of_weighted_counts():
    bag, weights = make(exact=True, scale=2.0, gate_rate=10.0)
    weights[GATES] = tf.constant(np.random.default_rng(0).normal(size=64) / 10, tf.float32)
    features, _ = bag.features(weights, TOKENS, MASK)
    assert features.shape == (1, 3, 8 + 64) == (1, 3, bag.feature_size)
    counts = np.zeros([3, 64])
    for text, tokens in enumerate(TOKENS.numpy()[0]):
        np.add.at(counts[text], tokens[tokens > 0] % 64, 1)
    counts *= np.exp(10 * weights[GATES].numpy())
    expected = 2 * counts / np.linalg.norm(counts, axis=1, keepdims=True)
    np.testing.assert_allclose(features[0, :, 8:], expected, atol=1e-5)


def test_with_idf_the_weights_begin_as_inverse_document_frequencies():
    bag, weights = make(idf=True, gate_rate=10.0)
    texts = tf.constant([[5, 5, 9, 0, 0, 0], [5, 70, 0, 0, 0, 0], [3, 0, 0, 0, 0, 0]])
    gates = np.exp(10 * bag.fit(weights, texts)[GATES].numpy())
    # 70 shares the row of 6; a text counts once, however often it holds a token.
    for token, holding in ((5, 2), (9, 1), (6, 1), (3, 1), (8, 0)):
        assert gates[token] == pytest.approx(1 + np.log(4 / (1 + holding)), rel=1e-5)
    assert make()[0].fit is None

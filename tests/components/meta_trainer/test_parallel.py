"""Chunks of episodes give the meta-gradient of the whole stack."""

import numpy as np
import pytest
import tensorflow as tf

from components.meta_trainer.parallel import chunk_size, mean_over_chunks


def mean_gradient(weights: tf.Tensor, x: tf.Tensor, y: tf.Tensor) -> dict[str, tf.Tensor]:
    with tf.GradientTape() as tape:
        tape.watch(weights)
        loss = tf.reduce_mean(tf.square(tf.sin(tf.linalg.matvec(x, weights)) - y))
    return {"loss": loss, "gradient": tape.gradient(loss, weights)}


@pytest.mark.parametrize("size", [1, 2, 4, 5, 6, 8])
def test_chunks_of_any_size_give_the_same_mean(size):
    rng = np.random.default_rng(0)
    weights, x, y = (tf.constant(rng.standard_normal(s), tf.float32) for s in ([3], [6, 3], [6]))
    whole = mean_gradient(weights, x, y)
    found = mean_over_chunks(lambda x, y: mean_gradient(weights, x, y), (x, y), size)
    np.testing.assert_allclose(found["loss"], whole["loss"], atol=1e-6)
    np.testing.assert_allclose(found["gradient"], whole["gradient"], atol=1e-6)


@pytest.mark.parametrize(
    "episodes, cores, examples, expected",
    [
        (32, 2, 10, 2),
        (4, 2, 10, 2),
        (4, 4, 10, 1),
        (1, 2, 10, 1),
        (7, 2, 10, 1),
        (32, 2, 20, 2),
        (32, 2, 50, 1),
    ],
)
def test_chunk_size_keeps_every_core_busy_and_fits_its_cache(episodes, cores, examples, expected):
    assert chunk_size(episodes, cores, examples) == expected


def test_an_unknown_number_of_episodes_is_refused():
    @tf.function(input_signature=[tf.TensorSpec([None, 2])])
    def cut(x: tf.Tensor) -> tf.Tensor:
        return mean_over_chunks(tf.reduce_mean, (x,), 2)

    with pytest.raises(ValueError, match="static number of episodes"):
        cut(tf.zeros([4, 2]))

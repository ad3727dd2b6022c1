"""Chunks of episodes give the meta-gradient of the whole stack."""

import numpy as np
import pytest
import tensorflow as tf

from components.meta_trainer.training.parallel import chunk_size, core_cache, mean_over_chunks


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
    "episodes, cores, examples, cache, expected",
    [
        (32, 2, 10, 512, 2),
        (4, 2, 10, 512, 2),
        (4, 4, 10, 512, 1),
        (1, 2, 10, 512, 1),
        (7, 2, 10, 512, 1),
        (32, 2, 20, 512, 2),
        (32, 2, 50, 512, 1),
        (4, 2, 80, 1024, 2),
        (4, 2, 100, 1024, 1),
        (4, 2, 80, 2048, 2),
        (4, 2, 500, 2048, 1),
    ],
)
def test_chunk_size_keeps_every_core_busy_and_fits_its_cache(
    episodes, cores, examples, cache, expected
):
    assert chunk_size(episodes, cores, examples, largest=2, cache=1024 * cache) == expected


def test_the_cache_of_this_machine_is_a_cache():
    assert 128 * 1024 <= core_cache() <= 64 * 1024**2


def test_an_unknown_number_of_episodes_is_refused():
    @tf.function(input_signature=[tf.TensorSpec([None, 2])])
    def cut(x: tf.Tensor) -> tf.Tensor:
        return mean_over_chunks(tf.reduce_mean, (x,), 2)

    with pytest.raises(ValueError, match="static number of episodes"):
        cut(tf.zeros([4, 2]))

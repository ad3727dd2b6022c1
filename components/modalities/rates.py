"""Recordings at another sample rate, inside the graph."""

import math
from collections.abc import Callable

import numpy as np
import scipy.signal
import tensorflow as tf

Prepare = Callable[[tf.Tensor], tf.Tensor]


def at_rate(prepare: Prepare, rate: int | None, wanted: int | None) -> Prepare:
    """`prepare` of recordings `[..., T]` at `wanted` samples a second, for those at `rate`."""
    if rate is None or wanted is None or rate == wanted:
        return prepare

    def converted(samples: tf.Tensor) -> tf.Tensor:
        flat = tf.reshape(samples, [tf.reduce_prod(tf.shape(samples)[:-1]), tf.shape(samples)[-1]])
        found = resample(flat, rate, wanted)
        shape = tf.concat([tf.shape(samples)[:-1], tf.shape(found)[-1:]], axis=0)
        return prepare(tf.ensure_shape(tf.reshape(found, shape), [*samples.shape[:-1], None]))

    return converted


def lengths(samples: tf.Tensor) -> tf.Tensor:
    """Samples of each recording, zeros at its end not counted: `[n, T]` float32 -> `[n]` int32."""
    places = tf.range(1, tf.shape(samples)[1] + 1)
    ends = tf.where(tf.not_equal(samples, 0.0), places, 0)
    return tf.reduce_max(tf.pad(ends, [[0, 0], [0, 1]]), axis=1)


def resample(samples: tf.Tensor, rate: int, wanted: int) -> tf.Tensor:
    """Recordings `[n, T]` float32, padded with zeros, at another rate, `[n, ceil(T wanted/rate)]`.

    The filter of SciPy's `resample_poly`. What it rings after a recording's end is cut off, so that
    padding changes nothing.
    """
    if rate == wanted:
        return samples
    up, down = wanted // math.gcd(rate, wanted), rate // math.gcd(rate, wanted)
    size = (tf.shape(samples)[1] * up + down - 1) // down
    kernel, before = _phases(up, down)
    blocks = tf.maximum((tf.shape(samples)[1] + down - 1) // down, 1)
    # A block of `down` samples, with its surroundings, gives one of `up` samples.
    after = (blocks - 1) * down + len(kernel) - before - tf.shape(samples)[1]
    padded = tf.pad(samples, [[0, 0], [before, after]])
    found = tf.nn.conv1d(padded[..., None], kernel, down, "VALID")
    found = tf.reshape(found, [tf.shape(samples)[0], blocks * up])[:, :size]
    ends = (lengths(samples) * up + down - 1) // down
    return found * tf.sequence_mask(ends, size, tf.float32)


def _phases(up: int, down: int) -> tuple[np.ndarray, int]:
    """Weights `[samples, 1, up]` of a block's outputs, and how many samples lie before a block."""
    half = 10 * max(up, down)
    taps = up * scipy.signal.firwin(2 * half + 1, 1 / max(up, down), window=("kaiser", 5.0))
    before = -(-half // up)
    sample, output = np.ogrid[: down + 2 * before, :up]
    places = output * down - (sample - before) * up + half
    inside = (places >= 0) & (places < len(taps))
    kernel = np.where(inside, taps[np.clip(places, 0, len(taps) - 1)], 0)
    return kernel[:, None].astype(np.float32), before

"""Descriptors of spectrograms: the mean spectrum, and mel-frequency cepstral coefficients."""

import numpy as np
import scipy.fft
import tensorflow as tf

MFCCS = 13  # coefficients of a frame


def spectrum_descriptors(x: tf.Tensor) -> dict[str, tf.Tensor]:
    """Descriptors of log-mel spectrograms `[E, B, frames, bands, 1]`, each `[E, B, d]`."""
    frames = x[..., 0]
    basis = scipy.fft.dct(np.eye(frames.shape[-1]), norm="ortho")[:, :MFCCS].astype(np.float32)
    cepstra = tf.tensordot(frames, basis, 1)
    mean = tf.reduce_mean(cepstra, axis=2)
    spread = tf.reduce_mean(tf.square(cepstra - mean[:, :, None]), axis=2)
    return {
        "bands": tf.reduce_mean(frames, axis=2),
        "cepstra": tf.concat([mean, tf.sqrt(spread + 1e-9)], axis=-1),
    }

"""A speech encoder as small as possible, with random weights, in the two files of the real one."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from components.meta_trainer.encoders.speech import FILES, HOP, STEP, WINDOW

BANDS, DEPTH = 6, 5


def write_speech_encoder(folder: Path) -> Path:
    """Writes `melspectrogram.tflite` and `embedding_model.tflite` to a new folder."""
    rng = np.random.default_rng(0)

    def constant(*shape: int) -> tf.Tensor:
        return tf.constant(rng.normal(0, 1 / np.sqrt(np.prod(shape[:-1])), shape), tf.float32)

    waves, bank = constant(1, 512, 1, 16), tf.abs(constant(16, BANDS))
    first, last = constant(3, 3, 1, 4), constant(WINDOW - 2, BANDS // 2, 4, DEPTH)

    @tf.function(input_signature=[tf.TensorSpec([1, None], tf.float32)])
    def bands(samples):
        x = tf.nn.conv2d(tf.expand_dims(tf.expand_dims(samples, 1), -1), waves, [1, HOP], "VALID")
        power = tf.maximum(tf.nn.conv2d(x * x, bank[None, None], 1, "VALID"), 1e-6)
        decibels = tf.math.log(power) * 4.3
        return tf.maximum(decibels, tf.reduce_max(decibels) - 80.0)

    @tf.function(input_signature=[tf.TensorSpec([1, WINDOW, BANDS, 1], tf.float32)])
    def embed(x):
        x = tf.nn.conv2d(tf.pad(x, [[0, 0], [0, 0], [1, 1], [0, 0]]), first, 1, "VALID")
        x = tf.nn.max_pool2d(tf.maximum(tf.nn.leaky_relu(x), -0.4), [1, 2], [1, 2], "VALID")
        return tf.nn.conv2d(x, last, [STEP, 1], "VALID")

    folder.mkdir(parents=True)
    for name, function in zip(FILES, (bands, embed)):
        concrete = function.get_concrete_function()
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
        (folder / name).write_bytes(converter.convert())
    return folder

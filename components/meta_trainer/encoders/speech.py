"""Google's speech embedding on stock TensorFlow operations: recordings to 96 numbers.

A mel spectrogram, 32 bands every 10 ms, then a convolutional network that sees 76 frames (0.8 s)
and moves on by 8. Both are read from TensorFlow Lite files, which `pyopen-wakeword` carries.

Reference: Lin, Kilgour, Roblek, Sharifi 2020, "Training keyword spotters with limited and
synthesized speech data", arXiv 2002.01322, section 2.
"""

import hashlib
from pathlib import Path

import tensorflow as tf

from components.meta_trainer.encoders.tflite_graph import TfliteGraph
from components.modalities.rates import lengths

FILES = ("melspectrogram.tflite", "embedding_model.tflite")
RATE, HOP = 16000, 160
WINDOW, STEP = 76, 8  # frames
SILENCE = 48  # frames before and after a recording
LOUDEST = 20000.0  # of 16-bit samples


class SpeechEmbedding(tf.Module):
    """Recordings `[n, T]` float32 of `RATE`, zeros after their end -> `[n, depth]` float32."""

    def __init__(self, folder: Path):
        super().__init__()
        self._bands, self._embed = (TfliteGraph(folder / name) for name in FILES)
        self.depth = self._embed.depth

    def __call__(self, samples: tf.Tensor) -> tf.Tensor:
        ends = lengths(samples)
        # Loudness depends on the microphone, not on the word.
        loudest = tf.reduce_max(tf.pad(tf.abs(samples), [[0, 0], [0, 1]]), axis=1, keepdims=True)
        scaled = LOUDEST * tf.math.divide_no_nan(samples, loudest)
        vectors = self.windows(tf.pad(scaled, [[0, 0], [SILENCE * HOP, (SILENCE + STEP) * HOP]]))
        # The windows of a recording with silence around it; those of padding do not count.
        frames = (ends + HOP - 1) // HOP + 2 * SILENCE
        counts = (frames - WINDOW) // STEP + 1
        counted = tf.sequence_mask(counts, tf.shape(vectors)[1], tf.float32)
        return tf.einsum("nw,nwd->nd", counted, vectors) / tf.cast(counts, tf.float32)[:, None]

    def windows(self, samples: tf.Tensor) -> tf.Tensor:
        """Samples of 16 bits as float32 `[n, T]`, as the files take them, to `[n, W, depth]`."""
        bands = self._bands(samples)[:, 0] / 10.0 + 2.0
        return self._embed(bands[..., None])[:, :, 0]


def files_sha256(folder: Path) -> str:
    """The sha256 of both files, one after the other."""
    content = b"".join((folder / name).read_bytes() for name in FILES)
    return hashlib.sha256(content).hexdigest()

"""A small SavedModel with all the signatures: nearest class centroid on raw pixels.

It follows serving/saved_model/signatures.py as a real export does, in plain TensorFlow. `scale`
multiplies the squared distances, so that each version of a test answers with other probabilities.
"""

import io
import json
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from serving.saved_model import signatures as names

SIZE = 4  # images are uint8 [SIZE, SIZE, 1]


class NearestCentroid(tf.Module):
    def __init__(self, scale: float, none_threshold: float | None = None):
        super().__init__()
        self.none_threshold = none_threshold
        self.scale = tf.Variable(scale, dtype=tf.float32, name="scale")

    def adapt(self, support_x, support_y):
        support_x, support_y = _any_shape(support_x), _any_shape(support_y)
        checks = [
            _rank(support_x, 5, "support_x", "[E, S, 4, 4, 1]"),
            _rank(support_y, 2, "support_y", "[E, S]"),
            tf.debugging.assert_equal(
                tf.shape(support_x)[:2],
                tf.shape(support_y)[:2],
                "`support_y` must have the [E, S] of `support_x`.",
            ),
            tf.debugging.assert_greater_equal(
                support_y, -1, "`support_y` must lie in 0..N-1, or be -1 for padding."
            ),
            tf.debugging.assert_less(support_y, 50, "`support_y` must be less than 50."),
            tf.debugging.assert_greater_equal(
                tf.reduce_max(support_y, -1),
                0,
                "`support_x` must hold at least one example in every episode; it is empty.",
            ),
        ]
        with tf.control_dependencies(checks):
            support_x = tf.identity(support_x)
            one_hot = tf.one_hot(
                tf.ensure_shape(support_y, [None, None]), tf.reduce_max(support_y) + 1
            )  # [E, S, N]
        counts = tf.reduce_sum(one_hot, axis=1)  # [E, N]
        sums = tf.einsum("esn,esd->end", one_hot, _features(support_x))
        return {
            "adapted_centroids": tf.math.divide_no_nan(sums, counts[..., None]),
            "adapted_counts": counts,
        }

    def predict(self, adapted_centroids, adapted_counts, query_x):
        query_x = _any_shape(query_x)
        checks = [
            _rank(query_x, 5, "query_x", "[E, Q, 4, 4, 1]"),
            tf.debugging.assert_equal(
                tf.shape(query_x)[0],
                tf.shape(adapted_counts)[0],
                "`query_x` must have as many episodes as the support set.",
            ),
        ]
        with tf.control_dependencies(checks):
            queries = _features(tf.identity(query_x))
        distances = tf.reduce_sum(
            tf.square(queries[:, :, None] - adapted_centroids[:, None]), axis=-1
        )
        logits = tf.where(adapted_counts[:, None] > 0, -self.scale * distances, -np.inf)
        outputs = {
            names.PROBABILITIES: tf.nn.softmax(logits),
            names.PREDICTIONS: tf.argmax(logits, axis=-1, output_type=tf.int32),
        }
        if self.none_threshold is None:
            return outputs
        return outputs | {
            names.NONE_SCORE: 1.0 - tf.exp(tf.reduce_max(logits, axis=-1) / self.scale),
            names.NONE_THRESHOLD: tf.fill(tf.shape(logits)[:1], self.none_threshold),
        }

    def adapt_and_predict(self, support_x, support_y, query_x):
        return self.predict(**self.adapt(support_x, support_y), query_x=query_x)

    def encoded(self, support_x, support_labels, query_x):
        episodes = tf.shape(support_labels)[0]
        names_, indices = tf.unique(tf.reshape(support_labels, [-1]))
        outputs = self.adapt_and_predict(
            _decode(support_x), tf.reshape(indices, tf.shape(support_labels)), _decode(query_x)
        )
        return outputs | {
            names.CLASS_NAMES: tf.tile(names_[None], [episodes, 1]),
            names.PREDICTED_LABELS: tf.gather(names_, outputs[names.PREDICTIONS]),
        }


def export(path: Path, *, scale: float = 4.0, none_threshold: float | None = None) -> Path:
    """Writes the SavedModel to the version folder `path` and returns it.

    With a threshold it has the outputs for "none of these", as models of earlier versions have not.
    """
    model = NearestCentroid(scale, none_threshold)
    images = tf.TensorSpec([None, None, SIZE, SIZE, 1], tf.uint8)
    labels = tf.TensorSpec([None, None], tf.int32)
    strings = tf.TensorSpec([None, None], tf.string)
    functions = {
        names.ADAPT_AND_PREDICT: tf.function(model.adapt_and_predict).get_concrete_function(
            images, labels, images
        ),
        names.ENCODED: tf.function(model.encoded).get_concrete_function(strings, strings, strings),
        names.ADAPT: tf.function(model.adapt).get_concrete_function(images, labels),
        names.PREDICT: tf.function(model.predict).get_concrete_function(
            tf.TensorSpec([None, None, SIZE * SIZE], tf.float32),
            tf.TensorSpec([None, None], tf.float32),
            images,
        ),
    }
    tf.saved_model.save(model, str(path), signatures=functions)
    metadata = path / names.METADATA_FILE
    metadata.parent.mkdir(exist_ok=True)
    metadata.write_text(json.dumps({"modality": "image", "ways": 5}))
    return path


def episode(*, ways: int = 3, shots: int = 2, queries: int = 4, episodes: int = 1, seed: int = 0):
    """Random inputs of `serving_default`: every class once at least, in random order."""
    rng = np.random.default_rng(seed)
    image = (SIZE, SIZE, 1)
    labels = np.tile(np.arange(ways, dtype=np.int32), shots)
    return {
        names.SUPPORT_X: rng.integers(0, 256, (episodes, len(labels), *image), dtype=np.uint8),
        names.SUPPORT_Y: np.stack([rng.permutation(labels) for _ in range(episodes)]),
        names.QUERY_X: rng.integers(0, 256, (episodes, queries, *image), dtype=np.uint8),
    }


def expected(inputs, *, scale: float = 4.0) -> np.ndarray:
    """The probabilities `[E, Q, N]` by NumPy alone."""
    support = inputs[names.SUPPORT_X].reshape(*inputs[names.SUPPORT_Y].shape, -1) / 255.0
    queries = inputs[names.QUERY_X].reshape(*inputs[names.QUERY_X].shape[:2], -1) / 255.0
    ways = inputs[names.SUPPORT_Y].max() + 1
    answers = []
    for x, y, q in zip(support, inputs[names.SUPPORT_Y], queries):
        centroids = np.stack([x[y == n].mean(0) for n in range(ways)])
        logits = -scale * ((q[:, None] - centroids[None]) ** 2).sum(-1)
        weights = np.exp(logits - logits.max(-1, keepdims=True))
        answers.append(weights / weights.sum(-1, keepdims=True))
    return np.stack(answers)


def png(image: np.ndarray) -> bytes:
    """A file of one image."""
    file = io.BytesIO()
    Image.fromarray(image[..., 0]).save(file, format="png")
    return file.getvalue()


def _features(images):
    shape = tf.concat([tf.shape(images)[:2], [SIZE * SIZE]], 0)
    return tf.ensure_shape(
        tf.reshape(tf.cast(images, tf.float32) / 255.0, shape), [None, None, SIZE * SIZE]
    )


def _decode(encoded):
    def one(string):
        image = tf.io.decode_png(string, channels=1)
        return tf.ensure_shape(image, [SIZE, SIZE, 1])

    flat = tf.map_fn(one, tf.reshape(encoded, [-1]), fn_output_signature=tf.uint8)
    return tf.reshape(flat, tf.concat([tf.shape(encoded), [SIZE, SIZE, 1]], 0))


def _any_shape(tensor):
    """Hides the static shape, which the C++ session does not enforce, from the tracer's folding."""
    return tf.compat.v1.placeholder_with_default(tensor, shape=None)


def _rank(tensor, rank, name, shape):
    return tf.debugging.Assert(
        tf.equal(tf.rank(tensor), rank),
        [f"`{name}` must have shape {shape}; it came as", tf.shape(tensor)],
    )

"""Small SavedModels with the signatures of `serving.saved_model`, and some wrong in one way each.

The good model is nearest centroid on pixels: a softmax of negative squared distances.
"""

import json
import pathlib

import tensorflow as tf

from serving.saved_model import signatures
from serving.saved_model.graph_checks import (
    check_encoded_queries,
    check_label_names,
    check_queries,
    check_support,
)

WAYS, SIZE = 3, 8
SHAPE = (SIZE, SIZE, 1)
STEPS = 2


class SmallModel(tf.Module):
    """The good model; each of the others overrides one method or one word."""

    ways = WAYS
    checked = True
    protocol = "inductive"
    none_threshold: float | None = None

    def check(self, support_x, support_y, query_x):
        if not self.checked:
            return support_x, support_y, query_x
        support_x, support_y = check_support(
            support_x, support_y, example_shape=SHAPE, ways=self.ways
        )
        query_x = check_queries(query_x, tf.shape(support_x)[0], example_shape=SHAPE)
        return support_x, support_y, query_x

    def features(self, images):
        flat = tf.concat([tf.shape(images)[:2], [-1]], axis=0)
        return tf.reshape(tf.cast(images, tf.float32) / 255.0, flat)

    def members(self, support_y):
        return tf.one_hot(support_y, WAYS, axis=1)  # [E, N, S]; a label of -1 is nobody's

    def distances(self, support_x, support_y, query_x):
        member = self.members(support_y)
        size = tf.reduce_sum(member, axis=2)
        centroids = member @ self.features(support_x) / tf.maximum(size, 1.0)[..., tf.newaxis]
        query = self.features(query_x)
        far = tf.reduce_sum((query[:, :, tf.newaxis] - centroids[:, tf.newaxis]) ** 2, axis=-1)
        return tf.where(size[:, tf.newaxis] > 0, far, float("inf"))

    def probabilities(self, support_x, support_y, query_x):
        return tf.nn.softmax(-self.distances(support_x, support_y, query_x))

    def adapt_and_predict(self, support_x, support_y, query_x):
        probabilities = self.probabilities(*self.check(support_x, support_y, query_x))
        return {
            signatures.PROBABILITIES: probabilities,
            signatures.PREDICTIONS: tf.argmax(probabilities, axis=-1, output_type=tf.int32),
        }

    def adaptation_path(self, support_x, support_y, query_x):
        """From a guess that knows nothing to the answer, as inner steps would lead there."""
        final = self.probabilities(support_x, support_y, query_x)
        weights = [tf.cast(step / STEPS, tf.float32) for step in range(STEPS + 1)]
        path = [weight * final + (1.0 - weight) / WAYS for weight in weights]
        return {signatures.PROBABILITIES_PER_STEP: tf.stack(path, axis=1)}

    def encoded(self, support_x, support_labels, query_x):
        """The class names in the order of their first example; one episode a request."""
        if self.checked:
            support_x, support_labels = check_label_names(support_x, support_labels)
            query_x = check_encoded_queries(query_x, tf.shape(support_x)[0])
        names = tf.unique(tf.reshape(support_labels, [-1])).y
        names = tf.boolean_mask(names, names != "")
        same = support_labels[..., tf.newaxis] == names
        support_y = tf.where(
            support_labels == "", -1, tf.argmax(tf.cast(same, tf.int32), -1, output_type=tf.int32)
        )
        answer = self.adapt_and_predict(
            self.decode("support_x", support_x), support_y, self.decode("query_x", query_x)
        )
        episodes = tf.shape(support_x)[0]
        return answer | {
            signatures.CLASS_NAMES: tf.repeat(names[tf.newaxis], episodes, axis=0),
            signatures.PREDICTED_LABELS: tf.gather(names, answer[signatures.PREDICTIONS]),
        }

    def decode(self, name, files):
        readable = tf.strings.substr(files + "....", 1, 3) == "PNG"
        message = f"`{name}` must hold png images."
        with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(readable), [message])]):
            files = tf.identity(files)
        flat = tf.map_fn(
            lambda one: tf.io.decode_png(one, channels=1),
            tf.reshape(files, [-1]),
            fn_output_signature=tf.TensorSpec(SHAPE, tf.uint8),
        )
        return tf.reshape(flat, tf.concat([tf.shape(files), list(SHAPE)], axis=0))


class WithoutPath(SmallModel):
    adaptation_path = None


class TwoWays(SmallModel):
    ways = 2


class Unchecked(SmallModel):
    checked = False


class Transductive(SmallModel):
    """Normalises by the queries of the request."""

    protocol = "transductive"

    def features(self, images):
        plain = super().features(images)
        return plain - tf.reduce_mean(plain, axis=1, keepdims=True)


class Leaky(Transductive):
    """As transductive, and does not say so."""

    protocol = "inductive"


class NotANumber(SmallModel):
    def probabilities(self, *inputs):
        return super().probabilities(*inputs) * float("nan")


class Noisy(SmallModel):
    """Sees only the left half of an image."""

    def features(self, images):
        return super().features(images[:, :, :, : SIZE // 4])


class Unnormalised(SmallModel):
    def probabilities(self, *inputs):
        return super().probabilities(*inputs) * 0.5


class CountsPadding(SmallModel):
    def members(self, support_y):
        return tf.one_hot(tf.maximum(support_y, 0), WAYS, axis=1)


class MixesEpisodes(SmallModel):
    def probabilities(self, *inputs):
        own = super().probabilities(*inputs)
        return (own + tf.reduce_mean(own, axis=[0, 1])) / 2.0


class GuessesAbsentClasses(SmallModel):
    def probabilities(self, *inputs):
        return 0.9 * super().probabilities(*inputs) + 0.1 / WAYS


class ScoresNone(SmallModel):
    """Has the outputs for "none of these": the nearer the nearest centroid, the lower the score."""

    largest = 1.0
    none_threshold = 0.8

    def adapt_and_predict(self, support_x, support_y, query_x):
        inputs = self.check(support_x, support_y, query_x)
        answer = super().adapt_and_predict(*inputs)
        nearest = tf.reduce_min(self.distances(*inputs), axis=-1)
        return answer | {
            signatures.NONE_SCORE: self.largest * (1.0 - tf.exp(-nearest / 5.0)),
            signatures.NONE_THRESHOLD: tf.fill(tf.shape(support_x)[:1], 0.8),
        }


class ScoresNoneAbove1(ScoresNone):
    largest = 2.0


class RenamesOutputs(SmallModel):
    def adapt_and_predict(self, support_x, support_y, query_x):
        answer = super().adapt_and_predict(support_x, support_y, query_x)
        return {name.replace("ies", "y"): value for name, value in answer.items()}

    def encoded(self, support_x, support_labels, query_x):
        return {signatures.CLASS_NAMES: support_labels}


class SortsWrongly(SmallModel):
    def adapt_and_predict(self, support_x, support_y, query_x):
        answer = super().adapt_and_predict(support_x, support_y, query_x)
        least = tf.argmin(answer[signatures.PROBABILITIES], axis=-1, output_type=tf.int32)
        return answer | {signatures.PREDICTIONS: least}


class Crashes(SmallModel):
    def probabilities(self, *inputs):
        with tf.control_dependencies([tf.raw_ops.Abort(error_msg="broken")]):
            return tf.identity(super().probabilities(*inputs))


class Hangs(SmallModel):
    def probabilities(self, *inputs):
        never = tf.while_loop(lambda i: i >= 0, lambda i: [i * 1], [tf.reduce_max(inputs[1])])
        with tf.control_dependencies(never):
            return tf.identity(super().probabilities(*inputs))


class CallsPython(SmallModel):
    def probabilities(self, *inputs):
        return tf.numpy_function(lambda p: p, [super().probabilities(*inputs)], tf.float32)


def save(model: SmallModel, directory: str | pathlib.Path, *, encoded: bool = False) -> str:
    """Writes `directory/Format-Serving` (what a Model artifact holds) and returns the latter."""
    saved_model_dir = pathlib.Path(directory) / "Format-Serving"
    inputs = {
        "support_x": tf.TensorSpec([None, None, *SHAPE], tf.uint8, "support_x"),
        "support_y": tf.TensorSpec([None, None], tf.int32, "support_y"),
        "query_x": tf.TensorSpec([None, None, *SHAPE], tf.uint8, "query_x"),
    }
    offered = {signatures.ADAPT_AND_PREDICT: (model.adapt_and_predict, inputs)}
    if model.adaptation_path is not None:
        offered[signatures.PATH] = (model.adaptation_path, inputs)
    if encoded:
        strings = [
            tf.TensorSpec([None, None], tf.string, name)
            for name in ("support_x", "support_labels", "query_x")
        ]
        offered[signatures.ENCODED] = (model.encoded, {spec.name: spec for spec in strings})
    tf.saved_model.save(
        model,
        str(saved_model_dir),
        signatures={
            name: tf.function(method).get_concrete_function(**specs)
            for name, (method, specs) in offered.items()
        },
    )
    metadata = saved_model_dir / signatures.METADATA_FILE
    metadata.parent.mkdir(exist_ok=True)
    values = {
        "protocol": model.protocol,
        "ways": WAYS,
        "none_threshold": model.none_threshold,
    }
    metadata.write_text(json.dumps(values))
    return str(saved_model_dir)

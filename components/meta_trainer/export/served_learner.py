"""A trained learner behind the signatures of `serving.saved_model`.

Only stock TensorFlow operations, no Python function: the standard C++ session loads and runs it.
Shape letters: E episodes, S support examples, Q query examples, B either of them.
"""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from components.episodes.types import Support
from components.meta_trainer.build import Assembly
from components.meta_trainer.export.calibration import (
    UNCALIBRATED,
    Calibration,
    none_scores,
    none_thresholds,
)
from components.meta_trainer.export.features import FeatureFunction, why_no_features
from components.meta_trainer.export.label_names import label_indices
from components.meta_trainer.export.one_episode import for_one_or_many
from components.meta_trainer.export.phrase_list import PhraseList
from components.meta_trainer.export.pieces import in_pieces
from components.meta_trainer.types import Weights, by_joined_name, to_dicts
from components.tasks.retrieval import scores
from serving.saved_model import graph_checks
from serving.saved_model import signatures as sig

MAX_WAYS = 1000
"""Most classes of a request to a learner whose outputs are not fixed by training."""


class ServedLearner(tf.Module):
    """The weights as variables, and the signatures over them, for up to `max_ways` classes.

    Saved, it is a reusable SavedModel too: see `export.features`.
    """

    variables: Any = ()  # in place of tf.Module's properties, which a SavedModel does not keep
    trainable_variables: Any = ()

    def __init__(
        self,
        assembly: Assembly,
        weights: Weights,
        calibration: Calibration = UNCALIBRATED,
        statistics: Weights | None = None,
        phrases: PhraseList | None = None,
    ):
        super().__init__()
        self._phrases = phrases
        self._calibration = calibration
        self._learner, self._task = assembly.learner, assembly.task
        self._modality, self._spec = assembly.modality, assembly.modality.spec
        fixed = self._learner.traits.fixed_ways
        self.max_ways = self._learner.network.outputs if fixed else MAX_WAYS
        self._variables = _variables(to_dicts(weights))
        encoder = self._learner.network.backbone.encoder
        self._constants = () if encoder is None else encoder.constants
        self._no_features = why_no_features(assembly, weights, statistics)
        self._features: FeatureFunction | None = None
        if self._no_features is None:
            features = FeatureFunction(assembly, lambda: self._weights, statistics or {})
            self.trainable_variables = tf.nest.flatten(self._variables["body"])
            constants = [c for c in self._constants if isinstance(c, tf.Variable)]
            self.variables = [*self.trainable_variables, *constants]
            self.regularization_losses: list[Any] = []
            self.__call__ = features.traced()
            self._features = features
        # Traced once for one episode and once for any number, called by several signatures.
        self._adapt = tf.function(self._adapt_graph, autograph=False)
        self._predict = tf.function(self._predict_graph, autograph=False)
        self._decode_flat = tf.function(self._decode_graph, autograph=False)

    @property
    def _weights(self) -> dict[str, Any]:
        """Each weight, read once: what is computed from it twice, TensorFlow then computes once."""
        return tf.nest.map_structure(tf.convert_to_tensor, to_dicts(self._variables))

    @property
    def withheld(self) -> dict[str, str]:
        """The signatures that this model cannot offer, and why."""
        why = {sig.EMBED: self._no_features} if self._no_features else {}
        if self._learner.path is None:
            why[sig.PATH] = "this learner takes no inner steps"
        if self._spec.phrases:
            if self._phrases is None:
                why[sig.ENCODED] = "it was exported without a list of phrases"
        elif not self._task.classes:
            why[sig.ENCODED] = "its support set has float targets, not names of classes"
        elif self._modality.decode is None:
            why[sig.ENCODED] = f"a {self._spec.modality} has no encoded form"
        return why

    def signatures(self) -> dict[str, Any]:
        """The concrete functions by signature name."""
        example = [None, None, *self._spec.shape], tf.as_dtype(self._spec.dtype)
        support_x = tf.TensorSpec(*example, sig.SUPPORT_X)
        query_x = tf.TensorSpec(*example, sig.QUERY_X)
        label_shape = [None, None, *self._task.label_shape]
        support_y = tf.TensorSpec(label_shape, self._task.label_dtype, sig.SUPPORT_Y)
        names = (sig.SUPPORT_X, sig.SUPPORT_LABELS, sig.QUERY_X)
        strings = [tf.TensorSpec([None, None], tf.string, name) for name in names]
        nest: dict[str, Any] = {}  # the adapted weights, once `adapt` is traced

        def adapt(support_x: tf.Tensor, support_y: tf.Tensor) -> dict[str, tf.Tensor]:
            checked = self._check_support(support_x, support_y)
            nest.update(for_one_or_many(self._adapt, *checked))
            return {sig.ADAPTED_PREFIX + name: t for name, t in by_joined_name(nest).items()}

        def predict(query_x: tf.Tensor, *tensors: tf.Tensor) -> dict[str, tf.Tensor]:
            adapted = tf.nest.pack_sequence_as(nest, tensors)
            query_x = self._check_queries(query_x, adapted[sig.SUPPORT_Y])
            outputs = for_one_or_many(self._predict_all, query_x, adapted)
            return outputs | self._none_thresholds(query_x)

        adapt_function = _concrete(adapt, support_x, support_y)
        adapted = [
            tf.TensorSpec(t.shape, t.dtype, sig.ADAPTED_PREFIX + name)
            for name, t in by_joined_name(nest).items()
        ]
        functions = {
            sig.ADAPT_AND_PREDICT: _concrete(self._serving_default, support_x, support_y, query_x),
            sig.ADAPT: adapt_function,
            sig.PREDICT: _concrete(predict, query_x, *adapted),
        }
        if sig.ENCODED not in self.withheld:
            encoded = self._encoded_phrases if self._spec.phrases else self._encoded
            functions[sig.ENCODED] = _concrete(encoded, *strings)
        if self._spec.image_to_image and self._learner.network.backbone.any_size:
            functions[sig.ANY_SIZE] = _concrete(self._any_size, *self._any_size_specs())
        if sig.PATH not in self.withheld:
            functions[sig.PATH] = _concrete(self._path, support_x, support_y, query_x)
        if self._features is not None:
            functions[sig.EMBED] = self._features.signature()
        return functions | self._of_encoder(support_y)

    def _of_encoder(self, support_y: tf.TensorSpec) -> dict[str, Any]:
        """The signatures of a pretrained encoder: its features, and predictions from those."""
        encoder = self._learner.network.backbone.encoder
        frozen = encoder and encoder.frozen_features
        if encoder is None or frozen is None:
            return {}
        spec = tf.TensorSpec([None, *self._spec.shape], tf.as_dtype(self._spec.dtype), sig.EXAMPLES)
        encode = _concrete(lambda examples: {sig.FEATURES: frozen(examples)}, spec)
        shape = encode.structured_outputs[sig.FEATURES].shape[1:]
        over_features = self._over_features(support_y, shape) if encoder.costly else {}
        return {sig.ENCODE: encode, **over_features}

    def _over_features(self, support_y: tf.TensorSpec, shape: tf.TensorShape) -> dict[str, Any]:
        """The signature for features: each example is encoded once for any number of episodes."""

        def predict(support_x, support_y, query_x):
            check = self._task.check_support
            support_x, support_y = check(support_x, support_y, shape, self.max_ways)
            episodes = graph_checks.sizes(support_y, 1)[0]
            query_x = graph_checks.check_queries(query_x, episodes, example_shape=shape)
            adapted = self._adapt_features(support_x, support_y)
            outputs = self._predict_features(adapted, query_x)
            return outputs | none_thresholds(episodes, self._calibration)

        specs = [tf.TensorSpec([None, None, *shape], name=n) for n in (sig.SUPPORT_X, sig.QUERY_X)]
        return {sig.FROM_FEATURES: _concrete(predict, specs[0], support_y, specs[1])}

    def _adapt_graph(self, support_x: tf.Tensor, support_y: tf.Tensor) -> dict[str, tf.Tensor]:
        """The adapted weights, and the labels, from which classes without support are known."""
        return self._adapt_features(self._modality.prepare(support_x), support_y)

    def _adapt_features(self, x: tf.Tensor, support_y: tf.Tensor) -> dict[str, tf.Tensor]:
        support = Support(x, self._task.prepare_labels(support_y))
        adapted = self._learner.adapt(self._weights, support)
        return adapted | {sig.SUPPORT_Y: support_y}

    def _predict_graph(self, adapted: Weights, query_x: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._predict_features(adapted, self._modality.prepare(query_x))

    def _predict_features(self, adapted: Weights, x: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = self._calibrate(self._learner.predict(self._weights, adapted, x))
        support_y = adapted[sig.SUPPORT_Y]
        named = self._task.named_outputs(self._task.predict(outputs, support_y))
        return named | none_scores(outputs, support_y, self._calibration)

    def _calibrate(self, outputs: tf.Tensor) -> tf.Tensor:
        return outputs / self._calibration.temperature

    def _predict_all(self, query_x: tf.Tensor, adapted: Weights) -> dict[str, tf.Tensor]:
        """The predictions of queries `[E, Q, *example]`."""
        return self._in_pieces(lambda piece: self._predict(adapted, query_x[:, piece]), query_x)

    def _in_pieces(
        self, answer: Callable[[slice], dict[str, tf.Tensor]], query_x: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """The outputs of `answer`; the queries of a transductive learner stay together."""
        if not self._learner.inductive:
            return answer(slice(None))
        count = graph_checks.sizes(query_x, 2)[1]
        return in_pieces(lambda start, stop: answer(slice(start, stop)), count)

    def _none_thresholds(self, query_x: tf.Tensor) -> dict[str, tf.Tensor]:
        return none_thresholds(graph_checks.sizes(query_x, 1)[0], self._calibration)

    def _serving_default(self, support_x, support_y, query_x):
        support_x, support_y, query_x = self._check(support_x, support_y, query_x)

        def answer(support_y, support_x, query_x) -> dict[str, tf.Tensor]:
            return self._predict_all(query_x, self._adapt(support_x, support_y))

        outputs = for_one_or_many(answer, support_y, support_x, query_x)
        return outputs | self._none_thresholds(support_y)

    def _encoded(self, support_x, support_labels, query_x):
        support_x, support_labels = graph_checks.check_label_names(support_x, support_labels)
        query_x = graph_checks.check_encoded_queries(query_x, graph_checks.sizes(support_x, 1)[0])
        support_y, class_names, counts = label_indices(
            support_labels, self.max_ways if self._learner.traits.fixed_ways else None
        )
        checks = graph_checks.check_way_count(counts, self.max_ways)
        support_y = graph_checks.require(checks, support_y)

        support_x = self._decode(support_x, sig.SUPPORT_X)
        adapted = for_one_or_many(self._adapt, support_x, support_y)
        numbers = _numbers(query_x)

        def answer(piece: slice) -> dict[str, tf.Tensor]:
            # Decoded outside of the two graphs, or they would hold all of it twice.
            queries = self._decode(query_x[:, piece], sig.QUERY_X, numbers[:, piece])
            return for_one_or_many(lambda x, weights: self._predict(weights, x), queries, adapted)

        outputs = self._in_pieces(answer, query_x) | self._none_thresholds(query_x)
        labels = tf.gather(class_names, outputs[sig.PREDICTIONS], batch_dims=1)
        return outputs | {sig.CLASS_NAMES: class_names, sig.PREDICTED_LABELS: labels}

    def _any_size_specs(self) -> list[tf.TensorSpec]:
        shape, pixels = [None, None, None, None, self._spec.shape[-1]], self._spec.dtype
        dtypes = {sig.SUPPORT_X: pixels, sig.SUPPORT_Y: "float32", sig.QUERY_X: pixels}
        return [tf.TensorSpec(shape, dtype, name) for name, dtype in dtypes.items()]

    def _any_size(self, support_x, support_y, query_x):
        shape = [None, None, self._spec.shape[-1]]
        support_x, support_y = graph_checks.check_targets(
            support_x, support_y, example_shape=shape, target_shape=shape
        )
        support_y = graph_checks.require([graph_checks.same_shape(support_y, support_x)], support_y)
        episodes = graph_checks.sizes(support_y, 1)[0]
        query_x = graph_checks.check_queries(query_x, episodes, example_shape=shape)
        prepare, learner = self._modality.prepare, self._learner
        adapted = learner.adapt(self._weights, Support(prepare(support_x), support_y))

        def answer(start: tf.Tensor, stop: tf.Tensor) -> dict[str, tf.Tensor]:
            pictures = query_x[:, start:stop]
            outputs = learner.predict(self._weights, adapted, prepare(pictures))
            targets = tf.reshape(outputs, tf.shape(pictures))
            return {sig.TARGETS: tf.ensure_shape(targets, [None, None, *shape])}

        # One at a time: their features take a hundred times the memory of the pictures.
        return in_pieces(answer, graph_checks.sizes(query_x, 2)[1], size=1)

    def _encoded_phrases(self, support_x, support_labels, query_x):
        """The phrases of the list as classes, with the probability of each for each query."""
        support_x, support_labels = graph_checks.check_label_names(support_x, support_labels)
        query_x = graph_checks.check_encoded_queries(query_x, graph_checks.sizes(support_x, 1)[0])
        assert self._phrases is not None  # else the signature is withheld
        phrases = self._phrases.phrases()
        vectors = self._task.prepare_labels(phrases)
        adapted = self._adapt(self._decode(support_x, sig.SUPPORT_X), support_labels)
        numbers = _numbers(query_x)

        def answer(piece: slice) -> dict[str, tf.Tensor]:
            queries = self._decode(query_x[:, piece], sig.QUERY_X, numbers[:, piece])
            targets = self._predict(adapted, queries)[sig.TARGETS]
            probabilities = tf.nn.softmax(scores(targets, vectors))
            best = tf.argmax(probabilities, axis=-1, output_type=tf.int32)
            return {sig.PROBABILITIES: probabilities, sig.PREDICTIONS: best}

        outputs = self._in_pieces(answer, query_x)
        labels = tf.gather(phrases, outputs[sig.PREDICTIONS])
        names = tf.tile(phrases[None], [tf.shape(query_x)[0], 1])
        return outputs | {sig.CLASS_NAMES: names, sig.PREDICTED_LABELS: labels}

    def _path(self, support_x, support_y, query_x):
        support_x, support_y, query_x = self._check(support_x, support_y, query_x)
        y = self._task.prepare_labels(support_y)
        support = Support(self._modality.prepare(support_x), y)
        assert self._learner.path is not None
        query_x = self._modality.prepare(query_x)
        outputs = self._calibrate(self._learner.path(self._weights, support, query_x))
        # Steps and queries are one to the task, which predicts each row on its own.
        shape = tf.shape(outputs)
        rows = tf.reshape(outputs, tf.concat([shape[:1], [-1], shape[3:]], axis=0))
        predictions = self._task.predict(rows, support_y)
        per_step = tf.concat([shape[:3], tf.shape(predictions)[2:]], axis=0)
        return {self._task.path_prediction: tf.reshape(predictions, per_step)}

    def _check_support(self, support_x, support_y):
        return self._task.check_support(support_x, support_y, self._spec.shape, self.max_ways)

    def _check_queries(self, query_x, support):
        episodes = graph_checks.sizes(support, 1)[0]
        return graph_checks.check_queries(query_x, episodes, example_shape=self._spec.shape)

    def _check(self, support_x, support_y, query_x):
        support_x, support_y = self._check_support(support_x, support_y)
        return support_x, support_y, self._check_queries(query_x, support_x)

    def _decode(self, encoded: tf.Tensor, name: str, numbers: tf.Tensor | None = None) -> tf.Tensor:
        """`[E, B]` string to `[E, B, *example]`; `numbers` are those of `_numbers`."""
        numbers = _numbers(encoded) if numbers is None else numbers
        decoded = self._decode_flat(tf.reshape(encoded, [-1]), tf.reshape(numbers, [-1]), name)
        shape = tf.concat([tf.shape(encoded), tf.shape(decoded)[1:]], axis=0)
        return tf.ensure_shape(tf.reshape(decoded, shape), [None, None, *self._spec.shape])

    def _decode_graph(self, encoded: tf.Tensor, numbers: tf.Tensor, name: str) -> tf.Tensor:
        assert self._modality.decode is not None  # else the signature is withheld
        return self._modality.decode(encoded, name, numbers)


def _variables(weights: Weights, prefix: str = "") -> dict[str, Any]:
    """A variable for each weight, named as it is nested: `body/conv1_kernel`, ...

    The body alone is trainable: it is what features depend on.
    """
    return {
        name: _variables(value, f"{prefix}{name}/")
        if isinstance(value, Mapping)
        else tf.Variable(value, trainable=prefix.startswith("body/"), name=prefix + name)
        for name, value in weights.items()
    }


def _numbers(encoded: tf.Tensor) -> tf.Tensor:
    """The place of each example of `[E, B]` among all of them, from 0, for errors: `[E, B]`."""
    return tf.reshape(tf.range(tf.size(encoded)), tf.shape(encoded))


def _concrete(function: Any, *specs: tf.TensorSpec) -> Any:
    return tf.function(function, autograph=False).get_concrete_function(*specs)

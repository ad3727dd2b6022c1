"""The SavedModel that adapts: a trained learner behind the signatures of `serving.saved_model`.

Only stock TensorFlow operations, no Python function: the standard C++ session loads and runs it.
"""

import os
from typing import Any

import tensorflow as tf

from components.episodes.types import Support
from components.meta_trainer.build import Assembly
from components.meta_trainer.export.label_names import label_indices
from components.meta_trainer.types import Weights
from serving import atomic
from serving.saved_model import graph_checks
from serving.saved_model import signatures as sig

MAX_WAYS = 1000
"""Most classes of a request to a learner whose outputs are not fixed by training."""


def export(assembly: Assembly, weights: Weights, directory: str, about: dict[str, Any]) -> None:
    """Writes the SavedModel to `directory`, which must not exist; it appears there whole.

    Args:
      assembly: the learner and its modality.
      weights: meta-learned.
      directory: of the SavedModel.
      about: joins what `fewshot_model.json` says of the model.
    """
    module = ServedLearner(assembly, weights)
    # Nobody differentiates an exported model; tracing gradients of gradients would take minutes.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    with atomic.replacement(directory) as temporary:
        tf.saved_model.save(module, temporary, signatures=module.signatures(), options=options)
        metadata = os.path.join(temporary, sig.METADATA_FILE)
        atomic.write_json(metadata, module.metadata() | about)


class ServedLearner(tf.Module):
    """The meta-learned weights as variables, and the signatures over them."""

    def __init__(self, assembly: Assembly, weights: Weights):
        super().__init__()
        self._assembly = assembly
        self._learner = assembly.learner
        self._ways = self._learner.network.outputs if self._learner.fixed_ways else MAX_WAYS
        self._weights = {
            name: tf.Variable(w, trainable=False, name=name) for name, w in weights.items()
        }
        # Traced once, called by several signatures.
        self._adapt = tf.function(self._adapt_graph, autograph=False)
        self._predict = tf.function(self._predict_graph, autograph=False)

    def signatures(self) -> dict[str, Any]:
        """The concrete functions by signature name."""
        spec = self._assembly.modality.spec
        dtype = tf.string if spec.dtype == "string" else tf.as_dtype(spec.dtype)
        support_x = tf.TensorSpec([None, None, *spec.shape], dtype, sig.SUPPORT_X)
        query_x = tf.TensorSpec([None, None, *spec.shape], dtype, sig.QUERY_X)
        support_y = (
            tf.TensorSpec([None, None, *(spec.target_shape or ())], tf.float32, sig.SUPPORT_Y)
            if spec.regression
            else tf.TensorSpec([None, None], tf.int32, sig.SUPPORT_Y)
        )
        strings = [
            tf.TensorSpec([None, None], tf.string, name)
            for name in (sig.SUPPORT_X, sig.SUPPORT_LABELS, sig.QUERY_X)
        ]
        adapt = _concrete(self._adapt_signature, support_x, support_y)
        adapted = {
            name: tf.TensorSpec(t.shape, t.dtype, name)
            for name, t in adapt.structured_outputs.items()
        }

        def predict(query_x: tf.Tensor, *tensors: tf.Tensor) -> dict[str, tf.Tensor]:
            return self._predict_signature(query_x, dict(zip(adapted, tensors)))

        functions = {
            sig.ADAPT_AND_PREDICT: _concrete(self._serving_default, support_x, support_y, query_x),
            sig.ADAPT: adapt,
            sig.PREDICT: _concrete(predict, query_x, *adapted.values()),
        }
        withheld = self._withheld()
        if sig.ENCODED not in withheld:
            functions[sig.ENCODED] = _concrete(self._encoded, *strings)
        if sig.PATH not in withheld:
            functions[sig.PATH] = _concrete(self._path, support_x, support_y, query_x)
        return functions

    def _withheld(self) -> dict[str, str]:
        """The signatures that this model cannot offer, and why."""
        spec, why = self._assembly.modality.spec, {}
        if self._learner.path is None:
            why[sig.PATH] = "this learner takes no inner steps"
        if spec.regression:
            why[sig.ENCODED] = "its support set has float targets, not names of classes"
        elif self._assembly.modality.decode is None:
            why[sig.ENCODED] = f"a {spec.modality} has no encoded form"
        return why

    def metadata(self) -> dict[str, Any]:
        """What `fewshot_model.json` says: how the model may be used."""
        spec = self._assembly.modality.spec
        learner = self._learner
        ways = {} if spec.regression else {"ways": learner.network.outputs, "max_ways": self._ways}
        return {
            "learner": self._assembly.learner_name,
            "example_spec": spec.to_json(),
            **ways,
            "protocol": "inductive" if self._assembly.inductive else "transductive",
            "serves": learner.serves._asdict(),
            "order_matters": learner.order_matters,
            "task": self._assembly.task.name,
            "withheld_signatures": self._withheld(),
        }

    def _answer(self, outputs: tf.Tensor, support_y: tf.Tensor) -> dict[str, tf.Tensor]:
        answer = self._assembly.task.answer(outputs, support_y)
        if self._assembly.modality.spec.regression:
            return {sig.TARGETS: answer}
        predictions = tf.argmax(answer, axis=-1, output_type=tf.int32)
        return {sig.PROBABILITIES: answer, sig.PREDICTIONS: predictions}

    def _adapt_graph(self, support_x: tf.Tensor, support_y: tf.Tensor) -> dict[str, tf.Tensor]:
        """The adapted weights, and the labels, from which classes without support are known."""
        x = self._assembly.modality.prepare(support_x)
        adapted = self._learner.adapt(self._weights, Support(x, support_y))
        return adapted | {"support_y": support_y}

    def _predict_graph(self, adapted: Weights, query_x: tf.Tensor) -> dict[str, tf.Tensor]:
        x = self._assembly.modality.prepare(query_x)
        outputs = self._learner.predict(self._weights, adapted, x)
        return self._answer(outputs, adapted["support_y"])

    def _serving_default(self, support_x, support_y, query_x):
        support_x, support_y, query_x = self._checked(support_x, support_y, query_x)
        return self._predict(self._adapt(support_x, support_y), query_x)

    def _encoded(self, support_x, support_labels, query_x):
        support_x, support_labels = graph_checks.check_label_names(support_x, support_labels)
        query_x = graph_checks.check_encoded_queries(query_x, graph_checks.sizes(support_x, 1)[0])
        support_y, class_names, counts = label_indices(
            support_labels, self._ways if self._learner.fixed_ways else None
        )
        checks = graph_checks.check_way_count(counts, self._ways)
        support_y = graph_checks.require(checks, support_y)
        adapted = self._adapt(self._decode(support_x, sig.SUPPORT_X), support_y)
        answer = self._predict(adapted, self._decode(query_x, sig.QUERY_X))
        labels = tf.gather(class_names, answer[sig.PREDICTIONS], batch_dims=1)
        return answer | {sig.CLASS_NAMES: class_names, sig.PREDICTED_LABELS: labels}

    def _adapt_signature(self, support_x, support_y):
        support_x, support_y = self._check_support(support_x, support_y)
        adapted = self._adapt(support_x, support_y)
        return {sig.ADAPTED_PREFIX + name: tensor for name, tensor in adapted.items()}

    def _predict_signature(self, query_x, adapted):
        named = {name.removeprefix(sig.ADAPTED_PREFIX): t for name, t in adapted.items()}
        query_x = graph_checks.check_queries(
            query_x, graph_checks.sizes(named["support_y"], 1)[0], example_shape=self._example_shape
        )
        return self._predict(named, query_x)

    def _path(self, support_x, support_y, query_x):
        support_x, support_y, query_x = self._checked(support_x, support_y, query_x)
        prepare = self._assembly.modality.prepare
        support = Support(prepare(support_x), support_y)
        assert self._learner.path is not None
        outputs = self._learner.path(self._weights, support, prepare(query_x))
        # Steps and queries are one to the task, which answers each row on its own.
        shape = tf.shape(outputs)
        rows = tf.reshape(outputs, tf.concat([shape[:1], [-1], shape[3:]], axis=0))
        answers = self._assembly.task.answer(rows, support_y)
        per_step = tf.reshape(answers, tf.concat([shape[:3], tf.shape(answers)[2:]], axis=0))
        regression = self._assembly.modality.spec.regression
        return {sig.TARGETS_PER_STEP if regression else sig.PROBABILITIES_PER_STEP: per_step}

    @property
    def _example_shape(self) -> tuple[int | None, ...]:
        return self._assembly.modality.spec.shape

    def _check_support(self, support_x, support_y):
        target_shape = self._assembly.modality.spec.target_shape
        if target_shape is not None:
            return graph_checks.check_targets(
                support_x, support_y, example_shape=self._example_shape, target_shape=target_shape
            )
        return graph_checks.check_support(
            support_x, support_y, example_shape=self._example_shape, ways=self._ways
        )

    def _checked(self, support_x, support_y, query_x):
        support_x, support_y = self._check_support(support_x, support_y)
        query_x = graph_checks.check_queries(
            query_x, graph_checks.sizes(support_x, 1)[0], example_shape=self._example_shape
        )
        return support_x, support_y, query_x

    def _decode(self, encoded: tf.Tensor, name: str) -> tf.Tensor:
        """`[E, B]` string to `[E, B, *example]`."""
        decode = self._assembly.modality.decode
        assert decode is not None  # else the signature is withheld
        decoded = decode(tf.reshape(encoded, [-1]), name)
        shape = tf.concat([tf.shape(encoded), tf.shape(decoded)[1:]], axis=0)
        decoded = tf.reshape(decoded, shape)
        return tf.ensure_shape(decoded, [None, None, *self._example_shape])


def _concrete(function: Any, *specs: tf.TensorSpec) -> Any:
    return tf.function(function, autograph=False).get_concrete_function(*specs)

"""The features of a trained network, by themselves: for a vector index, a plot, another model.

    f(x) = backbone(prepare(x); theta, mu)

theta are the meta-learned weights, before any adaptation. Where the network normalises by the
moments of a support set, mu are their means over meta-validation's support sets, as batch
normalisation uses moving averages when it serves; so f depends on no other example.

With this an export is a reusable SavedModel: callable, with `variables`, `trainable_variables` and
`regularization_losses`, as hub.KerasLayer and others expect
(https://www.tensorflow.org/hub/reusable_saved_models).
"""

from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf

from components.episodes.types import Episodes
from components.meta_trainer.build import Assembly
from components.meta_trainer.types import Weights
from serving.saved_model import signatures as sig


def mean_statistics(
    assembly: Assembly, weights: Weights, validation: Iterable[Episodes]
) -> dict[str, tf.Tensor]:
    """The mean of the statistics of episodes' support sets, by name; none for most networks."""

    @tf.function(reduce_retracing=True, autograph=False)
    def of_supports(x: tf.Tensor, y: tf.Tensor) -> Weights:
        mask = assembly.task.mask(assembly.task.prepare_labels(y))
        return assembly.learner.network.features(weights, assembly.modality.prepare(x), mask)[1]

    stacks: list[Weights] = []
    for stack in validation:
        stacks.append(of_supports(stack.support_x, stack.support_y))
        if not stacks[0]:
            return {}
    joined = {name: tf.concat([s[name] for s in stacks], axis=0) for name in stacks[0]}
    # Of each episode a number (the size of its support set), or one for each channel.
    return {n: tf.reduce_mean(v, axis=0, keepdims=v.shape.rank == 1) for n, v in joined.items()}


def why_no_features(assembly: Assembly, weights: Weights, statistics: Weights | None) -> str | None:
    """Why a model has no features of an example by itself; `None` if it has."""
    network = assembly.learner.network
    if not network.backbone.inductive:
        return "its features of an example depend on other examples"
    if statistics is not None:
        return None
    computed = tf.function(lambda x: network.features(weights, x[None])[1], autograph=False)
    if computed.get_concrete_function(_prepared(assembly)).structured_outputs:
        return "its network normalises by a support set, and it was exported without any"
    return None


class FeatureFunction:
    """The features `[n, ..., D]` of examples `[n, ...]`, as they are or prepared."""

    def __init__(self, assembly: Assembly, weights: Callable[[], Weights], statistics: Weights):
        self._network, self._prepare = assembly.learner.network, assembly.modality.prepare
        self._weights, self._statistics = weights, statistics
        self._raw, self._prepared = _raw(assembly), _prepared(assembly)

    def traced(self) -> Any:
        """A `tf.function` of `inputs`, traced for both forms of examples."""
        call = tf.function(self._of_any, autograph=False)
        for spec in (self._raw, self._prepared):
            call.get_concrete_function(tf.TensorSpec(spec.shape, spec.dtype, "inputs"))
        return call

    def signature(self) -> Any:
        """The concrete function of the signature `embed`."""

        def embed(examples: tf.Tensor) -> dict[str, tf.Tensor]:
            return {sig.FEATURES: self._of_any(examples)}

        return tf.function(embed, autograph=False).get_concrete_function(self._raw)

    def _of_any(self, inputs: tf.Tensor) -> tf.Tensor:
        raw = self._raw.is_compatible_with(tf.TensorSpec.from_tensor(inputs))
        x = self._prepare(inputs) if raw else inputs
        features, _ = self._network.features(self._weights(), x[None], None, self._statistics)
        return features[0]


def _raw(assembly: Assembly) -> tf.TensorSpec:
    spec = assembly.modality.spec
    return tf.TensorSpec([None, *spec.shape], tf.as_dtype(spec.dtype), sig.EXAMPLES)


def _prepared(assembly: Assembly) -> tf.TensorSpec:
    prepare = tf.function(assembly.modality.prepare, autograph=False)
    (prepared,) = prepare.get_concrete_function(_raw(assembly)).outputs
    return tf.TensorSpec(prepared.shape, prepared.dtype)

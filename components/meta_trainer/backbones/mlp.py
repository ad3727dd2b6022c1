"""A multi-layer perceptron, the network of the MAML paper's regression (two layers of 40).

References:
  Finn, Abbeel, Levine 2017, "Model-Agnostic Meta-Learning", arXiv 1703.03400, section 5.1.
"""

import itertools
import math

import tensorflow as tf

from components.meta_trainer.backbones.base import Backbone, glorot
from components.meta_trainer.kernels import dense
from components.meta_trainer.types import Weights
from components.options import options_class


@options_class
class MlpOptions:
    """Options of `mlp`."""

    sizes: tuple[int, ...] = (40, 40)
    """Units of each hidden layer, followed by a ReLU."""


def mlp(options: MlpOptions, feature_shape: tuple[int, ...]) -> Backbone:
    """Layers of [dense, ReLU] on the flattened example, whose shape may be any."""
    sizes = [math.prod(feature_shape), *options.sizes]
    layers = [f"dense{i + 1}" for i in range(len(options.sizes))]

    def init(seed: int) -> Weights:
        weights: dict[str, tf.Tensor] = {}
        for layer, shape in zip(layers, itertools.pairwise(sizes)):
            weights[f"{layer}_kernel"] = glorot(seed, f"{layer}_kernel", shape)
            weights[f"{layer}_bias"] = tf.zeros([shape[1]])
        return weights

    def features(weights: Weights, x: tf.Tensor, mask, statistics=None):
        del mask, statistics  # nothing is normalised: every example stands alone
        x = tf.reshape(x, tf.concat([tf.shape(x)[:2], [sizes[0]]], axis=0))
        for layer in layers:
            kernel, bias = weights[f"{layer}_kernel"], weights[f"{layer}_bias"]
            x = tf.nn.relu(dense.task_dense(x, kernel, bias))
        return x, {}

    return Backbone(init, features, sizes[-1])

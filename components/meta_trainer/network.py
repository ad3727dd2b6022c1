"""A network: a backbone and a linear head, both as functions of explicit weights."""

from typing import Any, NamedTuple

import tensorflow as tf

from components.meta_trainer.backbones.base import Backbone, glorot
from components.meta_trainer.kernels import dense
from components.meta_trainer.types import Weights


class Network(NamedTuple):
    """A backbone, which gives features `[E, B, ..., D]`, and a linear head over them.

    The head has N `outputs`: the ways of a classifier or the size of a regression target (at each
    position, where the backbone keeps positions).
    """

    backbone: Backbone
    outputs: int

    def init(self, seed: int) -> dict[str, Any]:
        """Shared by all episodes: `{"body": {...}, "head": {"kernel": [D, N], "bias": [N]}}`."""
        kernel = glorot(seed, "head_kernel", [self.backbone.feature_size, self.outputs])
        head = {"kernel": kernel, "bias": tf.zeros([self.outputs])}
        return {"body": dict(self.backbone.init(seed)), "head": head}

    def features(self, weights: Weights, x: tf.Tensor, mask=None, statistics=None):
        """The backbone's features `[E, B, ..., D]` and statistics; see `Backbone.features`."""
        return self.backbone.features(weights["body"], x, mask, statistics)

    def forward(self, weights: Weights, x: tf.Tensor, mask=None, statistics=None):
        """Outputs `[E, B, ..., N]` and the statistics of normalisation; see `Backbone.features`."""
        features, statistics = self.features(weights, x, mask, statistics)
        return head_outputs(weights["head"], features), statistics


def head_outputs(head: Weights, features: tf.Tensor) -> tf.Tensor:
    """The linear head: `[E, B, ...positions, D]` -> `[E, B, ...positions, N]`.

    Its `kernel` and `bias` are shared, `[D, N]` and `[N]`, or `[E, D, N]` and `[E, N]`.
    """
    if features.shape.rank == 3:
        return dense.task_dense(features, head["kernel"], head["bias"])
    rows = tf.reshape(features, [tf.shape(features)[0], -1, features.shape[-1]])
    outputs = dense.task_dense(rows, head["kernel"], head["bias"])
    return tf.reshape(outputs, tf.concat([tf.shape(features)[:-1], outputs.shape[-1:]], axis=0))

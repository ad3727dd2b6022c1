"""A network: a backbone and a linear head, both as functions of explicit weights."""

from typing import NamedTuple

import tensorflow as tf

from components.meta_trainer.backbones.base import Backbone, glorot
from components.meta_trainer.kernels import dense
from components.meta_trainer.types import Weights, merge

HEAD = ("head_kernel", "head_bias")


class Network(NamedTuple):
    """`outputs` is N: the ways of a classifier, or the size of a regression target (at each
    position, where the backbone keeps positions)."""

    backbone: Backbone
    outputs: int

    def init(self, seed: int) -> dict[str, tf.Tensor]:
        """Weights shared by all episodes: the backbone's, `head_kernel` `[D, N]`, `head_bias`."""
        shape = [self.backbone.feature_size, self.outputs]
        head = {
            "head_kernel": glorot(seed, "head_kernel", shape),
            "head_bias": tf.zeros([self.outputs]),
        }
        return merge(self.backbone.init(seed), head)

    def names(self) -> frozenset[str]:
        """The names of its weights."""
        return frozenset(self.init(0))

    def features(
        self, weights: Weights, x: tf.Tensor, mask: tf.Tensor, statistics: Weights | None = None
    ) -> tuple[tf.Tensor, Weights]:
        """The backbone's features `[E, B, ..., D]` and statistics; see `Backbone.features`."""
        return self.backbone.features(weights, x, mask, statistics)

    def forward(
        self, weights: Weights, x: tf.Tensor, mask: tf.Tensor, statistics: Weights | None = None
    ) -> tuple[tf.Tensor, Weights]:
        """Outputs `[E, B, ..., N]` and the statistics of normalisation; see `Backbone.features`."""
        features, statistics = self.features(weights, x, mask, statistics)
        return head(weights, features), statistics


def head(weights: Weights, features: tf.Tensor) -> tf.Tensor:
    """`[E, B, ...positions, D]` -> `[E, B, ...positions, N]`."""
    kernel, bias = weights["head_kernel"], weights["head_bias"]
    if features.shape.rank == 3:
        return dense.task_dense(features, kernel, bias)
    rows = tf.reshape(features, [tf.shape(features)[0], -1, features.shape[-1]])
    outputs = dense.task_dense(rows, kernel, bias)
    return tf.reshape(outputs, tf.concat([tf.shape(features)[:-1], outputs.shape[-1:]], axis=0))

"""A network: a backbone and a linear head, both as functions of explicit weights."""

from typing import Any, Literal, NamedTuple

import tensorflow as tf

from components.meta_trainer.backbones.base import Backbone, glorot
from components.meta_trainer.kernels import dense
from components.meta_trainer.types import Weights

HeadKind = Literal["sorted", "numbered", "zero"]
"""Where the head starts in each episode: with meta-learned weights for each class number, which the
classes get by their content (sorted) or from the caller (numbered), or at zero for every class."""


class Network(NamedTuple):
    """A backbone, which gives features `[E, B, ..., D]`, and a linear head over them.

    The head has N `outputs`: the ways of a classifier or the size of a regression target (at each
    position, where the backbone keeps positions). A head that starts at zero has no weights to
    meta-learn, and takes any N.
    """

    backbone: Backbone
    outputs: int
    head: HeadKind = "numbered"

    @property
    def fixed_ways(self) -> bool:
        """Whether training fixes N."""
        return self.head != "zero"

    def init(self, seed: int) -> dict[str, Any]:
        """Shared by all episodes: `{"body": {...}, "head": {"kernel": [D, N], "bias": [N]}}`.

        There is no head if it starts at zero.
        """
        weights: dict[str, Any] = {"body": dict(self.backbone.init(seed))}
        if not self.fixed_ways:
            return weights
        kernel = glorot(seed, "head_kernel", [self.backbone.feature_size, self.outputs])
        return weights | {"head": {"kernel": kernel, "bias": tf.zeros([self.outputs])}}

    def with_head(self, weights: Weights, ways: int | tf.Tensor | None) -> dict[str, Any]:
        """The weights, with a head of `ways` classes to adapt from where none is meta-learned."""
        if self.fixed_ways:
            return dict(weights)
        dtype = next((w.dtype for w in tf.nest.flatten(weights["body"])), tf.float32)
        kernel = tf.zeros([self.backbone.feature_size, ways], dtype)
        return dict(weights) | {"head": {"kernel": kernel, "bias": tf.zeros([ways], dtype)}}

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

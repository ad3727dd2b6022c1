"""A network: a backbone and a linear head, both as functions of explicit weights."""

from typing import Any, Literal, NamedTuple

import tensorflow as tf

from components.meta_trainer.backbones.base import Backbone, glorot
from components.meta_trainer.kernels import dense
from components.meta_trainer.types import Weights

HeadKind = Literal["prototypes", "numbered"]
"""Where the head starts in each episode: at the prototypes of the classes (`learners/heads.py`), or
with meta-learned weights for each class number."""
FIRST_SCALE = 4.0
"""Where the meta-learned scale of a head that starts at prototypes begins: 1 and 10 were worse."""


class Network(NamedTuple):
    """A backbone, which gives features `[E, B, ..., D]`, and a linear head over them.

    The head has N `outputs`: the ways of a classifier or the size of a regression target (at each
    position, where the backbone keeps positions). One that starts at prototypes takes any N.
    """

    backbone: Backbone
    outputs: int
    head: HeadKind = "numbered"

    @property
    def fixed_ways(self) -> bool:
        """Whether training fixes N."""
        return self.head == "numbered"

    def init(self, seed: int) -> dict[str, Any]:
        """Shared by all episodes: `{"body": {...}, "head": {"kernel": [D, N], "bias": [N]}}`.

        Of a head that starts at prototypes, `log_scale` alone is learned.
        """
        body = dict(self.backbone.init(seed))
        if not self.fixed_ways:
            return {"body": body, "head": {"log_scale": tf.math.log(FIRST_SCALE)}}
        depth = self.backbone.feature_size - self.backbone.copied
        kernel = glorot(seed, "head_kernel", [depth, self.outputs])
        head = {"kernel": kernel, "bias": tf.zeros([self.outputs])}
        if self.backbone.copied:
            head["log_copy"] = tf.constant(0.0)
        return {"body": body, "head": head}

    def features(self, weights: Weights, x: tf.Tensor, mask=None, statistics=None):
        """The backbone's features `[E, B, ..., D]` and statistics; see `Backbone.features`."""
        return self.backbone.features(weights["body"], x, mask, statistics)

    def forward(self, weights: Weights, x: tf.Tensor, mask=None, statistics=None):
        """Outputs `[E, B, ..., N]` and the statistics of normalisation; see `Backbone.features`."""
        features, statistics = self.features(weights, x, mask, statistics)
        return head_outputs(weights["head"], features), statistics


def head_outputs(head: Weights, features: tf.Tensor) -> tf.Tensor:
    """The linear head: `[E, B, ...positions, D]` -> `[E, B, ...positions, N]`.

    Its `kernel` and `bias` are shared, `[D, N]` and `[N]`, or `[E, D, N]` and `[E, N]`. With
    `log_copy`, `[]` or `[E]`, the last N features are added: see `Backbone.copied`.
    """
    if "log_copy" in head:
        depth = head["kernel"].shape[-2]
        factor = tf.reshape(tf.exp(head["log_copy"]), [-1, 1, 1])
        outputs = dense.task_dense(features[..., :depth], head["kernel"], head["bias"])
        return outputs + factor * features[..., depth:]
    if features.shape.rank == 3:
        return dense.task_dense(features, head["kernel"], head["bias"])
    rows = tf.reshape(features, [tf.shape(features)[0], -1, features.shape[-1]])
    outputs = dense.task_dense(rows, head["kernel"], head["bias"])
    return tf.reshape(outputs, tf.concat([tf.shape(features)[:-1], outputs.shape[-1:]], axis=0))

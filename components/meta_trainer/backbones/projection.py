"""A linear map of frozen features, meta-learned and adapted."""

import tensorflow as tf

from components.meta_trainer.kernels import dense
from components.meta_trainer.types import Weights

PROJECTION = "projection"


def projection(depth: int, size: int) -> dict[str, tf.Tensor]:
    """The map `[depth, size]` as a weight: at first the identity; none for `size` 0."""
    return {PROJECTION: tf.eye(depth, size)} if size else {}


def project(weights: Weights, x: tf.Tensor) -> tf.Tensor:
    """Features `[E, B, depth]` to `[E, B, size]`, or as they are where there is no map."""
    if PROJECTION not in weights:
        return x
    return dense.pointwise(x, weights[PROJECTION])

"""A linear map of frozen features, meta-learned and adapted."""

import numpy as np
import tensorflow as tf

from components.meta_trainer.backbones.base import generator
from components.meta_trainer.kernels import dense
from components.meta_trainer.types import Weights

PROJECTION = "projection"


def projection(depth: int, size: int) -> dict[str, tf.Tensor]:
    """The map `[depth, size]` as a weight; none for `size` 0.

    At first it is the identity; to fewer numbers, a fixed random map that keeps lengths and
    distances on the whole (Johnson and Lindenstrauss 1984), so that no number of a feature is lost.
    """
    if not size or size >= depth:
        return {PROJECTION: tf.eye(depth, size)} if size else {}
    columns, _ = np.linalg.qr(generator(0, PROJECTION).normal(size=(depth, size)))
    return {PROJECTION: tf.constant(columns * (depth / size) ** 0.5, tf.float32)}


def project(weights: Weights, x: tf.Tensor) -> tf.Tensor:
    """Features `[E, B, depth]` to `[E, B, size]`, or as they are where there is no map."""
    if PROJECTION not in weights:
        return x
    return dense.pointwise(x, weights[PROJECTION])

"""The weights that learners, backbones and the training loop pass to one another; E episodes."""

from collections.abc import Mapping

import tensorflow as tf

Weights = Mapping[str, tf.Tensor]
"""Tensors by name. Meta-learned weights are shared by all episodes; adapted ones are `[E, ...]`."""


def stack_for_episodes(weights: Weights, episodes: tf.Tensor | int) -> dict[str, tf.Tensor]:
    """A copy of shared weights for each episode: every tensor `[...]` becomes `[E, ...]`."""
    return {
        name: tf.tile(w[None], tf.concat([[episodes], tf.ones([w.shape.rank], tf.int32)], axis=0))
        for name, w in weights.items()
    }


def merge(*weights: Weights) -> dict[str, tf.Tensor]:
    """One mapping of all; where a name stands in several, the last counts."""
    return {name: tensor for one in weights for name, tensor in one.items()}

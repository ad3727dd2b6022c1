"""The nouns that learners, backbones and the training loop share.

Shape letters: E episodes, S support examples, Q query examples, B either of these, N ways.
"""

from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf

Weights = Mapping[str, tf.Tensor]
"""Tensors by name. Meta-learned weights are shared by all episodes; adapted ones are `[E, ...]`."""


class Support(NamedTuple):
    """The labelled examples that a learner adapts to.

    Attributes:
      x: `[E, S, ...features]`, prepared by the modality.
      y: `[E, S]` int32, -1 for padding; or float targets `[E, S, ...target]`.
    """

    x: tf.Tensor
    y: tf.Tensor


class Episodes(NamedTuple):
    """Several episodes, stacked: support `[E, S, ...]` and query `[E, Q, ...]`."""

    support_x: tf.Tensor
    support_y: tf.Tensor
    query_x: tf.Tensor
    query_y: tf.Tensor

    @property
    def support(self) -> Support:
        """The support sets."""
        return Support(self.support_x, self.support_y)


def stack_for_episodes(weights: Weights, episodes: tf.Tensor | int) -> dict[str, tf.Tensor]:
    """A copy of shared weights for each episode: every tensor `[...]` becomes `[E, ...]`."""
    return {
        name: tf.tile(w[None], tf.concat([[episodes], tf.ones([w.shape.rank], tf.int32)], axis=0))
        for name, w in weights.items()
    }


def merge(*weights: Weights) -> dict[str, tf.Tensor]:
    """One mapping of all; where a name stands in several, the last counts."""
    return {name: tensor for one in weights for name, tensor in one.items()}

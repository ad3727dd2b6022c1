"""Several episodes as stacked tensors, from reading them to training, predicting and scoring.

Shape letters: E episodes, S support examples, Q query examples, N ways.
"""

from typing import NamedTuple

import tensorflow as tf


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

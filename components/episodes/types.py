"""Several episodes as stacked tensors, for training, prediction and scoring.

Shape letters: E episodes, S support examples, Q query examples, N ways.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf


class Support(NamedTuple):
    """The labelled examples that a learner adapts to."""

    x: tf.Tensor  # `[E, S, ...features]`, prepared by the modality
    y: tf.Tensor  # `[E, S]` int32, -1 for padding; or float targets `[E, S, ...target]`


class Episodes(NamedTuple):
    """Several episodes, stacked: as read and stored, or prepared by the modality."""

    # support_x, query_x: `[E, S, ...]` and `[E, Q, ...]` examples
    support_x: tf.Tensor
    # support_y, query_y: `[E, S]` and `[E, Q]` int32 labels, -1 for padding; or float32 targets
    # `[E, S, ...target]` and `[E, Q, ...target]`
    support_y: tf.Tensor
    query_x: tf.Tensor
    query_y: tf.Tensor

    @property
    def support(self) -> Support:
        """The support sets."""
        return Support(self.support_x, self.support_y)

    def numpy(self) -> "Episodes":
        """The same episodes as NumPy arrays."""
        return Episodes(*(np.asarray(part) for part in self))

"""How the outer learning rate falls over meta-training."""

import math

import tensorflow as tf


def scheduled(learning_rate: float, schedule: str, progress: tf.Tensor) -> tf.Tensor:
    """The learning rate after the share `progress` (0..1, a float scalar) of meta-training.

    It falls to one hundredth by "cosine", to zero by "linear"; it stays where it is "constant".
    """
    if schedule == "cosine":
        # To one hundredth of the start, as MAML++ (1e-3 to 1e-5).
        return learning_rate * (0.01 + 0.99 * 0.5 * (1 + tf.cos(math.pi * progress)))
    if schedule == "linear":
        return learning_rate * (1 - progress)
    return learning_rate * tf.ones_like(progress)

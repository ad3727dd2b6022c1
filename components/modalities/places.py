"""Names of the examples of a request, for what is said of them."""

import tensorflow as tf


def place_of(what: str, number: tf.Tensor, name: str) -> tf.Tensor:
    """As "file 3 of `query_x`": an example by its number, an int32 scalar, and its input."""
    return tf.strings.join([f"{what} ", tf.strings.as_string(number), f" of `{name}`"])

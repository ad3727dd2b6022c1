"""The kind of the examples that an array holds, where a user gives no `ExampleSpec`."""

import numpy as np

from components.modalities.base import ExampleSpec
from serving.errors import UserError


def example_spec(x: np.ndarray, targets: np.ndarray | None = None) -> ExampleSpec:
    """Guesses the spec of examples `[n, ...]`: texts, uint8 images, or else vectors of numbers.

    `targets` are float targets `[n, ...target]` of examples that have no classes.

    Raises:
      UserError: the array is of uint8 and not of square images.
    """
    shape, target_shape = x.shape[1:], None if targets is None else targets.shape[1:]
    if x.dtype.kind in "SUO":
        return ExampleSpec("text", "string", (), target_shape)
    if x.dtype != np.uint8:
        return ExampleSpec("vector", "float32", shape, target_shape)
    if len(shape) != 3 or shape[0] != shape[1] or shape[2] not in (1, 3):
        raise UserError(
            f"Arrays of uint8 must be square images [n, side, side, 1 or 3]: got {list(x.shape)}; "
            "make them float32 to take them as vectors."
        )
    return ExampleSpec("image", "uint8", shape, target_shape)

"""Comparing a request with the signature before it is sent."""

from collections.abc import Mapping

import numpy as np

from serving.client.transport import Signature, Spec
from serving.errors import UserError
from serving.protocol.tensors import as_array
from serving.saved_model import signatures as names


def checked_inputs(
    signature_name: str,
    signature: Signature,
    inputs: Mapping[str, object],
    shared: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """The inputs as arrays of the signature's dtypes.

    Numbers of another width are converted, integers if they fit; nothing else is.

    Args:
      signature_name: for the message.
      signature: what the inputs have to fit, together with
      shared: those that `checked_some` returned before.
      inputs: all others.

    Raises:
      UserError: names the input, the rule and what came.
    """
    given = {**shared, **inputs}
    if given.keys() != signature.inputs.keys():
        raise _wrong_names(signature_name, signature, given)
    arrays = checked_some(signature_name, signature, inputs)
    _check_leading({**shared, **arrays})
    return arrays


def checked_some(
    signature_name: str, signature: Signature, inputs: Mapping[str, object]
) -> dict[str, np.ndarray]:
    """As `checked_inputs` for inputs that are not yet all: each by itself."""
    if not inputs.keys() <= signature.inputs.keys():
        raise _wrong_names(signature_name, signature, inputs)
    return {
        name: _checked(name, as_array(value), signature.inputs[name])
        for name, value in inputs.items()
    }


def _wrong_names(
    signature_name: str, signature: Signature, inputs: Mapping[str, object]
) -> UserError:
    return UserError(
        f"The inputs of `{signature_name}` must be {_listed(signature.inputs)}; "
        f"got {_listed(inputs)}."
    )


def _checked(name: str, array: np.ndarray, spec: Spec) -> np.ndarray:
    if array.dtype != spec.dtype:
        array = _converted(name, array, spec.dtype)
    if spec.shape is not None and not _fits(array.shape, spec.shape):
        raise UserError(
            f"`{name}` must have shape {_shape(spec.shape)}; got {_shape(array.shape)}."
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise UserError(f"`{name}` must be finite; it holds NaN or infinity.")
    return array


def _converted(name: str, array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    both_integers = array.dtype.kind in "iu" and dtype.kind in "iu"
    if both_integers and (array == array.astype(dtype)).all():
        return array.astype(dtype)
    if array.dtype.kind == "f" and dtype.kind == "f":
        with np.errstate(over="ignore"):  # what becomes infinite is refused as such
            return array.astype(dtype)
    raise UserError(
        f"`{name}` must be {_dtype(dtype)}; got {_dtype(array.dtype)}: convert it first."
    )


def _check_leading(arrays: Mapping[str, np.ndarray]) -> None:
    """[E, S] and [E] of the inputs that belong together."""
    labels = arrays.get(names.SUPPORT_Y, arrays.get(names.SUPPORT_LABELS))
    if labels is not None:
        if not labels.size:
            raise UserError("The support set must have at least one example; it is empty.")
        if labels.shape[:2] != arrays[names.SUPPORT_X].shape[:2]:
            raise UserError(
                f"The labels must have the [E, S] of `{names.SUPPORT_X}`, "
                f"{_shape(arrays[names.SUPPORT_X].shape[:2])}; got {_shape(labels.shape)}."
            )
    episodes = {name: len(array) for name, array in arrays.items() if array.ndim}
    if len(set(episodes.values())) > 1:
        raise UserError(f"All inputs must have as many episodes; got {episodes}.")


def _fits(shape: tuple[int, ...], spec: tuple[int | None, ...]) -> bool:
    return len(shape) == len(spec) and all(b is None or a == b for a, b in zip(shape, spec))


def _dtype(dtype: np.dtype) -> str:
    return "string" if dtype.kind == "O" else str(dtype)


def _shape(shape: tuple[int | None, ...]) -> str:
    return "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"


def _listed(inputs: Mapping[str, object]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(inputs)) or "none"

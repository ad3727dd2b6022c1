"""Checks of a request against its signature, before it is sent."""

from collections.abc import Mapping

import numpy as np

from serving.client.transport import Signature, Spec
from serving.errors import UserError
from serving.protocol.tensors import as_array
from serving.saved_model import signatures as names


def check_inputs(
    signature_name: str,
    signature: Signature,
    inputs: Mapping[str, object],
    shared: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Checks all inputs of a request and returns them as arrays of the signature's dtypes.

    Floats of another width are converted, and integers whose values fit; nothing else is. All that
    are not in `shared`, arrays from `check_some`, must be in `inputs`, as arrays or nested lists. A
    UserError names the input that does not fit, the rule and the value.
    """
    everything = {**shared, **inputs}
    if everything.keys() != signature.inputs.keys():
        raise _wrong_names(signature_name, signature, everything)
    arrays = check_some(signature_name, signature, inputs)
    _check_leading({**shared, **arrays})
    return arrays


def check_some(
    signature_name: str, signature: Signature, inputs: Mapping[str, object]
) -> dict[str, np.ndarray]:
    """Checks some of a request's inputs, each by itself, and returns them as arrays."""
    if not inputs.keys() <= signature.inputs.keys():
        raise _wrong_names(signature_name, signature, inputs)
    return {
        name: _check(name, as_array(value), signature.inputs[name])
        for name, value in inputs.items()
    }


def _wrong_names(
    signature_name: str, signature: Signature, inputs: Mapping[str, object]
) -> UserError:
    return UserError(
        f"The inputs of `{signature_name}` must be {_list_names(signature.inputs)}; "
        f"got {_list_names(inputs)}."
    )


def _check(name: str, array: np.ndarray, spec: Spec) -> np.ndarray:
    if array.dtype != spec.dtype:
        array = _convert(name, array, spec.dtype)
    if spec.shape is not None and not _fits(array.shape, spec.shape):
        raise UserError(
            f"`{name}` must have shape {_shape(spec.shape)}; got {_shape(array.shape)}."
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise UserError(f"`{name}` must be finite; it holds NaN or infinity.")
    return array


def _convert(name: str, array: np.ndarray, dtype: np.dtype) -> np.ndarray:
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
    """Checks that the inputs agree in their leading sizes [E, S] and [E]."""
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


def _list_names(inputs: Mapping[str, object]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(inputs)) or "none"

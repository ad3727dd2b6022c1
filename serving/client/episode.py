"""Packs the examples of one episode into the tensors of a request."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from serving.client.transport import Signature, Spec
from serving.errors import UserError
from serving.protocol.tensors import as_array
from serving.saved_model import signatures as names

# An array of the model's example shape, a file or its contents, or a text.
Example = np.ndarray | Path | bytes | str

# The examples of each class by its name; the classes may have different numbers of examples.
SupportSet = Mapping[str, Sequence[Example]]


def signature_for(signatures: Mapping[str, Signature], support: SupportSet) -> str:
    """Chooses the signature that takes examples of this kind.

    Raises:
      UserError: no signature does, the support set is empty, or the model does regression.
    """
    if names.TARGETS in signatures[names.ADAPT_AND_PREDICT].outputs:
        raise UserError("The model is a regression model and knows no classes; use `regress`.")
    if not support or not all(len(examples) for examples in support.values()):
        raise UserError("`support` must have at least one example of every class.")
    example = next(iter(support.values()))[0]
    default = signatures[names.ADAPT_AND_PREDICT].inputs[names.SUPPORT_X]
    takes_text = default.dtype == object
    if isinstance(example, np.ndarray) or (isinstance(example, str) and takes_text):
        return names.ADAPT_AND_PREDICT
    if isinstance(example, str):
        raise UserError(
            f"The model takes {default.dtype} examples, not texts; give the name of a file as a "
            f"pathlib.Path, not as the text {example[:40]!r}."
        )
    if names.ENCODED not in signatures:
        raise UserError(
            f"The model has no signature `{names.ENCODED}` and takes no files; give arrays."
        )
    return names.ENCODED


def support_inputs(support: SupportSet, specs: Mapping[str, Spec]) -> dict[str, np.ndarray]:
    """Packs `support_x` [1, S, ...] and labels [1, S], names or numbers as the signature takes.

    Args:
      support: the examples of each class.
      specs: dtype and shape of each input of the signature.
    """
    examples = [example for examples in support.values() for example in examples]
    counts = [len(examples) for examples in support.values()]
    inputs = {names.SUPPORT_X: _stack(names.SUPPORT_X, examples, specs)}
    if names.SUPPORT_LABELS in specs:
        inputs[names.SUPPORT_LABELS] = as_array(np.repeat(list(support), counts)[None])
    else:
        inputs[names.SUPPORT_Y] = np.repeat(np.arange(len(counts), dtype=np.int32), counts)[None]
    return inputs


def target_inputs(
    signatures: Mapping[str, Signature], support_x: Sequence[Any], support_y: Sequence[Any]
) -> dict[str, np.ndarray]:
    """Packs `support_x` [1, S, ...] and `support_y` [1, S, ...target] of a regression model.

    Raises:
      UserError: the model is a classifier, or the support set is empty.
    """
    signature = signatures[names.ADAPT_AND_PREDICT]
    if names.TARGETS not in signature.outputs:
        raise UserError("The model is a classifier and gives no targets; use `classify`.")
    if not len(support_x) or len(support_x) != len(support_y):
        raise UserError(
            "`support_x` and `support_y` must have one target for each example, and at least one; "
            f"got {len(support_x)} examples and {len(support_y)} targets."
        )
    return {
        names.SUPPORT_X: _stack(names.SUPPORT_X, support_x, signature.inputs),
        names.SUPPORT_Y: _stack(names.SUPPORT_Y, support_y, signature.inputs),
    }


def query_inputs(queries: Sequence[Any], specs: Mapping[str, Spec]) -> dict[str, np.ndarray]:
    """Packs `query_x` [1, Q, ...]."""
    if not len(queries):
        raise UserError("`queries` must hold at least one example; it is empty.")
    return {names.QUERY_X: _stack(names.QUERY_X, queries, specs)}


def _stack(name: str, examples: Sequence[Any], specs: Mapping[str, Spec]) -> np.ndarray:
    """Stacks one episode's examples, [1, B, ...], as arrays or as the strings of files or texts."""
    if specs[name].dtype == object:
        strings = np.empty((1, len(examples)), object)
        strings[0, :] = [_read(example) for example in examples]
        return strings
    spec = specs[name]
    # Python's numbers have no width of their own; an array of integers may be on another scale.
    dtype = spec.dtype if spec.dtype.kind == "f" else None
    arrays = [e if isinstance(e, np.ndarray) else np.asarray(e, dtype) for e in examples]
    return _stack_arrays(name, arrays, spec)[None]


def _stack_arrays(name: str, arrays: list[np.ndarray], spec: Spec) -> np.ndarray:
    """Stacks arrays, [B, ...], and pads sizes that the signature leaves free with zeros.

    Such a size is the length of a recording, where zeros at the end change no result.
    """
    shapes = sorted({array.shape for array in arrays})
    if len(shapes) == 1:
        return np.stack(arrays)
    free = [size is None for size in spec.shape[2:]] if spec.shape else []
    if any(len(shape) != len(free) for shape in shapes) or any(
        len(set(sizes)) > 1 and not may_differ for sizes, may_differ in zip(zip(*shapes), free)
    ):
        raise UserError(f"`{name}` must hold arrays of one shape; got {shapes}.")
    stacked = np.zeros((len(arrays), *map(max, zip(*shapes))), np.result_type(*arrays))
    for row, array in zip(stacked, arrays):
        row[tuple(map(slice, array.shape))] = array
    return stacked


def _read(example: Example) -> bytes:
    if isinstance(example, str):
        return example.encode()
    if isinstance(example, bytes):
        return example
    if not isinstance(example, Path):
        raise UserError(
            "The examples of a request must be of one kind; "
            f"got a {type(example).__name__} among files or texts."
        )
    try:
        return example.read_bytes()
    except OSError as error:
        raise UserError(
            f"An example must be a readable file; {example}: {error.strerror}."
        ) from error

"""Packs the examples of one episode into the tensors of a request."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from serving.client.transport import Signature, Spec
from serving.errors import UserError
from serving.files.encoding import encode_example, is_pil_image
from serving.protocol.tensors import as_array
from serving.saved_model import signatures as names

# An array of the model's example shape; a file by its name, as a Path or by its contents; a
# PIL.Image; or a text.
Example = Any

# The examples of each class by its name; the classes may have different numbers of examples.
SupportSet = Mapping[str, Sequence[Example]]


def modality_of(signatures: Mapping[str, Signature]) -> str:
    """Tells what a model's examples are: "text", "image" or "audio" (any other numbers too)."""
    inputs = signatures[names.ADAPT_AND_PREDICT].inputs
    if names.SUPPORT_X not in inputs:
        raise UserError(
            "The model is a classifier of its own classes and takes no support set: leave it out, "
            "or use `predict`."
        )
    kind = inputs[names.SUPPORT_X].dtype.kind
    return {"O": "text", "u": "image"}.get(kind, "audio")


def takes_phrases(signatures: Mapping[str, Signature]) -> bool:
    """Whether the labels are phrases, and the answers those of the model's own list."""
    return signatures[names.ADAPT_AND_PREDICT].inputs[names.SUPPORT_Y].dtype.kind == "O"


def signature_for(
    signatures: Mapping[str, Signature], support: SupportSet, queries: Sequence[Example] = ()
) -> str:
    """Chooses the signature that takes examples of these kinds (and queries, where they are known).

    UserError: no signature does, the support set is empty, or the model does regression.
    """
    modality = modality_of(signatures)
    phrases = takes_phrases(signatures)
    if names.TARGETS in signatures[names.ADAPT_AND_PREDICT].outputs and not phrases:
        raise UserError("The model is a regression model and knows no classes; use `regress`.")
    if not support or not all(len(examples) for examples in support.values()):
        raise UserError("`support` must have at least one example of every class.")
    if phrases and names.ENCODED in signatures:
        return names.ENCODED
    examples = [*(example for group in support.values() for example in group), *queries]
    if modality == "text" or not any(map(_is_file, examples)):
        return names.ADAPT_AND_PREDICT
    if names.ENCODED not in signatures:
        raise UserError(
            f"The model has no signature `{names.ENCODED}` and takes no files; give arrays."
        )
    return names.ENCODED


def support_inputs(
    support: SupportSet, specs: Mapping[str, Spec], modality: str
) -> dict[str, np.ndarray]:
    """Packs `support_x` [1, S, ...] and labels [1, S], names or numbers as the signature takes."""
    examples = [example for examples in support.values() for example in examples]
    counts = [len(examples) for examples in support.values()]
    inputs = {names.SUPPORT_X: _stack(names.SUPPORT_X, examples, specs, modality)}
    if names.SUPPORT_LABELS in specs:
        inputs[names.SUPPORT_LABELS] = as_array(np.repeat(list(support), counts)[None])
    else:
        inputs[names.SUPPORT_Y] = np.repeat(np.arange(len(counts), dtype=np.int32), counts)[None]
    return inputs


def target_inputs(
    signatures: Mapping[str, Signature], support_x: Sequence[Any], support_y: Sequence[Any]
) -> dict[str, np.ndarray]:
    """Packs `support_x` [1, S, ...] and `support_y` [1, S, ...target] of a regression model."""
    signature = signatures[names.ADAPT_AND_PREDICT]
    if names.TARGETS not in signature.outputs:
        raise UserError("The model is a classifier and gives no targets; use `classify`.")
    if not len(support_x) or len(support_x) != len(support_y):
        raise UserError(
            "`support_x` and `support_y` must have one target for each example, and at least one; "
            f"got {len(support_x)} examples and {len(support_y)} targets."
        )
    return {
        names.SUPPORT_X: _stack(names.SUPPORT_X, support_x, signature.inputs, ""),
        names.SUPPORT_Y: _stack(names.SUPPORT_Y, support_y, signature.inputs, ""),
    }


def query_inputs(
    queries: Sequence[Any], specs: Mapping[str, Spec], modality: str
) -> dict[str, np.ndarray]:
    """Packs `query_x` [1, Q, ...]."""
    if not len(queries):
        raise UserError("`queries` must hold at least one example; it is empty.")
    return {names.QUERY_X: _stack(names.QUERY_X, queries, specs, modality)}


def _stack(
    name: str, examples: Sequence[Any], specs: Mapping[str, Spec], modality: str
) -> np.ndarray:
    """Stacks one episode's examples, [1, B, ...], as arrays or as the strings of files or texts."""
    if specs[name].dtype == object:
        strings = np.empty((1, len(examples)), object)
        strings[0, :] = [encode_example(example, modality) for example in examples]
        return strings
    if any(map(_is_file, examples)):
        raise UserError(f"`{name}` must hold arrays here; use `classify` for files and PIL images.")
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


def _is_file(example: Example) -> bool:
    """Whether it is to be decoded by the model: a file, or an image of Pillow's, of any size."""
    return isinstance(example, str | bytes | os.PathLike) or is_pil_image(example)

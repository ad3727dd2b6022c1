"""From examples by class to the tensors of a request of one episode."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from serving import signatures as names
from serving.client.transport import Signature
from serving.errors import UserError
from serving.protocol.tensors import as_array

# An array of the model's example shape, a file or its contents, or a text.
Example = np.ndarray | Path | bytes | str

# The examples of each class by its name, as many or few as there are.
Support = Mapping[str, Sequence[Example]]


def signature_for(signatures: Mapping[str, Signature], support: Support) -> str:
    """The signature that takes examples of this kind.

    Raises:
      UserError: there is none, the support set is empty, the model is a regression model.
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


def support_inputs(signature_name: str, support: Support) -> dict[str, np.ndarray]:
    """`support_x` [1, S, ...] and the labels [1, S] that the signature wants."""
    examples = [example for examples in support.values() for example in examples]
    counts = [len(examples) for examples in support.values()]
    inputs = {names.SUPPORT_X: _stack(names.SUPPORT_X, examples)}
    if signature_name == names.ENCODED:
        inputs[names.SUPPORT_LABELS] = as_array(np.repeat(list(support), counts)[None])
    else:
        inputs[names.SUPPORT_Y] = np.repeat(np.arange(len(counts), dtype=np.int32), counts)[None]
    return inputs


def query_inputs(queries: Sequence[Example]) -> dict[str, np.ndarray]:
    """`query_x` [1, Q, ...]."""
    if not len(queries):
        raise UserError("`queries` must hold at least one example; it is empty.")
    return {names.QUERY_X: _stack(names.QUERY_X, queries)}


def _stack(name: str, examples: Sequence[Example]) -> np.ndarray:
    if isinstance(examples[0], np.ndarray):
        arrays = [np.asarray(example) for example in examples]
        shapes = {array.shape for array in arrays}
        if len(shapes) != 1:
            raise UserError(f"`{name}` must hold arrays of one shape; got {sorted(shapes)}.")
        return np.stack(arrays)[None]
    strings = np.empty((1, len(examples)), object)
    strings[0, :] = [_read(example) for example in examples]
    return strings


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

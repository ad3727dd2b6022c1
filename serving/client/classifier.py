"""A classifier that `fewshot specialise` wrote: queries without a support set."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from serving.client.answer import Answer
from serving.client.transport import Signature
from serving.errors import UserError
from serving.files.class_folders import KINDS, Kind
from serving.files.encoding import encode_example
from serving.files.folders import suffix_of
from serving.saved_model import signatures as names


def input_name(signatures: Mapping[str, Signature]) -> str | None:
    """The input of a classifier, `files` or `texts`; `None` for a few-shot model."""
    signature = signatures.get(names.ADAPT_AND_PREDICT)
    if signature is None or names.LABELS not in signature.outputs:
        return None
    return next(iter(signature.inputs))


def kind_of(queries: Sequence[str]) -> Kind:
    """The kind of files by the endings of their names; pictures where these say nothing."""
    endings = {suffix_of(query) for query in queries}
    return next((kind for kind in KINDS if endings & kind.suffixes), KINDS[0])


def pack(name: str, examples: Sequence[Any], modality: str) -> dict[str, np.ndarray]:
    """The inputs of a request, `[n]` strings."""
    if not len(examples):
        raise UserError("`queries` must hold at least one example; it is empty.")
    strings = np.empty([len(examples)], object)
    strings[:] = [encode_example(example, modality) for example in examples]
    return {name: strings}


def read(outputs: Mapping[str, np.ndarray], version: int | None) -> Answer:
    """The answer of a reply's outputs."""
    labels = [n.decode() if isinstance(n, bytes) else str(n) for n in outputs[names.LABELS][0]]
    return Answer(outputs[names.PROBABILITIES], labels, version)

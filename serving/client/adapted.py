"""Adapt once, predict many times: the adapted weights stay with the client, or on the server."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, Protocol

import numpy as np

from serving.client.answer import Answer, read_answer, read_targets
from serving.client.episode import Example, modality_of, query_inputs
from serving.client.transport import Reply, Signature
from serving.errors import UserError
from serving.saved_model import signatures as names


class BoundSignature(Protocol):
    """A signature with some inputs set: takes the other inputs and returns the reply."""

    def __call__(self, inputs: Mapping[str, Any], *, timeout: float | None = None) -> Reply: ...


class SignatureClient(Protocol):
    """The part of FewShotClient that an adapted model uses."""

    @property
    def signatures(self) -> dict[str, Signature]:
        """The model's signatures by name."""
        ...

    def bind(self, signature_name: str, shared: Mapping[str, Any]) -> BoundSignature:
        """Sets the inputs that many requests have in common."""
        ...


@dataclass(frozen=True)
class AdaptedModel:
    """A model adapted to one support set; `client` sends the requests."""

    client: SignatureClient
    weights: dict[str, np.ndarray]  # the adapted tensors by name, `[1, ...]` each; if here
    class_names: list[str]  # the classes of the support set; empty for a regression model
    on_server: BoundSignature | None = None  # sends queries, where the server has the weights

    def classify(self, queries: Sequence[Example], *, timeout: float | None = None) -> Answer:
        """Classifies queries with the adapted weights."""
        return read_answer(self._predict(queries, timeout), self.class_names)

    def regress(self, query_x: Sequence[Any], *, timeout: float | None = None) -> np.ndarray:
        """Predicts the targets `[Q, ...target]`, float32, of queries with the adapted weights."""
        return read_targets(self._predict(query_x, timeout))

    def stream(self, queries: Iterable[Example], *, chunk: int = 32) -> Iterator[Answer]:
        """Classifies any number of queries, `chunk` at a time; yields one answer per chunk."""
        for part in chunks(queries, chunk):
            yield self.classify(part)

    def _predict(self, queries: Sequence[Example], timeout: float | None) -> Reply:
        signatures = self.client.signatures
        inputs = query_inputs(queries, signatures[names.PREDICT].inputs, modality_of(signatures))
        return self._run(inputs, timeout=timeout)

    @cached_property
    def _run(self) -> BoundSignature:
        """The weights are hundreds of kilobytes, so they are checked and encoded only once."""
        if self.on_server is not None:
            return self.on_server
        return self.client.bind(names.PREDICT, self.weights)


def chunks(items: Iterable[Example], size: int) -> Iterator[list[Example]]:
    """Yields lists of `size` items; the last list may be shorter."""
    if size < 1:
        raise UserError(f"`chunk` must be at least 1 query; got {size}.")
    iterator = iter(items)
    while part := list(islice(iterator, size)):
        yield part

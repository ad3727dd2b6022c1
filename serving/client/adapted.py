"""Adapt once, predict many times: the adapted weights stay with the client."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, Protocol

import numpy as np

from serving.client.answer import Answer, read_answer, read_targets
from serving.client.episode import Example, query_inputs
from serving.client.transport import Reply, Signature
from serving.errors import UserError
from serving.saved_model import signatures as names


class Run(Protocol):
    """A prepared request: the inputs that are left, whole episodes, to the answer."""

    def __call__(self, inputs: Mapping[str, Any], *, timeout: float | None = None) -> Reply: ...


class Binds(Protocol):
    """What is needed of a client."""

    @property
    def signatures(self) -> dict[str, Signature]: ...

    def bind(self, signature_name: str, shared: Mapping[str, Any]) -> Run: ...


@dataclass(frozen=True)
class AdaptedModel:
    """A model adapted to one support set.

    Attributes:
      client: where `predict` is sent.
      weights: the adapted tensors by name, `[1, ...]` each.
      class_names: the classes of the support set; none for a regression model.
    """

    client: Binds
    weights: dict[str, np.ndarray]
    class_names: list[str]

    def classify(self, queries: Sequence[Example], *, timeout: float | None = None) -> Answer:
        """Classifies queries with the adapted weights."""
        return read_answer(self._predict(queries, timeout), self.class_names)

    def regress(self, query_x: Sequence[Any], *, timeout: float | None = None) -> np.ndarray:
        """The targets `[Q, ...target]` of queries, float32, with the adapted weights."""
        return read_targets(self._predict(query_x, timeout))

    def stream(self, queries: Iterable[Example], *, chunk: int = 32) -> Iterator[Answer]:
        """Classifies any number of queries, `chunk` at a time; one answer a chunk."""
        for part in chunks(queries, chunk):
            yield self.classify(part)

    def _predict(self, queries: Sequence[Example], timeout: float | None) -> Reply:
        specs = self.client.signatures[names.PREDICT].inputs
        return self._run(query_inputs(queries, specs), timeout=timeout)

    @cached_property
    def _run(self) -> Run:
        """The weights are hundreds of kilobytes: checked and encoded once, not in each request."""
        return self.client.bind(names.PREDICT, self.weights)


def chunks(items: Iterable[Example], size: int) -> Iterator[list[Example]]:
    """Lists of `size` items, the last one shorter."""
    if size < 1:
        raise UserError(f"`chunk` must be at least 1 query; got {size}.")
    iterator = iter(items)
    while part := list(islice(iterator, size)):
        yield part

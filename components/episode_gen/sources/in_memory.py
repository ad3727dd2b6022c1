"""Examples that a user's code holds in memory: arrays, numbers, texts, or a list of dicts."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from components.episode_gen import targets as stored_targets
from components.episode_gen.sources.base import CatalogueEntry, Stored
from components.modalities.arrays import example_spec
from components.modalities.base import ExampleSpec
from serving.errors import UserError
from serving.files.texts import unusable


class InMemorySource:
    """A source of examples in memory, with their classes or, for regression, their targets.

    Args:
      inputs: n examples: uint8 images `[n, H, H]` or `[n, H, H, C]`, vectors of numbers `[n, D]`
        or numbers `[n]`, or a list of texts. Recordings need a `spec`.
      labels: n names of classes; for regression, n names of the tasks.
      groups: n names of groups (alphabets, speakers, domains), if the classes have them.
      targets: for regression, n targets `[n, ...]`, stored as float32.
      spec: shape, dtype and preparation of an example, where it is not as above.

    Raises:
      UserError: the lengths differ, or examples are of no known kind, or not of their spec.
    """

    def __init__(
        self,
        inputs: Any,
        labels: Sequence[Any],
        *,
        groups: Sequence[Any] | None = None,
        targets: Any = None,
        spec: ExampleSpec | None = None,
    ) -> None:
        self.labels = [str(label) for label in labels]
        self.groups = [None] * len(self.labels) if groups is None else [str(g) for g in groups]
        self.targets = None if targets is None else np.asarray(targets, np.float32)
        self.inputs = _as_examples(inputs) if spec is None else inputs
        self.spec = spec or example_spec(self.inputs, self.targets)
        for name, values in (("inputs", inputs), ("groups", self.groups), ("targets", targets)):
            if values is not None and len(values) != len(self.labels):
                raise UserError(
                    f"`{name}` must be as many as `labels`: got {len(values)} and "
                    f"{len(self.labels)}."
                )

        if self.spec.dtype == "string":
            _check_texts(self.inputs)
        else:
            _check("inputs", self.inputs, self.spec.dtype, self.spec.shape)
        if self.targets is not None:
            _check("targets", self.targets, "float32", self.spec.target_shape or ())

    @classmethod
    def from_rows(
        cls, rows: Sequence[Mapping[str, Any]], *, input: str, label: str, group: str | None = None
    ) -> "InMemorySource":
        """A source of dicts, one an example; `input`, `label` and `group` are keys of theirs."""
        inputs, labels = [row[input] for row in rows], [row[label] for row in rows]
        return cls(inputs, labels, groups=[row[group] for row in rows] if group else None)

    def catalogue(self) -> Iterator[CatalogueEntry]:
        """Every example once; its id is its place, as "0000017"."""
        for number, (label, group) in enumerate(zip(self.labels, self.groups)):
            yield CatalogueEntry(label, group, f"{number:07d}")

    def parts(self) -> list[str]:
        return ["all"]

    def read(self, part: str) -> Iterator[Stored]:
        del part  # the only one
        for number, example in enumerate(self.inputs):
            if self.targets is None:
                content = self.spec.to_bytes(example)
            else:
                content = stored_targets.join(example, self.targets[number], self.spec)
            yield Stored(f"{number:07d}", content)

    def fingerprint(self) -> str:
        digest = hashlib.sha256(repr((self.spec, self.labels, self.groups)).encode())
        for example in self.read("all"):
            digest.update(len(example.content).to_bytes(8, "big") + example.content)
        return digest.hexdigest()


def _as_examples(inputs: Any) -> np.ndarray:
    """Inputs `[n, ...]`: grey images with a channel, numbers as vectors of float32."""
    array = np.asarray(inputs)
    if array.dtype.kind in "fiu" and array.dtype != np.uint8:
        array = array.astype(np.float32)
    missing = {("u", 3), ("f", 1)} & {(array.dtype.kind, array.ndim)}
    return array[..., np.newaxis] if missing else array


def _check_texts(texts: Any) -> None:
    """Raises UserError where one is no text, or a text that a table could not have either."""
    for number, text in enumerate(texts):
        try:
            problem = unusable(text.decode() if isinstance(text, bytes) else text)
        except (TypeError, AttributeError, UnicodeDecodeError):
            problem = f"it is a {type(text).__name__}, no text in UTF-8"
        if problem:
            raise UserError(f"`inputs` must be texts with words: of number {number}, {problem}.")


def _check(name: str, values: Any, dtype: str, shape: tuple[int | None, ...]) -> None:
    """Raises UserError where a value has another shape, loses by its dtype, or is not finite."""
    for number, value in enumerate(values):
        array = np.asarray(value)
        fits = len(shape) == array.ndim and all(
            want in (None, have) for want, have in zip(shape, array.shape)
        )
        if not fits or not np.can_cast(array.dtype, dtype, "same_kind"):
            raise UserError(
                f"`{name}` must each be {dtype} {list(shape)}: number {number} is {array.dtype} "
                f"{list(array.shape)}."
            )
        if not np.isfinite(array).all():
            raise UserError(f"`{name}` must be finite: number {number} has a NaN or an infinity.")

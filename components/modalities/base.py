"""The interface of a modality: the description of an example, and pure functions on examples."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Tensor = Any  # tf.Tensor; this module does not import TensorFlow


@dataclasses.dataclass(frozen=True)
class ExampleSpec:
    """An example as stored and served: all that decides how the graph prepares and decodes it."""

    modality: str  # "image", "text", "audio" or "vector"
    dtype: str  # a NumPy dtype name ("uint8", "float32"), or "string" for text
    # The shape of one example; a `None` dimension varies from example to example.
    shape: tuple[int | None, ...]
    # Shape of the float32 target of each example of a regression episode; `None` where examples
    # have class labels.
    target_shape: tuple[int, ...] | None = None
    # Texts: the label of an example is a phrase, another text, in place of a class.
    phrases: bool = False
    sample_rate: int | None = None  # audio: samples per second
    # Images: the network sees `1 - pixel / 255`, so that ink on white paper is 1 on 0.
    invert: bool = False
    max_seconds: float = 10.0  # audio: longer recordings are refused
    # Images: files of larger pictures (width times height) are refused.
    max_pixels: int = 50_000_000

    @property
    def has_classes(self) -> bool:
        """Whether examples have class labels: neither float targets nor phrases."""
        return not self.regression and not self.phrases

    @property
    def regression(self) -> bool:
        """Whether examples have float targets in place of class labels."""
        return self.target_shape is not None

    @property
    def has_encoded_form(self) -> bool:
        """Whether a client can send examples as files or texts, with names of classes."""
        return not self.regression and self.modality != "vector"

    @property
    def image_to_image(self) -> bool:
        """Whether an example and its target are images of the same shape."""
        return self.modality == "image" and self.target_shape == self.shape

    @property
    def stored_bytes(self) -> int | None:
        """The size of every stored example in bytes, `None` where they differ."""
        if self.dtype == "string" or None in self.shape:
            return None
        return math.prod(size or 1 for size in self.shape) * np.dtype(self.dtype).itemsize

    def to_bytes(self, example: Any) -> bytes:
        """The stored form: UTF-8 for text, else the array's raw little-endian bytes."""
        if self.dtype == "string":
            return example.encode() if isinstance(example, str) else bytes(example)
        return np.ascontiguousarray(example, dtype=np.dtype(self.dtype)).tobytes()

    def from_bytes(self, stored: bytes) -> Any:
        """The inverse of `to_bytes`; one dimension may be `None` and is inferred."""
        if self.dtype == "string":
            return stored.decode()
        shape = [-1 if size is None else size for size in self.shape]
        return np.frombuffer(stored, dtype=np.dtype(self.dtype)).reshape(shape)

    def to_json(self) -> dict[str, Any]:
        """Plain values, without those that are the default."""
        values = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if getattr(self, field.name) != field.default
        }
        shapes = {name: list(values[name]) for name in ("shape", "target_shape") if name in values}
        return values | shapes

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "ExampleSpec":
        """The inverse of `to_json`."""
        shapes = [name for name in ("shape", "target_shape") if name in record]
        return cls(**record | {name: tuple(record[name]) for name in shapes})


class Modality(NamedTuple):
    """A kind of input, as learners and exports use it."""

    spec: ExampleSpec  # the example as stored and served
    feature_shape: tuple[int, ...]  # the shape of one example as the network sees it
    # `[..., *spec.shape]` -> `[..., *feature_shape]` float32 (int32 token hashes for text), inside
    # the graph
    prepare: Callable[[Tensor], Tensor]
    # `([n] string, name of the input, [n] numbers of them for errors) -> [n, *spec.shape]`, inside
    # the graph: an encoded file or a raw text of any size to the form of `spec`; the empty string
    # gives zeros. Raises INVALID_ARGUMENT, naming the input, for what cannot be decoded. `None` for
    # a modality that has no encoded form.
    decode: Callable[[Tensor, str, Tensor], Tensor] | None
    # `[n, *spec.shape]` NumPy -> `[n, d]` float32: what the evaluator's nearest-centroid baseline
    # sees
    raw_features: Callable[[Any], np.ndarray]

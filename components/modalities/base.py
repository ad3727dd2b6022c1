"""The interface of a modality: one record of data and pure functions."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Tensor = Any  # tf.Tensor; this module does not import TensorFlow


@dataclasses.dataclass(frozen=True)
class ExampleSpec:
    """One example as it is stored in an episode and sent to a served model.

    Attributes:
      modality: "image", "text", "audio" or "vector".
      dtype: a NumPy dtype name ("uint8", "float32"), or "string" for text.
      shape: the shape of one example; a `None` dimension varies from example to example.
      target_shape: of the float32 target that each example of a regression episode has; `None`
        where examples have class labels.
      sample_rate: of audio, in samples per second.
    """

    modality: str
    dtype: str
    shape: tuple[int | None, ...]
    target_shape: tuple[int, ...] | None = None
    sample_rate: int | None = None

    @property
    def regression(self) -> bool:
        """Whether examples have real-valued targets in place of class labels."""
        return self.target_shape is not None

    @property
    def image_to_image(self) -> bool:
        """Whether an example and its target are images of the same shape."""
        return self.modality == "image" and self.target_shape == self.shape

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
        """Plain values; what is `None` is left out."""
        target = {} if self.target_shape is None else {"target_shape": list(self.target_shape)}
        rate = {} if self.sample_rate is None else {"sample_rate": self.sample_rate}
        values = {"modality": self.modality, "dtype": self.dtype, "shape": list(self.shape)}
        return values | target | rate

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "ExampleSpec":
        """The inverse of `to_json`."""
        target = record.get("target_shape")
        return cls(
            record["modality"],
            record["dtype"],
            tuple(record["shape"]),
            None if target is None else tuple(target),
            record.get("sample_rate"),
        )


class Modality(NamedTuple):
    """What learners and exports need to know of a kind of input.

    Attributes:
      spec: the example as stored and served.
      feature_shape: the shape of one example as the network sees it.
      feature_dtype: the dtype of that ("float32", or "int32" for token ids).
      prepare: `[..., *spec.shape]` -> `[..., *feature_shape]`, inside the graph.
      decode: `([n] string, name of the input) -> [n, *spec.shape]`, inside the graph: an encoded
        file or a raw text of any size to the form of `spec`; the empty string gives zeros.
        Raises INVALID_ARGUMENT, naming the input, for what cannot be decoded. `None` for a
        modality that has no encoded form.
      raw_features: `[n, *spec.shape]` NumPy -> `[n, d]` float32: what the evaluator's
        nearest-centroid baseline sees.
    """

    spec: ExampleSpec
    feature_shape: tuple[int, ...]
    feature_dtype: str
    prepare: Callable[[Tensor], Tensor]
    decode: Callable[[Tensor, str], Tensor] | None
    raw_features: Callable[[Any], np.ndarray]

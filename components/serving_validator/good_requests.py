"""The right requests that a model is tried with, made of real episodes.

Shape letters: E episodes, N ways, S support examples, Q query examples.
"""

import functools
import io
import wave
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from components.modalities.base import ExampleSpec
from serving import signatures as sig

Inputs = dict[str, np.ndarray]


def stack(episodes: Sequence[Inputs]) -> Inputs:
    """Joins requests along E, as a server that batches does."""
    return {name: np.concatenate([one[name] for one in episodes]) for name in episodes[0]}


def pad(good: Inputs, number: int = 2) -> Inputs:
    """`good` with further support examples that are marked as padding.

    They are the queries, not zeros: a model that looks at them answers otherwise.
    """
    extra = np.resize(good[sig.QUERY_X], (1, number, *good[sig.QUERY_X].shape[2:]))
    labels = np.full((1, number), sig.PADDING_LABEL, np.int32)
    return good | {
        sig.SUPPORT_X: np.concatenate([good[sig.SUPPORT_X], extra], axis=1),
        sig.SUPPORT_Y: np.concatenate([good[sig.SUPPORT_Y], labels], axis=1),
    }


def without_class(good: Inputs, label: int) -> Inputs:
    """`good` with the support examples of one class marked as padding."""
    y = good[sig.SUPPORT_Y]
    return good | {sig.SUPPORT_Y: np.where(y == label, sig.PADDING_LABEL, y).astype(np.int32)}


def relabelled(good: Inputs, label_of: Sequence[int]) -> Inputs:
    """`good` with the label `label_of[y]` in place of y; padding stays padding."""
    labels = np.array([*label_of, sig.PADDING_LABEL], np.int32)
    return good | {sig.SUPPORT_Y: labels[good[sig.SUPPORT_Y]]}


def encode(good: Inputs, class_names: Sequence[str], spec: ExampleSpec) -> Inputs | None:
    """The same request for `adapt_and_predict_encoded`; `None` where there is no encoder here."""
    encoder = _encoder(spec)
    if encoder is None:
        return None

    def encoded(examples: np.ndarray) -> np.ndarray:
        return np.array([[encoder(example) for example in row] for row in examples], object)

    names = np.array([name.encode() for name in class_names] + [b""], object)
    return {
        sig.SUPPORT_X: encoded(good[sig.SUPPORT_X]),
        sig.SUPPORT_LABELS: names[good[sig.SUPPORT_Y]],  # -1, padding, is the empty name
        sig.QUERY_X: encoded(good[sig.QUERY_X]),
    }


def _encoder(spec: ExampleSpec) -> Callable[[np.ndarray], bytes] | None:
    if spec.dtype == "string":
        return spec.to_bytes
    if spec.modality == "audio":
        return functools.partial(wav, sample_rate=spec.sample_rate or 0)
    return _png if spec.modality == "image" else None


def wav(samples: np.ndarray, *, sample_rate: int, channels: int = 1) -> bytes:
    """`[T]` float32 in -1..1 to a 16-bit wav file, the same samples in every channel."""
    buffer = io.BytesIO()
    whole = np.clip(np.round(samples * 32768.0), -32768, 32767).astype("<i2")
    with wave.open(buffer, "wb") as file:
        file.setparams((channels, 2, sample_rate, 0, "NONE", ""))
        file.writeframes(np.repeat(whole, channels).tobytes())
    return buffer.getvalue()


def _png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(buffer, "PNG")
    return buffer.getvalue()

"""Encodes examples as files and texts, as a client sends them: the inverse of `decode`.

Shape letters: E episodes, S support examples, Q query examples.
"""

import functools
import io
import wave
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from PIL import Image

from components.modalities.base import ExampleSpec
from serving.saved_model import signatures as sig


def encoded_request(
    inputs: Mapping[str, np.ndarray], class_names: Sequence[str], spec: ExampleSpec
) -> dict[str, np.ndarray] | None:
    """Makes a request for `adapt_and_predict_encoded` of one for `serving_default`.

    From `support_x` [E, S, ...], `support_y` [E, S] and `query_x` [E, Q, ...] to `support_x`,
    `support_labels` and `query_x`, strings; `None` for examples without an encoded form.
    """
    encoder = encoder_for(spec)
    if encoder is None:
        return None

    def encoded(examples: np.ndarray) -> np.ndarray:
        return np.array([[encoder(example) for example in row] for row in examples], object)

    if spec.phrases:
        return {
            sig.SUPPORT_X: encoded(inputs[sig.SUPPORT_X]),
            sig.SUPPORT_LABELS: inputs[sig.SUPPORT_Y],
            sig.QUERY_X: encoded(inputs[sig.QUERY_X]),
        }
    names = np.array([name.encode() for name in class_names] + [b""], object)
    return {
        sig.SUPPORT_X: encoded(inputs[sig.SUPPORT_X]),
        sig.SUPPORT_LABELS: names[inputs[sig.SUPPORT_Y]],  # -1, padding, is the empty name
        sig.QUERY_X: encoded(inputs[sig.QUERY_X]),
    }


def encoder_for(spec: ExampleSpec) -> Callable[[np.ndarray], bytes] | None:
    """The function from an example to a file or text; `None` for a kind without such a form."""
    if not spec.has_encoded_form:
        return None
    if spec.dtype == "string":
        return spec.to_bytes
    if spec.modality == "audio":
        return functools.partial(wav, sample_rate=spec.sample_rate or 0)
    return png


def wav(samples: np.ndarray, *, sample_rate: int, channels: int = 1) -> bytes:
    """Encodes samples `[T]` float32 in -1..1 as a 16-bit wav file, the same in every channel."""
    buffer = io.BytesIO()
    whole = np.clip(np.round(samples * 32768.0), -32768, 32767).astype("<i2")
    with wave.open(buffer, "wb") as file:
        file.setparams((channels, 2, sample_rate, 0, "NONE", ""))
        file.writeframes(np.repeat(whole, channels).tobytes())
    return buffer.getvalue()


def png(image: np.ndarray) -> bytes:
    """Encodes an image `[H, W, C]` uint8 as a png file."""
    buffer = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(buffer, "PNG")
    return buffer.getvalue()

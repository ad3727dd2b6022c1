"""One example as a small piece of HTML."""

import base64
import html
import io
from typing import Any

import numpy as np
from PIL import Image

from components.modalities.base import ExampleSpec
from components.modalities.pictures import HAVE_PICTURES, as_picture

LONGEST_TEXT = 160


def thumbnail(example: Any, spec: ExampleSpec) -> str:
    """Makes HTML that shows an example: a picture, the beginning of a text, or a curve."""
    if spec.dtype == "string":
        text = example if len(example) <= LONGEST_TEXT else example[:LONGEST_TEXT] + "…"
        return f"<q>{html.escape(text)}</q>"
    if spec.modality in HAVE_PICTURES:
        return picture(as_picture(example, spec))
    return _polyline(np.asarray(example, np.float64).ravel())


def picture(image: np.ndarray) -> str:
    """Makes HTML that holds a whole image, `[H, W, C]` uint8."""
    buffer = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(buffer, "PNG")
    content = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="" src="data:image/png;base64,{content}">'


def _polyline(values: np.ndarray, points: int = 64) -> str:
    """A curve through at most `points` values."""
    chosen = values[np.linspace(0, len(values) - 1, min(points, len(values))).astype(int)]
    scale = np.abs(chosen).max() or 1.0
    path = " ".join(f"{x},{20 - 19 * y:.1f}" for x, y in enumerate(chosen / scale))
    return f'<svg class="wave" viewBox="0 0 {points} 40"><polyline points="{path}"/></svg>'

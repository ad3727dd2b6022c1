"""Examples as people hold them to the strings that a served model's encoded signature takes."""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from serving.errors import UserError
from serving.files import pictures, recordings
from serving.files.decoding import decode_text
from serving.files.texts import unusable
from serving.files.unreadable import UnreadableFile, read_content


def encode_example(example: Any, modality: str) -> bytes:
    """The string of one example: an image or sound file that the graph reads, or a text in UTF-8.

    Args:
      example: a file (`Path`, its name as `str`, or its bytes), a `PIL.Image`, an image as uint8
        `[h, w]` or `[h, w, 1 or 3]`, or a text.
      modality: "image", "audio" or "text".

    Raises:
      UserError: it cannot be read; the sentence names it.
    """
    try:
        if modality == "text":
            return _encode_text(example)
        if is_pil_image(example):
            return pictures.to_png(pictures.flatten(example))
        if isinstance(example, np.ndarray):
            return _encode_array(example, modality)
        content = example if isinstance(example, bytes) else read_content(Path(example))
        files = pictures if modality == "image" else recordings
        return files.encode_for_graph(content)
    except UnreadableFile as reason:
        raise UserError(
            f"An example must be one that can be read; {_name(example)}: {reason}."
        ) from None
    except TypeError:
        raise UserError(
            f"An example must be a file, an image or a text; got a {type(example).__name__}."
        ) from None


def is_pil_image(example: Any) -> bool:
    """Whether it is a `PIL.Image.Image`; Pillow is not imported for it."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(example, module.Image)


def _encode_text(example: Any) -> bytes:
    if not isinstance(example, str):
        content = example if isinstance(example, bytes) else read_content(Path(example))
        example, _ = decode_text(content)
    problem = unusable(example)
    if problem:
        raise UnreadableFile(problem)
    return example.encode()


def _encode_array(array: np.ndarray, modality: str) -> bytes:
    if modality != "image":
        raise UnreadableFile("arrays of samples say no rate; give either files or arrays alone")
    if array.ndim == 2:
        array = array[..., np.newaxis]
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[-1] not in (1, 3):
        shape = list(array.shape)
        raise UnreadableFile(
            f"beside files it must be uint8 [h, w, 1 or 3], not {array.dtype} {shape}"
        )
    return pictures.to_png(np.broadcast_to(array, (*array.shape[:2], 3)))


def _name(example: Any) -> str:
    """What a sentence calls it."""
    if isinstance(example, str | Path):
        text = str(example)
        return repr(text if len(text) <= 200 else text[:200] + "...")
    size = f" of {len(example)} bytes" if isinstance(example, bytes) else ""
    return f"one{size} ({type(example).__name__})"

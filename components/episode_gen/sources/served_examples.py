"""The examples of logged support sets: which kind they are, and how they become class data."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np

from components.episode_gen.options import DataOptions
from components.episode_gen.sources.image_files import decode_image, image_spec
from components.episode_gen.sources.recording_files import audio_spec, wanted
from components.modalities.base import ExampleSpec
from serving.errors import UserError
from serving.files import recordings
from serving.files.picture_header import check_pixels, read_header
from serving.files.texts import unusable
from serving.files.unreadable import UnreadableFile


class Examples:
    """Turns the examples of a log, a file or text as bytes or an array each, into class data."""

    def __init__(self, data: DataOptions) -> None:
        self._data = data
        self._first: tuple[ExampleSpec, Any, str] | None = None

    def spec_of(self, example: Any, where: str) -> ExampleSpec:
        """The spec of the class data that an example becomes; `where` it is, for errors.

        Raises:
          UserError: it cannot be any, or that of an example before it is another.
        """
        spec = self._spec(example)
        if spec is None:
            kind = self._data.modality or "image, text, audio or vector"
            raise UserError(
                f"`data.path` must hold support sets of {kind} examples: {where} has "
                f"{_words(example)}."
            )
        if spec.modality == "image" and np.ndim(example) and np.shape(example) != spec.shape:
            raise UserError(
                "`data.image_size` and `data.image_channels` must be those of the logged images, "
                f"which are not resized: got {self._data.image_size} and "
                f"{self._data.image_channels}, and {where} has {_words(example)}."
            )
        first, other, place = self._first = self._first or (spec, example, where)
        if spec != first:
            raise UserError(
                f"`data.path` must hold examples of one kind and shape: {place} has "
                f"{_words(other)}, and {where} has {_words(example)}. Take one of them out."
            )
        return spec

    def problem(self, example: Any, spec: ExampleSpec) -> str | None:
        """Why an example cannot be used, as half a sentence.

        Nothing is decoded, unless what cannot be read is left out.
        """
        try:
            if isinstance(example, bytes):
                self._check(example, spec)
            elif not np.isfinite(example).all():
                return "it holds a NaN or an infinity"
            if self._data.unreadable == "skip":
                self.content(example, spec)
        except UnreadableFile as reason:
            return str(reason)
        return None

    def content(self, example: Any, spec: ExampleSpec) -> bytes:
        """The stored form of an example.

        Raises:
          UnreadableFile: it is a damaged file.
        """
        if isinstance(example, bytes) and spec.modality == "image":
            example = decode_image(example, self._data)
        elif isinstance(example, bytes) and spec.modality == "audio":
            example = recordings.decode(example, wanted(self._data))
        return spec.to_bytes(example)

    def _spec(self, example: Any) -> ExampleSpec | None:
        modality = self._data.modality
        if isinstance(example, bytes):
            specs = {"image": image_spec(self._data), "audio": audio_spec(self._data)}
            specs["text"] = ExampleSpec("text", "string", ())
            first = self._first[0].modality if self._first else ""
            return specs.get(modality or _guess(example) or first)
        array = np.asarray(example)
        if array.dtype == np.uint8 and array.ndim == 3 and modality in (None, "image"):
            return image_spec(self._data)
        if array.dtype == np.float32 and array.ndim == 1 and modality == "audio":
            return audio_spec(self._data)
        if array.dtype == np.float32 and array.ndim > 0 and modality in (None, "vector"):
            return ExampleSpec("vector", "float32", array.shape)
        return None

    def _check(self, example: bytes, spec: ExampleSpec) -> None:
        if spec.modality == "image":
            check_pixels(read_header(example), self._data.max_pixels)
        elif spec.modality == "audio":
            recordings.check(io.BytesIO(example), wanted(self._data))
        else:
            try:
                reason = unusable(example.decode())
            except UnicodeDecodeError:
                reason = "it is no text in UTF-8"
            if reason:
                raise UnreadableFile(reason)


def _guess(content: bytes) -> str:
    try:
        if "\0" not in content.decode():
            return "text"  # which may begin as a picture does: "BMW"
    except UnicodeDecodeError:
        pass
    readers: dict[str, Callable[[], Any]] = {
        "image": lambda: read_header(content),
        "audio": lambda: recordings.read_header(io.BytesIO(content)),
    }
    for modality, read in readers.items():
        try:
            read()
        except UnreadableFile:
            continue
        return modality
    return ""


def _words(example: Any) -> str:
    if isinstance(example, bytes):
        kind = _guess(example)
        return "a text" if kind == "text" else f"a file ({kind or 'of an unknown kind'})"
    array = np.asarray(example)
    return f"{array.dtype} {list(array.shape)}"

"""Pictures as a viewer shows them: upright, on white, every depth scaled to 8 bits."""

import io
import warnings
from typing import Any

import numpy as np

from serving.files.picture_formats import PictureHeader
from serving.files.picture_header import MAX_PIXELS, check_pixels, graph_can_read, read_header
from serving.files.unreadable import UnreadableFile

_ENDS = {"jpeg": b"\xff\xd9", "png": b"IEND"}  # what is somewhere in every whole file of a kind


def decode(content: bytes, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """A picture as a viewer shows it, `[h, w, 3]` uint8; of several frames or pages, the first.

    It is turned as its EXIF data say, transparency laid on white. One that has more than
    `max_pixels` is refused before it is decoded.

    Raises:
      UnreadableFile: it cannot be decoded, or not rightly.
    """
    header = read_header(content)
    check_pixels(header, max_pixels)
    check_whole(content, header)
    image_module = _pillow()
    formats = ("PPM" if header.kind == "pnm" else header.kind.upper(),)
    try:
        # Warnings would go to the terminal; what they warn of is refused or harmless.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with image_module.open(io.BytesIO(content), "r", formats) as image:
                check_pixels(header._replace(width=image.width, height=image.height), max_pixels)
                return flatten(image, header)
    except UnreadableFile:
        raise
    except Exception as error:  # on damaged files, decoders raise whatever they come upon
        raise UnreadableFile(_reason(error)) from None


def check_whole(content: bytes, header: PictureHeader) -> None:
    """Refuses (`UnreadableFile`) a jpg or png without its end, which decoders may fill in grey."""
    if _ENDS.get(header.kind, b"") not in content[8:]:
        raise UnreadableFile("it ends too early")


def flatten(image: Any, header: PictureHeader | None = None) -> np.ndarray:
    """A `PIL.Image.Image` of any mode as `[h, w, 3]` uint8: upright, on white.

    `header` is of the file that it was opened from.

    Raises:
      UnreadableFile: its numbers have no agreed scale of brightness, or its colours no agreed one
        of screens.
    """
    from PIL import ImageOps

    image.load()
    image = ImageOps.exif_transpose(image)
    transparent = image.info.get("transparency")
    if image.mode == "I" or image.mode.startswith("I;16"):
        return _flatten_deep(image, header, transparent)
    if image.mode in ("F", "LAB", "HSV"):
        what = {"F": "real numbers", "LAB": "CIELAB colours", "HSV": "HSV colours"}[image.mode]
        raise UnreadableFile(f"it holds {what}, which have no one look on a screen")
    if image.mode == "L" and isinstance(transparent, int) and header and header.kind == "png":
        # Pillow scales pixels of 2 and 4 bits to 255, but not the value that is transparent.
        image.info["transparency"] = transparent * 255 // ((1 << min(header.bits, 8)) - 1)
    if header and header.bits == 16 and image.mode == "RGB" and transparent is not None:
        raise UnreadableFile("it has 16 bits a channel and one transparent colour")
    if image.has_transparency_data:
        rgba = np.asarray(image.convert("RGBA"))
        return lay_on_white(rgba[..., :3], rgba[..., 3:])
    return np.array(image.convert("RGB"))


def lay_on_white(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """`[h, w, 3]` uint8 of colours `[h, w, 3]` and alpha `[h, w, 1]`, both uint8."""
    share = alpha.astype(np.uint32)
    return ((colours * share + 255 * (255 - share) + 127) // 255).astype(np.uint8)


def to_png(pixels: np.ndarray) -> bytes:
    """`[h, w, 3]` uint8 as an 8-bit RGB png file."""
    file = io.BytesIO()
    _pillow().fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def encode_for_graph(content: bytes, max_pixels: int = MAX_PIXELS) -> bytes:
    """The file as it is where an exported graph reads it rightly, else anew as an RGB png file."""
    header = read_header(content)
    check_pixels(header, max_pixels)
    if graph_can_read(header) is None:
        check_whole(content, header)
        return content
    return to_png(decode(content, max_pixels))


def _flatten_deep(image: Any, header: PictureHeader | None, transparent: Any) -> np.ndarray:
    """Grey of 16 bits by its upper 8, as Pillow and TensorFlow have colours of 16 bits."""
    values = np.asarray(image).astype(np.int64)
    if header is None or header.coding == "signed or real numbers" or header.bits > 16:
        if values.size and not 0 <= values.min() <= values.max() < 65_536:
            raise UnreadableFile("it holds numbers beyond 16 bits, which have no one look")
        if header is not None:
            raise UnreadableFile("it holds signed or 32-bit numbers, which have no one look")
    # Pillow scales pgm files of other depths to 16 bits, but not tiff files.
    bits = header.bits if header and header.kind == "tiff" else 16
    grey = values * 65_535 // ((1 << bits) - 1) >> 8
    if header and header.coding == "white is 0":
        grey = 255 - grey
    if isinstance(transparent, int):
        grey[values == transparent] = 255
    return np.repeat(grey[..., np.newaxis].astype(np.uint8), 3, axis=-1)


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise UnreadableFile(
            "reading it needs Pillow, which is not installed (pip install pillow)"
        ) from None
    return Image


def _reason(error: Exception) -> str:
    """Half a sentence from what Pillow says."""
    text = str(error)
    if isinstance(error, EOFError) or any(part in text for part in ("truncated", "not enough")):
        return "it ends too early"
    if type(error).__name__ == "UnidentifiedImageError" or not text:
        return "it is damaged"
    if isinstance(error, MemoryError):
        return "it needs more memory than there is"
    if type(error).__name__ == "DecompressionBombError":
        return "it has too many pixels"
    return f"it cannot be decoded: {' '.join(text.split())[:120].rstrip('.')}"

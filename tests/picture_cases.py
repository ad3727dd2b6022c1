"""Small picture files of every format, depth, colour type, transparency and orientation."""

import io
import itertools
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageOps

HEIGHT, WIDTH = 9, 14
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="%d"/></x:xmpmeta>'


def viewer_picture(content: bytes) -> np.ndarray:
    """What a viewer shows: upright, transparency on white, 16 bits scaled to 8: `[h, w, 3]`."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    if image.mode.startswith("I"):
        grey = (np.asarray(image).astype(np.int64) >> 8).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=-1)
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image)
    return np.asarray(white.convert("RGB"))


def png_cases() -> Iterator[tuple[str, bytes]]:
    """Every colour type and depth, with and without transparency, by the standard's own words."""
    rng = np.random.default_rng(0)
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
    for colour, depth in itertools.product(channels, (1, 2, 4, 8, 16)):
        if (depth < 8 and colour not in (0, 3)) or (depth == 16 and colour == 3):
            continue
        levels = min(2**depth, 256)
        rows = [
            _pack(rng.integers(0, levels, WIDTH * channels[colour]), depth) for _ in range(HEIGHT)
        ]
        palette = rng.integers(0, 256, levels * 3).astype(np.uint8).tobytes()
        plte = [(b"PLTE", palette)] if colour == 3 else []
        name = f"png colour type {colour}, {depth} bits"
        yield name, _png(depth, colour, rows, plte)
        transparent = {
            0: struct.pack(">H", 1),
            2: struct.pack(">HHH", 1, 2, 3),
            3: rng.integers(0, 256, levels).astype(np.uint8).tobytes(),
        }
        if colour in transparent:
            yield (
                f"{name}, tRNS",
                _png(depth, colour, rows, [*plte, (b"tRNS", transparent[colour])]),
            )


def saved_cases() -> Iterator[tuple[str, bytes]]:
    """What Pillow writes: formats, modes, options, orientations."""
    colour = _smooth(64, 48)
    see_through = colour.convert("RGBA")
    see_through.putalpha(
        Image.fromarray(np.repeat(np.arange(64, dtype=np.uint8)[:, None], 48, 1) * 4)
    )
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        picture = (see_through if mode == "RGBA" else colour).convert(mode)
        for kind in ("PNG", "GIF", "BMP", "TIFF", "WEBP"):
            if kind != "WEBP" or mode in ("L", "RGB", "RGBA"):
                yield f"{kind} {mode}", save(picture, kind)
    for mode in ("L", "RGB", "CMYK"):
        yield f"JPEG {mode}", save(colour.convert(mode), "JPEG", quality=90)
    content = save(colour.convert("CMYK"), "JPEG", quality=90)
    adobe = content.index(b"\xff\xee")
    yield "CMYK JPEG without Adobe's mark", content[:adobe] + content[adobe + 16 :]
    yield "JPEG progressive", save(colour, "JPEG", quality=90, progressive=True)
    yield "JPEG 4:4:4", save(colour, "JPEG", quality=90, subsampling=0)
    core = struct.pack("<LHHHH", 12, 2, 2, 1, 24)
    head = struct.pack("<LHHL", 42, 0, 0, 26)
    yield "BMP with an old header", b"BM" + head + core + bytes(range(16))
    yield "PPM", save(colour, "PPM")
    yield "PGM", save(colour.convert("L"), "PPM")
    yield (
        "PNG 16 bits",
        save(Image.fromarray(np.arange(0, 65536, 64, np.uint16).reshape(32, 32)), "PNG"),
    )
    yield (
        "GIF animated",
        save(colour.convert("P"), "GIF", save_all=True, append_images=[colour.rotate(90)]),
    )
    for orientation, kind in itertools.product(range(1, 9), ("JPEG", "PNG", "TIFF", "WEBP")):
        exif = Image.Exif()
        exif[0x0112] = orientation
        yield f"{kind} orientation {orientation}", save(colour, kind, exif=exif)
    yield "JPEG XMP orientation", save(colour, "JPEG", xmp=XMP % 6)


def save(image: Image.Image, kind: str, **options) -> bytes:
    """The file as Pillow writes it."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _smooth(height: int, width: int) -> Image.Image:
    y, x = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([x * 5, y * 4, 255 - x - y], -1).astype(np.uint8))


def _pack(values: np.ndarray, depth: int) -> bytes:
    bits = "".join(format(value, f"0{depth}b") for value in values)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


def _png(depth: int, colour: int, rows: list[bytes], chunks: list[tuple[bytes, bytes]]) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, colour, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = [(b"IHDR", header), *chunks, (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)

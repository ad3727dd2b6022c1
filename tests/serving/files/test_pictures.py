"""Every picture that Pillow can write is read as Pillow shows it: upright and on white."""

import io
import itertools
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from serving.files.picture_header import graph_can_read, read_header
from serving.files.pictures import decode, encode_for_graph, flatten
from serving.files.unreadable import UnreadableFile

RNG = np.random.default_rng(0)
HEIGHT, WIDTH = 13, 9
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "PPM", "WEBP", "TIFF")
VARIANTS = (
    *({}, {"transparency": 0}, {"transparency": 3}, {"progressive": True}, {"lossless": True}),
    *({"bits": 1}, {"bits": 2}, {"bits": 4}, {"subsampling": 2}),
    *({"compression": "tiff_lzw"}, {"compression": "packbits"}),
)


def random(*shape: int, dtype: str = "uint8") -> np.ndarray:
    return RNG.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def image_of(mode: str) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(random(HEIGHT, WIDTH, dtype="uint16"))
    if mode in ("1", "P"):
        colours = Image.fromarray(random(HEIGHT, WIDTH, 3))
        return colours.convert("1") if mode == "1" else colours.quantize(16)
    if mode in ("PA", "RGBa"):
        return Image.fromarray(random(HEIGHT, WIDTH, 4)).convert(mode)
    bands = len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, (WIDTH, HEIGHT), random(HEIGHT, WIDTH, bands).tobytes())


MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBa", "CMYK", "I;16")


def save(image: Image.Image, form: str, **options) -> bytes | None:
    """The file, or None where Pillow cannot write it."""
    file = io.BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image.save(file, form, **options)
    except Exception:
        return None
    return file.getvalue()


def shown(content: bytes) -> np.ndarray:
    """What Pillow shows."""
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        grey = (np.asarray(image).astype(np.int64) / 257).round().astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=-1)
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return np.asarray(white.convert("RGB"))


def orientation(number: int) -> Image.Exif:
    exif = Image.Exif()
    exif[274] = number
    return exif


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("mode", MODES)
def test_every_kind_is_what_pillow_shows(mode, form):
    image = image_of(mode)
    turned = [{}, *({"exif": orientation(number)} for number in range(1, 9))]
    for variant, turn in itertools.product(VARIANTS, turned):
        content = save(image, form, **variant, **turn)
        if content is None:
            continue
        expected, got = shown(content).astype(int), decode(content)
        assert got.shape == expected.shape, (variant, turn)
        assert np.abs(got - expected).max() <= 1, (variant, turn)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("mode", MODES)
def test_the_header_says_what_pillow_finds(mode, form):
    image = image_of(mode)
    for variant, number in itertools.product(VARIANTS, (1, 3, 6)):
        content = save(image, form, **variant, exif=orientation(number))
        if content is None:
            continue
        header = read_header(content)
        with Image.open(io.BytesIO(content)) as opened:
            opened.load()
            assert header.transparent or not opened.has_transparency_data
            if form != "TIFF":  # which Pillow turns as it loads it
                assert header.orientation == opened.getexif().get(274, 1)
        assert (header.width, header.height) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("colour_type", [0, 2, 4, 6])
def test_png_of_16_bits_is_scaled_and_not_cut(colour_type):
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour_type]
    values = random(HEIGHT, WIDTH, channels, dtype="uint16")
    colours = values[..., : 1 if channels < 3 else 3] / 65_535
    alpha = values[..., -1:] / 65_535 if channels in (2, 4) else 1.0
    expected = 255 * np.broadcast_to(colours * alpha + 1 - alpha, (HEIGHT, WIDTH, 3))
    assert np.abs(decode(png(values, colour_type)) - expected).max() < 1.6


def png(values: np.ndarray, colour_type: int, *chunks: tuple[bytes, bytes], bits=16) -> bytes:
    """A png file, by hand: Pillow writes no colours of 16 bits and no grey of 2 or 4."""
    height, width = values.shape[:2]
    rows = values.reshape(height, -1)
    if bits == 16:
        packed = rows.astype(">u2").view(np.uint8)
    else:
        unpacked = np.unpackbits(rows.astype(np.uint8)[..., None], axis=-1)[..., 8 - bits :]
        packed = np.packbits(unpacked.reshape(height, -1), axis=-1)
    lines = np.pad(packed, [(0, 0), (1, 0)]).tobytes()
    header = struct.pack(">LLBBBBB", width, height, bits, colour_type, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">L", len(data)) + name + data + struct.pack(">L", zlib.crc32(name + data))
        for name, data in parts
    )


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_the_transparent_grey_is_white(bits):
    levels = (1 << bits) - 1
    values = RNG.integers(0, levels, (HEIGHT, WIDTH, 1), endpoint=True)
    for hole in {0, levels // 3, int(values[0, 0, 0])}:
        got = decode(png(values, 0, (b"tRNS", struct.pack(">H", hole)), bits=bits))
        expected = np.where(values == hole, 255, 255 * values / levels)
        assert np.abs(got - expected).max() <= 1


def test_orientation_is_read_wherever_it_is_written():
    image = image_of("RGB")
    xmp = b'<x xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
    text = b"XML:com.adobe.xmp\0\0\0\0\0" + xmp
    packed = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(xmp)
    files = [
        png(random(HEIGHT, WIDTH, 3), 2, (b"iTXt", text), bits=8),
        png(random(HEIGHT, WIDTH, 3), 2, (b"iTXt", packed), bits=8),
        save(image, "WEBP", xmp=xmp),
        save(image, "JPEG", xmp=xmp),
    ]
    for content in files:
        assert read_header(content).orientation == 6
        assert decode(content).shape == (WIDTH, HEIGHT, 3)


def test_of_several_frames_the_first_is_read():
    frames = [image_of("RGB") for _ in range(3)]
    for form in ("GIF", "TIFF", "WEBP", "PNG"):
        content = save(frames[0], form, save_all=True, append_images=frames[1:], lossless=True)
        assert read_header(content).frames == 3
        assert np.abs(decode(content).astype(int) - shown(content)).max() <= 1


@pytest.mark.parametrize("form", FORMATS)
def test_too_many_pixels_are_refused_by_the_header(form):
    content = save(Image.new("L", (100, 90)), form)
    decode(content, max_pixels=9_000)
    with pytest.raises(UnreadableFile, match="it has 100 x 90 pixels, which is more than 8,999"):
        decode(content, max_pixels=8_999)
    bomb = png(np.zeros((2, 2, 1)), 0, bits=8)
    bomb = bomb[:16] + struct.pack(">LL", 60_000, 60_000) + bomb[24:]
    with pytest.raises(UnreadableFile, match="60000 x 60000"):
        decode(bomb)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", r"it is empty \(0 bytes\)"),
        (b"hello", "it is not a png, jpg"),
        (b"\n<!DOCTYPE html><html></html>", r"it is a web page \(HTML\), not a png"),
        (b"\0\0\0\x18ftypheic\0\0", r"it is a HEIC picture or a video \(save it"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b"<svg xmlns='x'/>", "an SVG drawing"),
        (b"%PDF-1.4", "a PDF file"),
        (b"\x89PNG\r\n\x1a\n and no more", "."),
        (b"\xff\xd8\xff", "it ends too early"),
        (b"P5 3", "it ends too early"),
    ],
)
def test_what_is_no_picture_says_what_it_is(content, reason):
    with pytest.raises(UnreadableFile, match=reason):
        decode(content)


@pytest.mark.parametrize("form", FORMATS)
def test_a_cut_file_ends_too_early(form):
    content = save(Image.fromarray(random(99, 99, 3)), form)
    for share in (0.3, 0.9):
        with pytest.raises(UnreadableFile):
            decode(content[: int(share * len(content))])


def test_numbers_without_a_look_are_refused():
    for values in (np.ones((4, 4), np.float32), np.full((4, 4), 70_000, np.int32)):
        with pytest.raises(UnreadableFile, match="which have no one look"):
            decode(save(Image.fromarray(values), "TIFF"))
        with pytest.raises(UnreadableFile, match="which have no one look"):
            flatten(Image.fromarray(values))


def test_a_graph_gets_only_what_it_reads_rightly():
    plain = [save(image_of("RGB"), form) for form in ("PNG", "JPEG", "BMP")]
    plain += [save(image_of("1"), "PNG"), save(image_of("CMYK"), "JPEG")]
    plain += [save(image_of("RGB"), "JPEG", exif=orientation(6))]
    assert all(encode_for_graph(content) is content for content in plain)
    others = [
        save(image_of("P"), "BMP"),
        save(image_of("P"), "GIF", transparency=0),
        save(image_of("L"), "PPM"),
    ]
    for content in others:
        again = encode_for_graph(content)
        assert graph_can_read(read_header(content)) and graph_can_read(read_header(again)) is None
        assert np.array_equal(decode(again), decode(content))

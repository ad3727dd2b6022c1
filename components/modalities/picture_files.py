"""Picture files decoded inside the graph as a viewer shows them, or refused by their header.

TensorFlow's decoders are right for most files. What they get wrong is known by a file's first
bytes: transparency, orientation, palettes of BMP. Where the graph can put it right it does (the
result equals Pillow's picture, turned upright and laid on white); the rest is refused in one
sentence, before anything is decoded. So is a picture of too many pixels.

The headers of all files are read at once: an operation on one small file costs more to start than
to run. Shape letters: B files.

References: PNG, W3C Recommendation 2003, section 11; Exif 2.32, section 4.6.
"""

from collections.abc import Callable

import tensorflow as tf

from components.modalities import gif_blocks
from components.modalities.orientation import exif_orientation, turn_upright
from components.modalities.places import place_of

MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM")  # how png, jpg, gif and bmp files begin
PLAIN_PNG, _JPEG, _GIF, _BMP, PADDING, _OTHER, _ALPHA_PNG = range(7)
_TURNED = 7  # added to the kind of a png or jpg whose metadata may say that it is not upright
_HEADER_BYTES = 64
_EXIF_BYTES = 65_536  # the size of a jpg's segment: in the first of these lies its orientation
_EXIF = r"(II\*\x00|MM\x00\*)"
"""How Exif data begin. In these patterns `\\C` is any byte."""
_ADOBE = r"\C*Adobe\x00[de]\C*"
"""The mark by which decoders agree on how a jpg stores CMYK."""
_OTHER_BMP = "is a bmp with a palette, compression or transparency; save it as png"
_CODED_METADATA = r"Raw profile type exif\x00|XML:com\.adobe\.xmp\x00\x01"


def read_kinds(encoded: tf.Tensor, name: str, numbers: tf.Tensor, max_pixels: int) -> tf.Tensor:
    """Tells how to decode every file of `[B]` string, and refuses what cannot be shown rightly.

    Gives `[B]` int32 for `decode_picture`; `PADDING` for the empty string. For errors, `name` is
    the input's and `numbers`, `[B]` int32, the files'. `max_pixels` is of a png, gif or bmp
    (`decode_picture` checks a jpg).

    Raises:
      tf.errors.InvalidArgumentError: a file is of another kind, too large, cut, or of a form that
        would be shown otherwise than it is.
    """
    padded = tf.strings.join([encoded, "\0" * _HEADER_BYTES])
    start = tf.strings.substr(padded, 0, _HEADER_BYTES)
    octets = tf.io.decode_raw(start, tf.uint8, fixed_length=_HEADER_BYTES)
    begins = [tf.reduce_all(octets[:, : len(magic)] == list(magic), axis=1) for magic in MAGIC]
    known = tf.stack([*begins, tf.equal(encoded, ""), tf.fill(tf.shape(encoded), True)])
    kind = tf.argmax(known, axis=0, output_type=tf.int32)
    is_png, is_gif, is_bmp = (kind == PLAIN_PNG), (kind == _GIF), (kind == _BMP)
    depth, colour = octets[:, 24], octets[:, 25]
    # A png's numbers are big-endian, of 32 bits; those of the others little-endian, here by halves.
    wide = tf.io.decode_raw(start, tf.int32, little_endian=False, fixed_length=_HEADER_BYTES)
    halves = tf.io.decode_raw(start, tf.uint16, fixed_length=_HEADER_BYTES)
    png_sides = wide[:, 4:6]
    gif_sides = tf.cast(halves[:, 3:5], tf.int32)
    bmp_sides = tf.bitcast(tf.reshape(halves[:, 9:13], [-1, 2, 2]), tf.int32)
    size, bits, compression = halves[:, 7], halves[:, 14], halves[:, 15]
    sides = tf.where(is_png[:, None], png_sides, tf.where(is_gif[:, None], gif_sides, bmp_sides))
    # The height of a bmp that is stored from the top down is negative.
    pixels = tf.reduce_prod(tf.abs(tf.cast(sides, tf.int64)), axis=1)
    measured = is_png | is_gif | is_bmp

    chunks = tf.strings.regex_replace(encoded, r"IDAT\C*", "")  # those before a png's pixels
    one_transparent = is_png & tf.strings.regex_full_match(chunks, r"\C*tRNS\C*")
    alpha = one_transparent | is_png & ((colour == 4) | (colour == 6))
    oriented = tf.strings.regex_full_match(
        tf.where(kind == _JPEG, tf.strings.substr(padded, 0, _EXIF_BYTES), encoded),
        rf"\C*((eXIf|Exif\x00\x00){_EXIF}|tiff:Orientation)\C*",
    )
    bmp_form = (bits == 24) | (bits == 8) | (bits == 32) & (size == 40)
    rules = {
        "must be a png, jpg, gif or bmp file, and is not": kind != _OTHER,
        "must be a whole file, and ends too early": ~is_png
        | tf.strings.regex_full_match(encoded, r"\C*IEND\C*"),
        f"must have 1 to {max_pixels} pixels, and has not": ~measured
        | (pixels > 0) & (pixels <= max_pixels),
        "is a png with one transparent colour at another depth than 8 bits; save it as a png with "
        "an alpha channel": ~one_transparent | (colour == 3) | (depth == 8),
        "is a png with metadata in a coded text, which may say that it is not upright; save it "
        "without them": ~is_png
        | ~tf.strings.regex_full_match(encoded, rf"\C*({_CODED_METADATA})\C*"),
        _OTHER_BMP: ~is_bmp | (size >= 40) & (compression == 0) & bmp_form,
    }
    with tf.control_dependencies([_require(rules, name, numbers)]):
        turned = oriented & (is_png | (kind == _JPEG))
        return tf.where(alpha, _ALPHA_PNG, kind) + _TURNED * tf.cast(turned, tf.int32)


def decode_picture(
    encoded: tf.Tensor, kind: tf.Tensor, place: tf.Tensor, max_pixels: int
) -> tf.Tensor:
    """Decodes one png, jpg, gif (its first frame) or bmp file, a string scalar.

    Gives uint8 `[h, w, 3]`, upright, transparency laid on white; one black pixel for padding.
    `kind` is from `read_kinds`, `place` names the file in an error, as "file 3 of `query_x`".

    Raises:
      tf.errors.InvalidArgumentError: as `read_kinds`, for what lies deeper in the file.
    """

    def checked(*rules: tuple[tf.Tensor, str]) -> tf.Tensor:
        checks = [tf.debugging.Assert(ok, [tf.strings.join([place, text])]) for ok, text in rules]
        with tf.control_dependencies(checks):
            return tf.identity(encoded)

    def png() -> tf.Tensor:
        return decode_plain_png(encoded)

    def alpha_png() -> tf.Tensor:
        return lay_on_white(tf.io.decode_png(encoded, channels=4))

    def jpeg() -> tf.Tensor:
        octets = tf.io.decode_raw(encoded, tf.uint8)
        ends = tf.reduce_any((octets[:-1] == 0xFF) & (octets[1:] == 0xD9))
        # Before its shape is read, which fails on such a file in the decoder's own words.
        whole = checked((ends, " must be a whole file, and ends too early."))
        height, width, channels = tf.unstack(tf.cast(tf.io.extract_jpeg_shape(whole), tf.int64))
        small = height * width <= max_pixels
        marked = (channels < 4) | tf.strings.regex_full_match(encoded, _ADOBE)
        file = checked(
            (small, f" must have at most {max_pixels} pixels, and has more."),
            (marked, " is a CMYK jpg without Adobe's mark; save it as png."),
        )
        # The accurate transform is what viewers use, and as fast.
        return tf.io.decode_jpeg(file, channels=3, dct_method="INTEGER_ACCURATE")

    def gif() -> tf.Tensor:
        frames = gif_blocks.walk(tf.io.decode_raw(encoded, tf.uint8))
        small = frames.pixels <= max_pixels  # the decoder keeps all frames
        file = checked(
            (small, f" must have at most {max_pixels} pixels in all frames, and has more."),
            (~frames.transparent, " is a gif with transparency; save it as png."),
            (frames.whole, " is a gif whose first frame does not fill it; save it as png."),
        )
        return tf.io.decode_image(file, channels=3, expand_animations=False)

    def bmp() -> tf.Tensor:
        octets = tf.io.decode_raw(encoded, tf.uint8)
        plain = (octets[28] != 8) | _is_grey_ramp(octets)
        file = checked((plain, f" {_OTHER_BMP}."))
        image = tf.io.decode_bmp(file, channels=0)
        return tf.cond(
            tf.shape(image)[2] < 3, lambda: tf.repeat(image[..., :1], 3, 2), lambda: image[..., :3]
        )

    def turned(decode: Callable[[], tf.Tensor]) -> Callable[[], tf.Tensor]:
        return lambda: turn_upright(decode(), exif_orientation(encoded))

    def padding() -> tf.Tensor:
        return tf.zeros([1, 1, 3], tf.uint8)

    # One choice among many: each choice inside another would cost as much as decoding a small file.
    decoders = [png, jpeg, gif, bmp, padding, padding, alpha_png]
    decoders += [turned(png), turned(jpeg), *[padding] * 4, turned(alpha_png)]
    image = tf.switch_case(kind, decoders)
    image.set_shape([None, None, 3])
    return image


def decode_plain_png(encoded: tf.Tensor) -> tf.Tensor:
    """Decodes a png file of kind `PLAIN_PNG`, opaque and upright, to `[h, w, 3]` uint8."""
    # Not four channels for all: for 1, 2 and 4 bits, an opaque pixel's alpha is 1, 3 and 15 there.
    image = tf.io.decode_png(encoded, channels=3)
    image.set_shape([None, None, 3])
    return image


def lay_on_white(image: tf.Tensor) -> tf.Tensor:
    """`[h, w, 4]` uint8 with alpha to `[h, w, 3]` uint8."""
    colour, alpha = tf.cast(image[..., :3], tf.float32), tf.cast(image[..., 3:], tf.float32) / 255.0
    return tf.cast(tf.round(colour * alpha + 255.0 * (1.0 - alpha)), tf.uint8)


def _require(rules: dict[str, tf.Tensor], name: str, numbers: tf.Tensor) -> tf.Operation:
    """Names the first file that breaks a rule, and the rule; each is `[B]`."""
    kept = tf.stack([*rules.values()])

    def refuse() -> tf.Operation:
        file = tf.argmin(tf.cast(tf.reduce_all(kept, axis=0), tf.int32))
        rule = tf.gather([*rules], tf.argmin(tf.cast(kept[:, file], tf.int32)))
        place = place_of("file", numbers[file], name)
        return tf.debugging.Assert(False, [tf.strings.join([place, " ", rule, "."])])

    return tf.cond(tf.reduce_all(kept), tf.no_op, refuse)


def _is_grey_ramp(octets: tf.Tensor) -> tf.Tensor:
    """Whether a bmp's 256 colours (blue, green, red, 0) are the greys in order."""
    octets = tf.cast(tf.pad(octets, [[0, 2048]]), tf.int32)
    start = 14 + octets[14] + 256 * octets[15]
    palette = tf.reshape(octets[start : start + 1024], [256, 4])
    return tf.reduce_all(palette[:, :3] == tf.range(256)[:, None])

"""Which way is up: the orientation in a picture file's metadata, read and undone inside the graph.

References: Exif 2.32, section 4.6; TIFF 6.0, section 2; XMP, property tiff:Orientation.
"""

import tensorflow as tf

_TAG = 0x0112
_UPRIGHT = 1


def exif_orientation(encoded: tf.Tensor) -> tf.Tensor:
    """The orientation that a png or jpg file names, 1 to 8, int32 scalar; 1 where it names none.

    From the Exif data; where these say nothing, from XMP. `encoded` is a string scalar: the file,
    or as much of its beginning as holds the metadata.
    """
    # What lies before the first Exif data is taken away; what lies before XMP's property likewise.
    before_exif = r"^\C*?(eXIf|Exif\x00\x00)(II\*\x00|MM\x00\*)"
    tiff = tf.strings.regex_replace(encoded, before_exif, r"\2", replace_global=False)
    of_exif = _of_tiff(tf.cast(tf.io.decode_raw(tiff, tf.uint8), tf.int32))
    before_xmp = r'^\C*?tiff:Orientation(="|>)([1-8])\C*$'
    digit = tf.strings.regex_replace(encoded, before_xmp, r"\2", replace_global=False)
    has_xmp = tf.strings.regex_full_match(digit, "[1-8]")
    of_xmp = tf.strings.to_number(tf.where(has_xmp, digit, "1"), tf.int32)
    return tf.where((of_exif >= 1) & (of_exif <= 8), of_exif, of_xmp)


def turn_upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Undoes an orientation, an int32 scalar, of an image `[h, w, c]`; 5 to 8 swap h and w."""

    def one_of(*values: int) -> tf.Tensor:
        return tf.reduce_any(orientation == list(values))

    image = tf.cond(orientation >= 5, lambda: tf.transpose(image, [1, 0, 2]), lambda: image)
    image = tf.cond(one_of(3, 4, 7, 8), lambda: image[::-1], lambda: image)
    return tf.cond(one_of(2, 3, 6, 7), lambda: image[:, ::-1], lambda: image)


def _of_tiff(octets: tf.Tensor) -> tf.Tensor:
    """The tag's value in the first directory of TIFF data `[n]` int32; 0 if it is not there."""
    octets = tf.pad(octets, [[0, 16]])
    is_little = octets[0] == ord("I")

    def number(rows: tf.Tensor, start: int | tf.Tensor, count: int) -> tf.Tensor:
        parts = [rows[start + i] for i in range(count)]
        little = tf.add_n([part * 256**i for i, part in enumerate(parts)])
        big = tf.add_n([part * 256**i for i, part in enumerate(parts[::-1])])
        return tf.where(is_little, little, big)

    last = tf.size(octets) - 2
    directory = tf.clip_by_value(number(octets, 4, 4), 0, last)
    entries = tf.minimum(number(octets, directory, 2), (last - directory) // 12)
    table = tf.reshape(octets[directory + 2 : directory + 2 + 12 * entries], [-1, 12])
    columns = tf.transpose(table)
    values = tf.where(number(columns, 0, 2) == _TAG, number(columns, 8, 2), 0)
    return tf.reduce_max(tf.concat([[0], values], axis=0))

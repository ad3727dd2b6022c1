"""Every picture file is decoded in the graph as a viewer shows it, or refused in a sentence."""

import numpy as np
import pytest
import tensorflow as tf

from components.modalities import picture_files
from serving.files.picture_header import graph_can_read, read_header
from tests.picture_cases import HEIGHT, WIDTH, png_cases, save, saved_cases, viewer_picture

CASES = dict([*png_cases(), *saved_cases()])
MUST_BE_READ = [
    name
    for name in CASES
    if (name.startswith("png") and "tRNS" not in name) or name.startswith("JPEG")
] + ["BMP L", "BMP RGB", "GIF 1", "GIF L", "GIF P", "GIF RGB", "GIF animated", "PNG RGBA", "PNG P"]
"""All that the graph can show rightly: it must not take refuge in a refusal."""


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
def decode(files):
    kinds = picture_files.read_kinds(files, "query_x", tf.range(tf.size(files)), 1000 * 1000)
    return tf.map_fn(
        lambda file: picture_files.decode_picture(*file, tf.constant("file 0 of `query_x`"), 10**6),
        (files, kinds),
        fn_output_signature=tf.TensorSpec([None, None, 3], tf.uint8),
    )


@pytest.mark.parametrize("name", CASES)
def test_as_a_viewer_shows_it_or_refused(name):
    try:
        picture = decode(tf.constant([CASES[name]]))[0].numpy()
    except tf.errors.InvalidArgumentError as error:
        assert "file 0 of `query_x` " in error.message
        assert name not in MUST_BE_READ
        assert graph_can_read(read_header(CASES[name])) is not None
    else:
        np.testing.assert_allclose(picture, viewer_picture(CASES[name]), atol=1)


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded():
    small = CASES["png colour type 2, 8 bits"]
    sides = WIDTH.to_bytes(4, "big") + HEIGHT.to_bytes(4, "big")
    large = small.replace(sides, (30_000).to_bytes(4, "big") * 2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="1 to 1000000 pixels"):
        decode(tf.constant([small, large]))


@pytest.mark.parametrize("name", ["JPEG RGB", "png colour type 2, 8 bits", "GIF L", "BMP RGB"])
def test_what_is_cut_is_refused(name):
    for length in (3, 20, len(CASES[name]) // 2, len(CASES[name]) - 12):
        with pytest.raises(tf.errors.InvalidArgumentError):
            decode(tf.constant([CASES[name][:length]]))


def test_many_frames_of_a_gif_count_together():
    from PIL import Image

    frames = [Image.new("L", (500, 500), shade) for shade in range(8)]
    content = save(frames[0], "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(tf.errors.InvalidArgumentError, match="in all frames"):
        decode(tf.constant([content]))

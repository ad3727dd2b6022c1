"""Image files inside the graph: whole ones are decoded, others are refused by the input's name."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from components.modalities.base import ExampleSpec
from components.modalities.image import image_modality
from components.modalities.lookup import modality_for

IMAGES = image_modality(ExampleSpec("image", "uint8", (8, 8, 1)))


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def decode(encoded):
    return IMAGES.decode(encoded, "query_x", tf.range(tf.size(encoded)))


def file(kind: str, size: int = 40) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["png", "jpeg", "bmp", "gif"])
def test_a_file_of_any_size_is_decoded_and_the_empty_string_is_padding(kind):
    found = decode(tf.constant([file(kind), b"", file(kind, size=5)])).numpy()
    assert found.shape == (3, 8, 8, 1) and found.dtype == np.uint8
    assert found[0].any() and not found[1].any() and found[2].any()


@pytest.mark.parametrize("kind", ["png", "jpeg"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.99])
def test_a_file_that_ends_too_early_is_refused_by_the_name_of_the_input(kind, share):
    whole = file(kind)
    cut = whole[: int(share * len(whole))]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"`query_x` .* ends too early"):
        decode(tf.constant([whole, cut]))


def test_what_follows_the_end_of_an_image_does_no_harm():
    extra = decode(tf.constant([file("jpeg"), file("jpeg") + b"a camera's notes"])).numpy()
    assert (extra[0] == extra[1]).all()


def test_another_kind_of_file_is_refused():
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"file 1 of `query_x` must be a"):
        decode(tf.constant([file("png"), b"hello", b"%PDF"]))


def test_the_network_sees_an_inverted_image_where_the_spec_says_so():
    images = np.array([0, 51, 255], np.uint8).reshape(1, 1, 3, 1)
    for invert, seen in ((False, [0, 0.2, 1]), (True, [1, 0.8, 0])):
        modality = modality_for(ExampleSpec("image", "uint8", (3, 3, 1), invert=invert))
        np.testing.assert_allclose(modality.prepare(images).numpy().ravel(), seen, atol=1e-6)

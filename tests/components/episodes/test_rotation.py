import numpy as np
import pytest

from components.episodes.rotation import base_name, rotate_image, rotated_name
from components.modalities.base import ExampleSpec


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_rotated_name_leads_back_to_its_class(quarters):
    assert base_name(rotated_name("kana_03", quarters)) == "kana_03"
    assert (rotated_name("kana_03", quarters) == "kana_03") == (quarters == 0)


def test_a_quarter_is_counter_clockwise_and_four_are_none():
    spec = ExampleSpec("image", "uint8", (2, 2, 1))
    stored = bytes([1, 2, 3, 4])  # 1 2 / 3 4
    assert rotate_image(stored, spec, 1) == bytes([2, 4, 1, 3])
    assert rotate_image(rotate_image(stored, spec, 3), spec, 1) == stored


def test_a_colour_image_keeps_its_channels_together():
    spec = ExampleSpec("image", "uint8", (3, 3, 3))
    image = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    rotated = spec.from_bytes(rotate_image(image.tobytes(), spec, 1))
    assert np.array_equal(rotated[0, 0], image[0, 2])

import numpy as np
import pytest

from components.episode_gen import targets
from components.modalities.base import ExampleSpec

SPEC = ExampleSpec("image", "uint8", (2, 3, 1), target_shape=(2, 2))


def test_input_and_target_come_back_as_they_were():
    image = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    target = np.array([[0.1, -2.5], [3e8, 0.0]], np.float32)
    stored, found = targets.split(targets.join(image, target, SPEC), SPEC)
    assert np.array_equal(SPEC.from_bytes(stored), image)
    assert np.array_equal(found, target.ravel())


def test_a_target_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"must have shape \(2, 2\), got \(4,\)"):
        targets.join(np.zeros((2, 3, 1)), np.zeros(4), SPEC)


def test_the_spec_of_a_regression_comes_back_from_json():
    assert ExampleSpec.from_json(SPEC.to_json()) == SPEC
    assert "target_shape" not in ExampleSpec("text", "string", ()).to_json()

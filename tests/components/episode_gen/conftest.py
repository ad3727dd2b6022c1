"""A tiny folder of images: twelve classes of six, in three groups of four."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

CLASSES, IMAGES, GROUPS = 12, 6, 3


@pytest.fixture(scope="session")
def image_folder(tmp_path_factory) -> Path:
    """folder/class_00/0.png ..."""
    root = tmp_path_factory.mktemp("images")
    for number in range(CLASSES):
        _draw_class(root / f"class_{number:02d}", number)
    return root


@pytest.fixture(scope="session")
def grouped_folder(tmp_path_factory) -> Path:
    """folder/group_0/class_00/0.png ..."""
    root = tmp_path_factory.mktemp("grouped")
    for number in range(CLASSES):
        _draw_class(root / f"group_{number % GROUPS}" / f"class_{number:02d}", number)
    return root


def _draw_class(folder: Path, number: int) -> None:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(number)
    for image in range(IMAGES):
        pixels = rng.integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{image}.png")

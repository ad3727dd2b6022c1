"""The threshold of `init` lies between chance and what plain scripts reach on the same data."""

import numpy as np
import pytest
from PIL import Image

from components.episode_gen.inspection import inspect
from pipeline.first_config import first_config
from pipeline.first_threshold import baseline_threshold


@pytest.mark.parametrize(("noise", "threshold"), [(5, 0.75), (0, 0.75), (None, 0.5)])
def test_it_follows_from_the_scripts(tmp_path, noise, threshold):
    """Two ways: classes that pixels tell apart give halfway from 0.5 to 1; noise stays at 0.5."""
    rng = np.random.default_rng(0)
    for label in range(8):
        (tmp_path / f"class_{label}").mkdir()
        picture = rng.integers(20, 200, (28, 28, 3))
        for copy in range(6):
            own = rng.integers(0, 256, (28, 28, 3)) if noise is None else picture
            pixels = own + rng.integers(0, (noise or 0) + 2, (28, 28, 3))
            Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(
                tmp_path / f"class_{label}/{copy}.png"
            )
    values = first_config(inspect(tmp_path), {"ways": 2})
    assert baseline_threshold(values) == pytest.approx(threshold, abs=0.06)

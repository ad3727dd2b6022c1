"""A sheet shows the very examples: images as they are, recordings as spectrograms."""

import numpy as np
import pytest
from PIL import Image

from components.episode_gen.check import check_data
from components.episode_gen.options import DataOptions, EpisodeOptions
from components.episode_gen.preview import draw_episodes
from components.episode_gen.sheet import save_sheet
from components.episodes.format import Episode
from components.modalities.base import ExampleSpec
from serving.errors import UserError

EPISODES = EpisodeOptions(ways=2, shots=1, queries=3)
RATE = 8_000
AUDIO = ExampleSpec("audio", "float32", (None,), sample_rate=RATE)


@pytest.fixture(scope="module")
def checked(image_folder):
    data = DataOptions(source="folder", path=str(image_folder), image_size=8)
    return check_data(data, EPISODES)


def test_the_sheet_is_a_picture_with_a_panel_for_each_episode(checked, tmp_path):
    episodes = draw_episodes(checked, EPISODES, split="train", count=2)
    save_sheet(episodes[:1], checked.spec, tmp_path / "one.png")
    save_sheet(episodes, checked.spec, tmp_path / "two.png")
    one, two = (Image.open(tmp_path / name) for name in ("one.png", "two.png"))
    assert (two.width, two.height) == (one.width, 2 * one.height)
    assert len(one.getcolors(1 << 20)) > 50  # the images' greys
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.png", "two.png"]


def test_a_sheet_of_texts_is_refused(tmp_path):
    with pytest.raises(UserError, match="images and recordings: the data are text"):
        save_sheet([], ExampleSpec("text", "string", ()), tmp_path / "x.png")


def tone(hertz: float) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(RATE // 4) / RATE).astype(np.float32)


def test_recordings_of_different_lengths_make_a_sheet(tmp_path):
    examples = [tone(200), tone(300)[:500]]
    labels = np.array([0, 1], np.int32)
    episode = Episode(0, examples, labels, examples, labels, ["ann/yes", "ann/no"], ["a"] * 4)
    save_sheet([episode], AUDIO, tmp_path / "sheet.png")
    assert len(Image.open(tmp_path / "sheet.png").getcolors(1 << 20)) > 20

import numpy as np
import pytest

from components.episode_gen.check import check_data
from components.episode_gen.options import DataOptions, EpisodeOptions
from components.episode_gen.preview import describe, draw_episodes, summarise

EPISODES = EpisodeOptions(ways=2, shots=1, queries=3)


@pytest.fixture(scope="module")
def checked(image_folder):
    data = DataOptions(source="folder", path=str(image_folder), image_size=8)
    return check_data(data, EPISODES)


def test_the_summary_counts(checked):
    summary = summarise(checked)
    assert (summary["classes"], summary["examples"], summary["groups"]) == ("12", "72", "none")
    assert summary["examples per class"] == "6"
    assert summary["train classes"] == "8"


def test_the_previewed_episodes_are_those_of_the_split(checked):
    episodes = draw_episodes(checked, EPISODES, split="test", count=3)
    assert [episode.index for episode in episodes] == [0, 1, 2]
    for episode in episodes:
        assert set(episode.class_names) <= set(checked.splits["test"])
        assert np.shape(episode.support_x) == (2, 8, 8, 1)


def test_episodes_of_other_kinds_are_told_in_lines():
    options = EpisodeOptions(ways=1, shots=2, queries=1)
    source = check_data(DataOptions(source="sinusoid", tasks=9, examples_per_task=4), options)
    (episode,) = draw_episodes(source, options, split="test", count=1)
    title, *lines = describe(episode, source.spec)
    assert title == "episode 0" and len(lines) == 3
    x, y = episode.query_x[0][0], episode.query_y[0][0]
    assert lines[-1].split() == ["query", f"{x:.3f}", "->", f"{y:.3f}"]

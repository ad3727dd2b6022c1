"""The same configuration and seed give the same files, whoever writes them."""

import dataclasses
import hashlib
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import apache_beam as beam
import numpy as np
import pytest

from components.episode_gen import generate as generate_module
from components.episode_gen import table
from components.episode_gen.generate import generate_episodes
from components.episode_gen.options import (
    DataOptions,
    EpisodeCounts,
    EpisodeGenConfig,
    EpisodeOptions,
)
from components.episode_gen.table import read_used_ids
from components.episodes.dataset import read_split
from components.episodes.format import decode_episode
from components.episodes.record import read_record
from serving.errors import UserError

IN_MEMORY = ("--runner=FnApiRunner",)
TWO_PROCESSES = (*IN_MEMORY, "--direct_running_mode=multi_processing", "--direct_num_workers=2")


def config_of(folder: Path, **data) -> EpisodeGenConfig:
    return EpisodeGenConfig(
        DataOptions(source="folder", path=str(folder), image_size=8, **data),
        EpisodeOptions(
            ways=2,
            shots=1,
            queries=2,
            train_ways=4,
            counts=EpisodeCounts(train=30, eval=5, test=7),
            rotations="train",
        ),
    )


def generate(config: EpisodeGenConfig, folder: Path, args=IN_MEMORY) -> dict[str, str]:
    """Runs it; the hash of each file of episodes."""
    generate_episodes(
        config,
        uri=str(folder / "examples"),
        work=str(folder / "work"),
        make_pipeline=lambda: beam.Pipeline(argv=list(args)),
    )
    files = sorted((folder / "examples").glob("Split-*/*"))
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }


@pytest.fixture(scope="module")
def generated(image_folder, tmp_path_factory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("generated")
    return folder, generate(config_of(image_folder), folder)


def test_a_second_run_writes_the_same_bytes(generated, image_folder, tmp_path):
    assert generate(config_of(image_folder), tmp_path) == generated[1]


@pytest.mark.parametrize("max_used", [0, 10**6], ids=["all", "used"])
def test_the_join_writes_the_same_bytes_as_the_table(
    generated, image_folder, tmp_path, monkeypatch, max_used
):
    """An engine's way, on this runner; of all examples, and of those that are used."""
    monkeypatch.setattr(table, "MAX_USED", max_used)
    monkeypatch.setattr(generate_module, "_ON_THIS_MACHINE", "nowhere")
    few = config_of(image_folder, table_megabytes=0)
    counts = dataclasses.replace(few.episodes.counts, train=3, eval=1, test=1)
    few = dataclasses.replace(few, episodes=dataclasses.replace(few.episodes, counts=counts))
    joined = generate(few, tmp_path)
    assert not (tmp_path / "work" / "content.bin").exists()
    assert (read_used_ids(str(tmp_path / "work")) is None) == (max_used == 0)
    monkeypatch.undo()
    assert joined == generate(few, tmp_path / "again") != {}
    assert (tmp_path / "again" / "work" / "content.bin").exists()


def test_a_disk_without_room_is_one_sentence(image_folder, tmp_path, monkeypatch):
    usage = SimpleNamespace(free=100)
    monkeypatch.setattr(table.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(UserError, match=r"the class data need 0 MB of disk .* has 0 MB free"):
        generate(config_of(image_folder), tmp_path)


@pytest.mark.e2e
@pytest.mark.parametrize("table_megabytes", [0, 2048], ids=["join", "table"])
def test_two_processes_write_the_same_bytes(generated, image_folder, tmp_path, table_megabytes):
    config = config_of(image_folder, table_megabytes=table_megabytes)
    assert generate(config, tmp_path, TWO_PROCESSES) == generated[1]


def test_another_seed_gives_other_episodes_of_the_same_classes(generated, image_folder, tmp_path):
    config = config_of(image_folder)
    other = dataclasses.replace(config, episodes=dataclasses.replace(config.episodes, seed=1))
    hashes = generate(other, tmp_path)
    assert not set(hashes.values()) & set(generated[1].values())
    ours, theirs = (read_record(str(f / "examples")) for f in (generated[0], tmp_path))
    assert ours.splits_hash == theirs.splits_hash


def test_nothing_half_written_is_left(generated):
    assert all(name.endswith(".gz") for name in generated[1])


def test_the_episodes_are_what_the_record_says(generated):
    uri = str(generated[0] / "examples")
    record = read_record(uri)
    assert record.config["data"]["source"] == "folder"
    for split, count in record.counts.items():
        ways, shots, queries = record.shape_of(split)
        serialized = list(read_split(uri, split).as_numpy_iterator())
        episodes = [decode_episode(one, record.example_spec) for one in serialized]
        assert [episode.index for episode in episodes] == list(range(count))
        for episode in episodes:
            assert Counter(episode.support_y.tolist()) == dict.fromkeys(range(ways), shots)
            assert Counter(episode.query_y.tolist()) == dict.fromkeys(range(ways), queries)
            assert len(set(episode.example_ids)) == ways * (shots + queries)
            assert {name.partition("@")[0] for name in episode.class_names} <= set(
                record.splits[split]
            )


def test_an_episode_shows_the_images_that_it_names_turned_as_its_class_name_says(
    generated, image_folder
):
    from PIL import Image

    uri = str(generated[0] / "examples")
    spec = read_record(uri).example_spec
    turns = Counter()
    for serialized in read_split(uri, "train").as_numpy_iterator():
        episode = decode_episode(serialized, spec)
        labels = [*episode.support_y, *episode.query_y]
        images = [*episode.support_x, *episode.query_x]
        for label, image, example_id in zip(labels, images, episode.example_ids):
            name, _, degrees = episode.class_names[label].partition("@")
            assert example_id.startswith(name + "/")
            original = np.asarray(Image.open(image_folder / example_id))[:, :, None]
            assert np.array_equal(image, np.rot90(original, int(degrees or 0) // 90))
            turns[degrees] += 1
    assert set(turns) == {"", "90", "180", "270"}


def test_the_beam_metrics_count_what_was_written(image_folder, tmp_path, caplog):
    with caplog.at_level("INFO"):
        generate(config_of(image_folder), tmp_path)
    assert "train/episodes 30" in caplog.text
    assert "train/examples 360" in caplog.text  # 30 episodes x 4 ways x (1 + 2)
    assert "test/episodes 7" in caplog.text

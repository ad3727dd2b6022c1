import pytest
from pydantic import ValidationError

from components.episode_gen.options import (
    DataOptions,
    EpisodeCounts,
    EpisodeGenConfig,
    EpisodeOptions,
)
from components.options import build_options
from serving.errors import UserError


def test_it_comes_back_from_json_equal():
    config = EpisodeGenConfig(
        DataOptions(split_counts=(30, 10, 10), split_by="group"),
        EpisodeOptions(train_queries=1, counts=EpisodeCounts(5, 4, 3)),
    )
    assert EpisodeGenConfig.from_json(config.to_json()) == config


def test_training_episodes_may_have_a_shape_of_their_own():
    options = EpisodeOptions(ways=5, shots=1, queries=15, train_ways=20, train_queries=2)
    assert options.shape_of("train") == (20, 1, 2)
    assert options.shape_of("eval") == options.shape_of("test") == (5, 1, 15)


@pytest.mark.parametrize(
    ("rotations", "expected"),
    [("none", set()), ("train", {"train"}), ("all", {"train", "eval", "test"})],
)
def test_which_splits_are_rotated(rotations, expected):
    options = EpisodeOptions(rotations=rotations)
    assert {split for split in ("train", "eval", "test") if options.rotates(split)} == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ways": 0}, "`episodes.ways` must be at least 1; got 0"),
        ({"shots": 0}, "`episodes.shots` must be at least 1; got 0"),
        ({"train_queries": 0}, "`episodes.train_queries` must be at least 1"),
        ({"seed": -1}, "`episodes.seed` must be at least 0"),
        (
            {"counts": {"train": 0, "eval": 0, "test": 0}},
            "`episodes.counts` must ask for at least one",
        ),
        ({"counts": {"train": -1}}, "`episodes.counts.train` must be at least 0"),
        ({"wayz": 5}, "wayz"),
        ({"ways": "5"}, "valid integer"),
    ],
)
def test_wrong_episode_options_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        build_options(EpisodeOptions, options, "episodes")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source": "csv"}, "`data.source` must be one of glyphs, tfds, folder, .*: got 'csv'"),
        ({"source": "tfds"}, "`data.name` must name a TFDS builder"),
        ({"source": "folder"}, "`data.path` must be a folder"),
        ({"split_fractions": (0.9, 0.2, 0.1)}, "add up to at most 1"),
        ({"split_counts": (-1, 1, 1)}, r"`data.split_counts\.0` must be at least 0; got -1"),
        ({"source": "table"}, "`data.path` must be a CSV, TSV, JSONL or JSON file"),
        ({"group_pattern": "_.+_"}, "`data.group_pattern` must be .* with one parenthesis"),
        ({"group_pattern": "("}, "`data.group_pattern` must be a regular expression"),
        ({"eval_within": 0.2}, "`data.eval_within` can be set only where"),
        ({"split_by": "group", "eval_within": 1.0}, "`data.eval_within` must be below 1"),
        ({"max_seconds": 0.0}, "`data.max_seconds` must be above 0"),
        ({"sample_rate": 8}, "`data.sample_rate` must be at least 1000"),
        ({"image_size": 0}, "`data.image_size` must be at least 4"),
        ({"image_channels": 2}, "image_channels"),
    ],
)
def test_wrong_data_options_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        build_options(DataOptions, options, "data")


@pytest.mark.parametrize(
    ("source", "ways", "message"),
    [
        ("glyphs", {"ways": 1}, "`episodes.ways` must be at least 2: got 1"),
        ("glyphs", {"train_ways": 1}, "`episodes.train_ways` must be at least 2: got 1"),
        ("sinusoid", {"ways": 5}, "`episodes.ways` must be 1 .* one regression task: got 5"),
        ("sinusoid", {"ways": 1, "train_ways": 2}, "`episodes.train_ways` must be 1"),
    ],
)
def test_ways_fit_the_kind_of_episode(source, ways, message):
    with pytest.raises(ValidationError, match=message):
        EpisodeGenConfig(DataOptions(source=source), EpisodeOptions(**ways))

"""The order of training episodes, and what the configuration must not ask of the data."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

from components.episodes.format import Episode, encode_episode
from components.episodes.record import EpisodeSetRecord
from components.meta_trainer.options import AugmentOptions, TrainingOptions
from components.meta_trainer.training.input_pipeline import training_episodes
from components.modalities.base import ExampleSpec
from serving.errors import UserError

SPECS = {
    "image": ExampleSpec("image", "uint8", (4, 4, 1)),
    "text": ExampleSpec("text", "string", ()),
    "audio": ExampleSpec("audio", "float32", (None,), sample_rate=8_000),
}
COUNT, STACK = 12, 4


def varied(**augment) -> TrainingOptions:
    return TrainingOptions(episodes_per_step=STACK, augment=AugmentOptions(**augment))


@pytest.fixture
def stored(tmp_path) -> tuple[str, EpisodeSetRecord]:
    """Episodes 0 to 11, whose images say which they are of, in two files."""
    spec = SPECS["image"]
    (tmp_path / "Split-train").mkdir()
    for file in range(2):
        path = str(tmp_path / "Split-train" / f"data-{file}.gz")
        with tf.io.TFRecordWriter(path, "GZIP") as writer:
            for index in range(6 * file, 6 * file + 6):
                images, labels = [np.full(spec.shape, index, np.uint8)] * 2, np.arange(2)
                names = ["a", "b"], ["0", "1", "2", "3"]
                episode = Episode(index, images, labels, images, labels, *names)
                writer.write(encode_episode(episode, spec))
    return str(tmp_path), EpisodeSetRecord(1, spec, 2, 1, 1, {"train": COUNT}, 0, {}, {}, {})


def taken(stacks: tf.data.Dataset, first: int = 0) -> list[int]:
    """The numbers of two rounds of episodes, without the first so many stacks."""
    some = stacks.skip(first).take(2 * COUNT // STACK)
    return [int(number) for stack in some for number in stack.support_x[:, 0, 0, 0, 0]]


def test_each_round_has_all_episodes_and_only_the_first_lies_in_order(stored):
    numbers = taken(training_episodes(*stored, varied()))
    assert numbers[:COUNT] == list(range(COUNT))
    assert sorted(numbers[COUNT:]) == list(range(COUNT)) and numbers[COUNT:] != numbers[:COUNT]


def test_the_files_are_read_once(stored):
    stacks = iter(training_episodes(*stored, varied()))
    for _ in range(COUNT // STACK + 4):  # and what is prefetched
        next(stacks)
    shutil.rmtree(stored[0])
    seen = {int(next(stacks).support_x[0, 0, 0, 0, 0]) for _ in range(100)}
    assert seen == set(range(COUNT))


def test_a_resumed_run_begins_with_the_episodes_that_were_due(stored):
    numbers = taken(training_episodes(*stored, varied(), start_step=4))  # of the second round
    assert numbers[:8] == list(range(STACK, COUNT)) and sorted(numbers[8:20]) == list(range(COUNT))


@pytest.mark.parametrize(
    ("option", "value", "modality"),
    [("rotate", True, "image"), ("speed", 0.1, "audio"), ("drop_words", 0.1, "text")],
)
def test_an_augmentation_of_another_modality_is_refused_before_anything_is_read(
    option, value, modality
):
    for other, spec in SPECS.items():
        if other == modality:
            continue
        record = EpisodeSetRecord(1, spec, 2, 1, 1, {}, 0, {}, {}, {})
        message = rf"`training\.augment\.{option}` can be set for {modality} only: .* {other}"
        with pytest.raises(UserError, match=message):
            training_episodes("nowhere", record, varied(**{option: value}))


def test_inputs_are_not_varied_apart_from_their_targets():
    spec = ExampleSpec("image", "uint8", (4, 4, 1), target_shape=(4, 4, 1))
    record = EpisodeSetRecord(1, spec, 1, 1, 1, {}, 0, {}, {}, {})
    with pytest.raises(UserError, match="cannot be set for regression"):
        training_episodes("nowhere", record, varied(rotate=True))

"""From episodes on disk to stacks of episodes, faster than the trainer takes them."""

import functools
from collections.abc import Callable

import tensorflow as tf
from tensorflow.autograph.experimental import do_not_convert

from components.episodes.dataset import parse_episodes, read_split
from components.episodes.record import EpisodeSetRecord
from components.episodes.types import Episodes
from components.meta_trainer.augmentation import audio, image, text
from components.meta_trainer.augmentation.episodes import permute_labels, regroup
from components.meta_trainer.build import Assembly
from components.meta_trainer.options import AugmentOptions, TrainingOptions
from components.modalities.base import ExampleSpec
from components.tasks.lookup import task_of
from serving.errors import UserError

SHUFFLE_EPISODES = 20_000
AUGMENTED = dict.fromkeys(("rotate", "mirror", "affine"), "image")
AUGMENTED |= {"speed": "audio", "drop_words": "text"}
"""The modality that each option of `training.augment` is for."""
Parse = Callable[[tf.Tensor], Episodes]
"""Serialised episodes `[E]` to `Episodes`, with the inputs that meta-training sees."""


def training_episodes(
    uri: str,
    record: EpisodeSetRecord,
    options: TrainingOptions,
    start_step: int = 0,
    parse: Parse | None = None,
) -> tf.data.Dataset:
    """Endless stacks of `options.episodes_per_step` augmented training `Episodes`.

    In the first epoch they are in the order of the files, which is random already: so no step waits
    until a buffer is full. After it they come from memory, shuffled. A resumed run begins with the
    episodes of its first step, `start_step`, and sees another order than an uninterrupted run,
    drawn from (seed, start_step). Inputs have the stored dtype, since the graph prepares them,
    unless `parse` gives others.

    Raises:
      UserError: an augmentation is not for these data.
    """
    augment, seed = options.augment, options.seed
    ways, spec = record.shape_of("train")[0], record.example_spec
    _check_modality(augment, spec)

    def augmented(step: tf.Tensor, serialized: tf.Tensor) -> Episodes:
        episodes = parse(serialized) if parse else parse_episodes(serialized, spec)
        seeds = [tf.stack([tf.cast(seed, tf.int64), step * 4 + i]) for i in range(4)]
        if task_of(spec).classes:
            episodes = permute_labels(episodes, ways, seeds[0])
        if augment.regroup:
            episodes = regroup(episodes, seeds[1])
        if augment.rotate:
            episodes = image.rotate_classes(episodes, ways, seeds[2])
        if augment.mirror:
            episodes = image.mirror_classes(episodes, ways, seeds[2] + 1)
        if augment.affine:
            episodes = image.transform_classes(episodes, augment.affine, ways, seeds[3])
        if augment.speed:
            episodes = audio.change_speed(episodes, augment.speed, seeds[3])
        if augment.drop_words:
            episodes = text.drop_words(episodes, augment.drop_words, seeds[3])
        return episodes

    stored = read_split(uri, "train").cache()
    shuffled = stored.shuffle(SHUFFLE_EPISODES, seed=seed * 1_000_003 + start_step).repeat()
    seen = start_step * options.episodes_per_step % record.counts["train"]
    return (
        stored.skip(seen)
        .concatenate(shuffled)
        .batch(options.episodes_per_step, drop_remainder=True)
        .enumerate(start_step)
        .map(do_not_convert(augmented), num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(4)
    )


def _check_modality(augment: AugmentOptions, spec: ExampleSpec) -> None:
    chosen = {o: modality for o, modality in AUGMENTED.items() if getattr(augment, o)}
    for option, modality in chosen.items():
        if not task_of(spec).classes:
            raise UserError(
                f"`training.augment.{option}` cannot be set for regression, since it changes "
                "inputs without their targets. Take it out."
            )
        if spec.modality != modality:
            raise UserError(
                f"`training.augment.{option}` can be set for {modality} only: the data are "
                f"{spec.modality}. Take it out."
            )


def fixed_episodes(
    uri: str,
    record: EpisodeSetRecord,
    *,
    split: str,
    count: int,
    stack: int,
    parse: Parse | None = None,
) -> tf.data.Dataset:
    """The first `count` episodes of a split, always the same, in stacks of up to `stack`."""
    parse = parse or functools.partial(parse_episodes, spec=record.example_spec)
    return read_split(uri, split).take(count).batch(stack).map(do_not_convert(parse)).cache()


def prepare_inputs(episodes: Episodes, assembly: Assembly) -> Episodes:
    """The episodes with their inputs and labels as the learner sees them."""
    prepare, prepare_labels = assembly.modality.prepare, assembly.task.prepare_labels
    return Episodes(
        support_x=prepare(episodes.support_x),
        support_y=prepare_labels(episodes.support_y),
        query_x=prepare(episodes.query_x),
        query_y=prepare_labels(episodes.query_y),
    )

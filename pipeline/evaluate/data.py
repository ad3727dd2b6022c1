"""The classes that a model is evaluated on, and what an episode of them is."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from components.episode_gen.check import CheckedData, check_data
from components.episode_gen.inspection import inspect
from components.episode_gen.options import (
    DataOptions,
    EpisodeCounts,
    EpisodeGenConfig,
    EpisodeOptions,
)
from components.episodes.novelty import cautions, compare_splits
from components.episodes.record import hash_splits
from components.modalities.base import ExampleSpec
from components.options import build_options
from pipeline.config import load_config
from pipeline.evaluate.model import YAML, TrainedModel
from pipeline.first_config import split_question
from serving.errors import UserError

NAMES_DATA = ("source", "name", "path", "data_dir", "tfds_splits")
"""The options that say which data they are; the others say how the data are used."""


class Shape(NamedTuple):
    """What an episode is to be; None for what the model was trained for."""

    ways: int | None
    shots: int | None
    queries: int | None


class Task(NamedTuple):
    """The test episodes of an evaluation, to be generated."""

    config: EpisodeGenConfig
    checked: CheckedData  # with classes for `test` alone
    of_run: bool  # whether they are the test split of the model's own run
    small: Mapping[str, int]  # classes with too few examples, which are left out
    cautions: list[str]  # what to know of the result, a sentence each


def plan_task(
    model: TrainedModel,
    data: Path | None,
    shape: Shape,
    *,
    episodes: int,
    seed: int | None,
    split_by: str | None = None,
) -> Task:
    """Chooses classes that the model has never seen: of its own data, the test split.

    Args:
      model: the model.
      data: a configuration, a folder or a table, of which all classes are taken unless these are
        the data that the model was trained on; None for those.
      shape: ways, shots and queries.
      episodes: number of episodes.
      seed: seed of the episodes; None for that of the model's run.
      split_by: of folders in folders: "class" pools the classes of all groups, "group" does not.

    Raises:
      UserError: the model does not take such episodes, or the data do not have them.
    """
    own = build_options(DataOptions, model.config["data"], "data") if model.config else None
    options, of_run = _data_options(model, own, data, split_by)
    trained = model.config.get("episodes", {})
    ways = shape.ways or trained.get("ways") or model.metadata.get("ways", 1)
    _check_ways(model, ways)
    planned = EpisodeOptions(
        ways=ways,
        shots=shape.shots or trained.get("shots", 1),
        queries=shape.queries or trained.get("queries", 15),
        counts=EpisodeCounts(train=0, eval=0, test=episodes),
        rotations="all" if of_run and trained.get("rotations") == "all" else "none",
        seed=trained.get("seed", 0) if seed is None else seed,
    )
    checked = check_data(options, None)
    if _taken(checked.spec) != _taken(model.spec):
        raise UserError(
            f"`--data` must hold examples as the model takes them, {_words(model.spec)}: got "
            f"{_words(checked.spec)}."
        )
    if of_run and model.metadata.get("splits_hash") not in (None, hash_splits(checked.splits)):
        raise UserError(
            "the data must be as they were when the model was trained, or its test split is "
            "another and holds classes of its training: classes came or went since. Give new "
            "classes by `--data`."
        )
    seen = [] if own is None or of_run else _names_seen(own)
    return _restrict(EpisodeGenConfig(options, planned), checked, of_run, seen)


def _data_options(
    model: TrainedModel, own: DataOptions | None, data: Path | None, split_by: str | None
) -> tuple[DataOptions, bool]:
    """The section `data`, and whether it is `own`: that of the data the model was trained on."""
    if data is None:
        if own is None:
            raise UserError(
                f"`--data` must be given: no summary of a run tells what {model.folder} was "
                "trained on."
            )
        return own, True
    if data.suffix in YAML:
        other = load_config(data).data
    else:
        look = inspect(data, split_by=split_by)
        if look.split_like and not split_by:
            raise UserError(split_question(look.split_like))
        if look.modality != model.spec.modality:
            raise UserError(
                f"`--data` must hold examples as the model takes them, {_words(model.spec)}: "
                f"{data} holds {look.modality}."
            )
        other = build_options(DataOptions, look.data, "data")
    if own is not None and _named(own) == _named(other):
        return own, True
    every: dict[str, Any] = {
        "split_counts": None,
        "split_fractions": (0.0, 0.0, 1.0),
        "eval_within": None,
    }
    return dataclasses.replace(other, **every, **_prepared_as(model)), False


def _named(data: DataOptions) -> list[Any]:
    path = None if data.path is None else str(Path(data.path).expanduser().resolve())
    return [path if name == "path" else getattr(data, name) for name in NAMES_DATA]


def _prepared_as(model: TrainedModel) -> dict[str, Any]:
    """The options that make examples what the model takes."""
    spec = model.spec
    if spec.modality == "image":
        size = {"image_size": spec.shape[0], "image_channels": spec.shape[-1]}
        return size | {"invert": spec.invert, "max_pixels": spec.max_pixels}
    if spec.modality == "audio":
        rate = {"sample_rate": spec.sample_rate, "max_seconds": spec.max_seconds}
        return rate | {"resample": True, "downmix": True}
    return {}


def _check_ways(model: TrainedModel, ways: int) -> None:
    if not model.spec.has_classes and ways != 1:
        raise UserError(
            f"`--ways` must be 1 for a model of regression, whose episode is one task: got {ways}."
        )
    if model.spec.has_classes and ways < 2:
        raise UserError(f"`--ways` must be at least 2: got {ways}.")
    largest = model.metadata.get("max_ways")
    if largest is not None and ways > largest:
        raise UserError(
            f"`--ways` must be at most the {largest} classes that this {model.metadata['learner']} "
            f"model can take: got {ways}. Lower it, or train with as many."
        )


def _names_seen(own: DataOptions) -> list[str]:
    """Names of the classes that the model was trained on; none where its data are gone."""
    try:
        splits = check_data(own, None).splits
    except UserError:
        return []
    return splits["train"] + splits["eval"]


def _restrict(
    config: EpisodeGenConfig, checked: CheckedData, of_run: bool, seen: Sequence[str]
) -> Task:
    """Keeps the classes of `test` that have the examples of an episode."""
    episodes, examples = config.episodes, checked.catalogue.examples
    needed = episodes.shots + episodes.queries
    names = checked.splits["test"]
    large = [name for name in names if len(examples[name]) >= needed]
    if len(large) < episodes.ways:
        raise UserError(
            f"`--ways` must be at most the classes with {episodes.shots} shots + "
            f"{episodes.queries} queries, `--shots` and `--queries`: got {episodes.ways}, and "
            f"{len(large)} of the {len(names)} {'test ' if of_run else ''}classes have as many."
        )
    small = {name: len(examples[name]) for name in names if len(examples[name]) < needed}
    by_group = config.data.split_by == "group"
    novelty = compare_splits(
        checked.splits | {"test": large}, checked.catalogue.groups, by_group=by_group
    )
    told = cautions(novelty, episodes.ways) if checked.spec.has_classes else []
    again = sorted(set(seen) & set(large))
    if again:
        told.append(
            f"{len(again)} of the classes have names of classes that the model was trained on, as "
            f"{again[0]!r}: if they are the same, they are not new"
        )
    checked = checked._replace(splits={"train": [], "eval": [], "test": large})
    return Task(config, checked, of_run, small, told)


def _taken(spec: ExampleSpec) -> tuple[Any, ...]:
    """What of an example a model is bound to; how files become examples, it need not be."""
    return spec.modality, spec.dtype, spec.shape, spec.target_shape, spec.phrases, spec.sample_rate


def _words(spec: ExampleSpec) -> str:
    """A form of examples in words."""
    shape = " x ".join("any" if size is None else str(size) for size in spec.shape)
    rate = f"of {spec.sample_rate} samples a second" if spec.sample_rate else shape
    target = f" with targets of shape {list(spec.target_shape)}" if spec.target_shape else ""
    return f"{spec.modality} {rate}{target}".replace("  ", " ").strip()

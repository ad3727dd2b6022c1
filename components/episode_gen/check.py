"""Finding a user's mistakes in the sections `data` and `episodes` before anything runs."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from components import user_modules
from components.episode_gen.catalogue import Catalogue, build_catalogue
from components.episode_gen.options import DataOptions, EpisodeOptions, check_ways
from components.episode_gen.sources import open_source
from components.episode_gen.sources.base import Source
from components.episode_gen.splits import split_classes
from components.episodes import SPLITS
from components.episodes.rotation import base_name
from components.modalities.base import ExampleSpec
from serving.errors import UserError


class CheckedData(NamedTuple):
    """Data that episodes can be drawn from.

    Attributes:
      source: the opened source.
      spec: shape, dtype and preparation of one example.
      catalogue: the classes and their examples.
      splits: the class names of each split.
      fingerprint: changes when the data do.
      skipped: unreadable examples that are left out, by `data.unreadable`: example id -> reason.
    """

    source: Source
    spec: ExampleSpec
    catalogue: Catalogue
    splits: dict[str, list[str]]
    fingerprint: str
    skipped: Mapping[str, str]


def check_data(data: DataOptions, episodes: EpisodeOptions) -> CheckedData:
    """Opens the source and checks that the episodes can be drawn from it.

    Nothing is decoded, so this takes seconds; data that can be downloaded or drawn are.

    Raises:
      UserError: see `open_source`, `split_classes` and `check_episodes`.
    """
    source = open_source(data)
    check_ways(data, episodes, source.spec.regression)
    catalogue = build_catalogue(source.catalogue(), by_group=data.split_by == "group")
    splits = split_classes(catalogue, data)
    check_episodes(catalogue, splits, episodes)
    can_rotate = source.spec.modality == "image" and not source.spec.regression
    if episodes.rotations != "none" and not can_rotate:
        raise UserError(
            f"`episodes.rotations` can be {episodes.rotations} for classes of images only: the "
            f"data are {source.spec.modality}. Set it to none."
        )
    if episodes.rotations != "none":
        _check_names(catalogue)
    # Only sources of a user's own files skip any.
    skipped = getattr(source, "skipped", {})
    return CheckedData(source, source.spec, catalogue, splits, _fingerprint(source, data), skipped)


def _fingerprint(source: Source, data: DataOptions) -> str:
    """The source's own, joined by a hash of the code of a user's own source."""
    code = [
        hashlib.sha256(Path(file).read_bytes()).hexdigest()
        for file in user_modules.files(data.source)
    ]
    return " ".join([source.fingerprint(), *code])


def _check_names(catalogue: Catalogue) -> None:
    """Rotated classes differ in their names alone, as "kana_03@90"."""
    for name in catalogue.examples:
        if base_name(name) != name:
            raise UserError(
                f"a class name must not end in @90, @180 or @270 when `episodes.rotations` is set: "
                f"got {name!r}. Rename the class, or set it to none."
            )


def check_episodes(
    catalogue: Catalogue, splits: dict[str, list[str]], episodes: EpisodeOptions
) -> None:
    """Checks that every split has enough classes, and every class enough examples.

    Raises:
      UserError: it has not; the message names the split, the class or the group.
    """
    for split in SPLITS:
        if not getattr(episodes.counts, split):
            continue
        ways, shots, queries = episodes.shape_of(split)
        classes = splits[split]
        own = "train_" if split == "train" else ""
        if len(classes) < ways:
            raise UserError(
                f"`episodes.{_name(episodes, own, 'ways')}` must be at most the number of classes "
                f"in a split: got {ways}, and {split} has {len(classes)} of the "
                f"{len(catalogue.examples)} classes. Lower it, or change `data.split_counts` or "
                f"`data.split_fractions`."
            )
        if episodes.within_group(split):
            _check_groups(catalogue, classes, _name(episodes, own, "ways"), ways)
        smallest = min(classes, key=lambda name: len(catalogue.examples[name]))
        have = len(catalogue.examples[smallest])
        if shots + queries > have:
            raise UserError(
                f"`episodes.{_name(episodes, own, 'shots')}` + "
                f"`episodes.{_name(episodes, own, 'queries')}` must be at most the examples of "
                f"each class: got {shots} + {queries}, and class {smallest!r} ({split}) has "
                f"{have}. Lower them, or leave that class out."
            )


def _check_groups(catalogue: Catalogue, classes: list[str], option: str, ways: int) -> None:
    """Every group must have enough classes for an episode of its own."""
    alone = next((name for name in classes if name not in catalogue.groups), None)
    if alone is not None:
        raise UserError(
            "`episodes.train_within_group` can be set only where every class of train has one "
            f"group: {alone!r} has none, or several. Set `data.split_by` to group, or unset it."
        )
    sizes = Counter(catalogue.groups[name] for name in classes)
    group, have = min(sizes.items(), key=lambda item: (item[1], item[0]))
    if have < ways:
        raise UserError(
            f"`episodes.{option}` must be at most the classes of each group of train when "
            f"`episodes.train_within_group` is set: got {ways}, and group {group!r} has {have}. "
            "Lower it, or leave that group out."
        )


def _name(episodes: EpisodeOptions, own: str, option: str) -> str:
    """The option that holds: `train_ways` where it is set, else `ways`."""
    return own + option if own and getattr(episodes, own + option) is not None else option

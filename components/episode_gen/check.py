"""Finding a user's mistakes in the sections `data` and `episodes` before anything runs."""

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from components import own_code
from components.episode_gen.catalogue import Catalogue, build_catalogue
from components.episode_gen.copies import without_copies
from components.episode_gen.options import DataOptions, EpisodeOptions, check_ways
from components.episode_gen.sources import open_source
from components.episode_gen.sources.base import Source
from components.episode_gen.splits import split_classes
from components.episodes import SPLITS
from components.episodes.rotation import base_name
from components.modalities.base import ExampleSpec
from serving.errors import UserError

MAX_NAMES = 20  # maximal number of classes that an error names


class CheckedData(NamedTuple):
    """Data that episodes can be drawn from."""

    source: Source  # the opened source
    spec: ExampleSpec  # shape, dtype and preparation of one example
    catalogue: Catalogue  # the classes and their examples
    splits: dict[str, list[str]]  # the class names of each split
    fingerprint: str  # changes when the data do
    # Unreadable examples that are left out, by `data.unreadable`: example id -> reason.
    skipped: Mapping[str, str]
    ignored: Mapping[str, str]  # files that nobody would take for an example: name -> reason
    copies: Mapping[str, str]  # examples that equal another: example id -> the first of them
    # Those of different classes, which no episode holds together: example id -> the first.
    across: Mapping[str, str]
    # Classes that are left out, by `data.min_examples`: name -> number of examples.
    small: Mapping[str, int]


def check_data(data: DataOptions, episodes: EpisodeOptions | None) -> CheckedData:
    """Opens the source and checks that the episodes can be drawn from it; `None` for no episodes.

    Nothing is decoded, so this takes seconds; data that can be downloaded or drawn are.

    Raises:
      UserError: see `open_source`, `split_classes` and `check_episodes`.
    """
    source = open_source(data)
    if episodes is not None:
        check_ways(data, episodes, not source.spec.has_classes)
    catalogue = build_catalogue(source.catalogue(), by_group=data.split_by == "group")
    # Only sources of a user's own files leave any out.
    skipped, ignored, copies = (
        getattr(source, name, {}) for name in ("skipped", "ignored", "copies")
    )
    listed = catalogue.size()
    catalogue, across = without_copies(catalogue, copies)
    catalogue, small = without_small_classes(catalogue, data.min_examples)
    splits = split_classes(catalogue, data)
    if data.split_by == "given":
        catalogue = dataclasses.replace(catalogue, groups={})
    if episodes is not None:
        hint = f" ({len(copies)} of {listed} examples equal another one.)" if copies else ""
        check_episodes(catalogue, splits, episodes, hint)
        _check_rotations(catalogue, source.spec, episodes.rotations)
    # The code of a user's own source counts, too.
    code = [Path(file).read_bytes() for file in own_code.files(data.source)]
    hashes = [hashlib.sha256(text).hexdigest() for text in code]
    fingerprint = " ".join([source.fingerprint(), *hashes])
    left_out = (skipped, ignored, copies, across, small)
    return CheckedData(source, source.spec, catalogue, splits, fingerprint, *left_out)


def without_small_classes(
    catalogue: Catalogue, min_examples: int
) -> tuple[Catalogue, dict[str, int]]:
    """Leaves out the classes with fewer examples; gives them too: name -> number of examples."""
    small = {name: len(ids) for name, ids in catalogue.examples.items() if len(ids) < min_examples}
    if not small:
        return catalogue, {}
    examples = {name: ids for name, ids in catalogue.examples.items() if name not in small}
    groups = {name: group for name, group in catalogue.groups.items() if name not in small}
    return Catalogue(examples, groups), small


def _check_rotations(catalogue: Catalogue, spec: ExampleSpec, rotations: str) -> None:
    """Classes of images alone can be rotated; they differ in their names alone, "kana_03@90"."""
    if rotations == "none":
        return
    if spec.modality != "image" or not spec.has_classes:
        raise UserError(
            f"`episodes.rotations` can be {rotations} for classes of images only: the data are "
            f"{spec.modality}. Set it to none."
        )
    for name in catalogue.examples:
        if base_name(name) != name:
            raise UserError(
                f"a class name must not end in @90, @180 or @270 when `episodes.rotations` is set: "
                f"got {name!r}. Rename the class, or set it to none."
            )


def check_episodes(
    catalogue: Catalogue, splits: dict[str, list[str]], episodes: EpisodeOptions, hint: str = ""
) -> None:
    """Checks that every split has enough classes, and every class enough examples.

    Raises:
      UserError: it has not; the message names the split, the class or the group, and then `hint`.
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
        needed = shots + queries
        small = [name for name in classes if len(catalogue.examples[name]) < needed]
        if small:
            named = ", ".join(
                f"{name!r} ({len(catalogue.examples[name])})" for name in small[:MAX_NAMES]
            )
            more = f" and {len(small) - MAX_NAMES} more" if len(small) > MAX_NAMES else ""
            raise UserError(
                f"`episodes.{_name(episodes, own, 'shots')}` + "
                f"`episodes.{_name(episodes, own, 'queries')}` must be at most the examples of "
                f"each class: got {shots} + {queries}, and of the {len(classes)} classes of "
                f"{split} {len(small)} have fewer: {named}{more}. Lower them, or set "
                f"`data.min_examples` to {needed}: it leaves these classes out.{hint}"
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

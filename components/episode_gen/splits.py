"""Splits classes into meta-train, meta-validation and meta-test: disjoint and seeded."""

import hashlib
import itertools
from collections.abc import Iterable

from components.episode_gen.catalogue import Catalogue
from components.episode_gen.options import DataOptions
from components.episodes import SPLITS
from serving.errors import UserError
from serving.files.folders import SPLIT_NAMES


def split_classes(catalogue: Catalogue, data: DataOptions) -> dict[str, list[str]]:
    """Assigns classes to splits; gives the sorted class names of each.

    - No class is in two splits; by group, no group is either.
    - The result depends on the names, the seed and the sizes alone.
    - With `split_counts` that add up to less than there are, the rest is in no split.
    - With splits that are given, each class is in the one that its group names.
    - With `eval_within`, classes for `eval` are taken from the groups of `train` and `eval`.

    Raises:
      UserError: more classes (or groups) are asked for than there are, or some class has no group.
    """
    if data.split_by == "given":
        return _given(catalogue)
    classes = {name: [name] for name in catalogue.examples}
    units = classes if data.split_by == "class" else _classes_of_groups(catalogue)
    order = rank(units, seed=data.seed)
    sizes = _sizes(len(order), data)
    splits, start = {}, 0
    for split, size in zip(SPLITS, sizes):
        chosen = order[start : start + size]
        splits[split] = sorted(name for unit in chosen for name in units[unit])
        start += size
    return splits if data.eval_within is None else _within(splits, data)


def _within(splits: dict[str, list[str]], data: DataOptions) -> dict[str, list[str]]:
    """Assigns the classes of `train` and `eval` anew, whatever their group."""
    order = rank(splits["train"] + splits["eval"], seed=data.seed)
    size = round((data.eval_within or 0.0) * len(order))
    return splits | {"train": sorted(order[size:]), "eval": sorted(order[:size])}


def _given(catalogue: Catalogue) -> dict[str, list[str]]:
    """The splits that the groups of the classes name."""
    splits: dict[str, list[str]] = {split: [] for split in SPLITS}
    for name in catalogue.examples:
        split = SPLIT_NAMES.get(catalogue.groups.get(name, "").lower())
        if split is None:
            where = repr(catalogue.groups.get(name, "none, or several"))
            raise UserError(
                "`data.split_by` can be given only where each class is in one folder or group "
                f"called {', '.join(SPLIT_NAMES)}: {name!r} is in {where}. Rename or move it, or "
                "split by class."
            )
        splits[split].append(name)
    return splits


def rank(names: Iterable[str], *, seed: int) -> list[str]:
    """The names sorted by a hash keyed with the seed: a new name changes the order of no others."""
    key = f"splits {seed}".encode()

    def hash_of(name: str) -> tuple[bytes, str]:
        return hashlib.blake2b(name.encode(), key=key, digest_size=16).digest(), name

    return sorted(names, key=hash_of)


def _sizes(available: int, data: DataOptions) -> list[int]:
    if data.split_counts is not None:
        if sum(data.split_counts) > available:
            raise UserError(
                f"`data.split_counts` must add up to at most the {available} {_plural(data)} that "
                f"there are: got {list(data.split_counts)}."
            )
        return list(data.split_counts)
    # Rounding the ends, not the sizes, shares out every class when the fractions add up to 1.
    ends, total = [0], 0.0
    for fraction in data.split_fractions:
        total += fraction
        ends.append(min(round(total * available), available))
    return [end - start for start, end in itertools.pairwise(ends)]


def _plural(data: DataOptions) -> str:
    return "classes" if data.split_by == "class" else "groups"


def _classes_of_groups(catalogue: Catalogue) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in catalogue.examples:
        if name not in catalogue.groups:
            raise UserError(
                f"`data.split_by` can be group only where every class has one: {name!r} has none. "
                "Set `data.group_feature`, or split by class."
            )
        groups.setdefault(catalogue.groups[name], []).append(name)
    return groups

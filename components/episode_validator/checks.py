"""The rules that a set of episodes must keep, as pure functions.

Each yields a sentence for each violation; none means that the rule holds.
"""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from components.episodes import EpisodeShape
from components.episodes.format import Episode
from components.episodes.record import EpisodeSetRecord
from components.episodes.rotation import base_name


def check_splits(record: EpisodeSetRecord) -> Iterator[str]:
    """Checks that no class, and by group no group, is in two splits."""
    by_group = record.split_by == "group"
    split_of: dict[str, str] = {}
    for split, names in record.splits.items():
        units = {f"class {name!r}" for name in names}
        if by_group:
            units |= {f"group {record.groups[name]!r}" for name in names if name in record.groups}
        for unit in sorted(units):
            shares_groups = record.eval_within_groups and split == "eval"
            on_purpose = shares_groups and unit.startswith("group")
            if unit in split_of and not on_purpose:
                yield f"{unit} is in two splits, {split_of[unit]} and {split}"
            split_of[unit] = split


def check_episode(
    episode: Episode,
    shape: EpisodeShape,
    classes: frozenset[str],
    *,
    rotated: bool,
    size: int | None = None,
    target_size: int = 0,
    phrases: bool = False,
) -> Iterator[str]:
    """Checks the rules of one episode, whose examples are stored bytes.

    - There are N different classes, all of the episode's split; no class twice, rotated or not.
    - Only with `rotated` may a name end in "@90", "@180" or "@270".
    - Every label has exactly K support and Q query examples; of a regression task there are K and
      Q in all, each with a finite target of `target_size` values (0 for class labels).
    - With `phrases` there are K and Q in all, each with a phrase; no phrase is in both.
    - No example is in both support and query, or twice in either.
    - Every example has `size` bytes (None where they differ).
    """
    names = [base_name(name) if rotated else name for name in episode.class_names]
    if len(names) != shape.ways:
        yield f"has {len(names)} classes, not {shape.ways}"
    for name, count in Counter(names).items():
        if count > 1:
            yield f"has class {name!r} {count} times"
        if name not in classes:
            yield f"has class {name!r}, which is not in its split"
    if phrases:
        yield from _check_phrases("support", episode.support_y.tolist(), shape.shots)
        yield from _check_phrases("query", episode.query_y.tolist(), shape.queries)
        for phrase in sorted(set(episode.support_y) & set(episode.query_y)):
            yield f"has the phrase {phrase.decode()!r} in both support and query"
    elif target_size:
        yield from _check_targets("support", episode.support_y, shape.shots, target_size)
        yield from _check_targets("query", episode.query_y, shape.queries, target_size)
    else:
        yield from _check_labels("support", episode.support_y.tolist(), shape.ways, shape.shots)
        yield from _check_labels("query", episode.query_y.tolist(), shape.ways, shape.queries)
    support = len(episode.support_x)
    for part, examples, labels in (
        ("support", episode.support_x, episode.support_y),
        ("query", episode.query_x, episode.query_y),
    ):
        if len(examples) != len(labels):
            yield f"has {len(examples)} {part} examples and {len(labels)} {part} labels"
        if size is not None:
            for length in sorted({len(stored) for stored in examples} - {size}):
                yield f"has a {part} example of {length} bytes, not {size}"
    if len(episode.example_ids) != support + len(episode.query_x):
        yield f"has {len(episode.example_ids)} example ids, not one for each example"
    both = set(episode.example_ids[:support]) & set(episode.example_ids[support:])
    for example_id in sorted(both):
        yield f"has example {example_id!r} in both support and query"
    for example_id, count in Counter(episode.example_ids).items():
        if count > 1 and example_id not in both:
            yield f"has example {example_id!r} {count} times"


def _check_labels(part: str, labels: list, ways: int, each: int) -> Iterator[str]:
    counts = Counter(labels)
    for label in sorted(set(range(ways)) | set(counts)):
        if not 0 <= label < ways:
            yield f"has {part} label {label}, which is not in 0..{ways - 1}"
        elif counts[label] != each:
            yield f"has {counts[label]} {part} examples of label {label}, not {each}"


def _check_phrases(part: str, phrases: list[bytes], each: int) -> Iterator[str]:
    if len(phrases) != each:
        yield f"has {len(phrases)} {part} examples, not {each}"
    if not all(phrase.strip() for phrase in phrases):
        yield f"has an empty phrase among its {part} phrases"


def _check_targets(part: str, targets: np.ndarray, each: int, size: int) -> Iterator[str]:
    if targets.shape != (each, size):
        yield f"has {part} targets of shape {targets.shape}, not {(each, size)}"
    elif not np.isfinite(targets).all():
        yield f"has a NaN or an infinity among its {part} targets"

"""Accuracy by group (alphabet, speaker, domain), and how far it falls on unseen domains."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from components.episodes.record import EpisodeSetRecord
from components.episodes.rotation import base_name
from components.few_shot_evaluator.metrics import Interval, mean_interval


def accuracy_of_groups(
    class_names: Sequence[str], labels: np.ndarray, right: np.ndarray, groups: Mapping[str, str]
) -> dict[str, float]:
    """The accuracy of each group's queries in one episode; the label -1 (padding) does not count.

    `class_names` are in the order of the labels; not every class is in one of the `groups`.
    """
    group_of = [groups.get(base_name(name)) for name in class_names]
    of_group: dict[str, list[bool]] = {}
    for label, is_right in zip(labels, right):
        group = group_of[label] if label >= 0 else None
        if group is not None:
            of_group.setdefault(group, []).append(bool(is_right))
    return {group: float(np.mean(each)) for group, each in sorted(of_group.items())}


def right_of_classes(
    class_names: Sequence[str], labels: np.ndarray, right: np.ndarray
) -> dict[str, list[float]]:
    """By class of one episode: how many queries are right, and how many there are."""
    sums: dict[str, list[float]] = {}
    for label, is_right in zip(labels, right):
        if label >= 0:
            of_class = sums.setdefault(base_name(class_names[label]), [0.0, 0.0])
            of_class[0] += float(is_right)
            of_class[1] += 1.0
    return sums


def per_group(of_episodes: Sequence[Mapping[str, float]]) -> dict[str, dict[str, Any]]:
    """Means over the episodes that hold a group: `{group: {accuracy, ci95, episodes}}`.

    ci95 is `None` for a group that is in one episode alone.
    """
    of_group: dict[str, list[float]] = {}
    for episode in of_episodes:
        for group, accuracy in episode.items():
            of_group.setdefault(group, []).append(accuracy)
    return {group: _mean(of_group[group]) for group in sorted(of_group)}


def has_new_domains(record: EpisodeSetRecord) -> bool:
    """Whether `eval` holds new classes of the groups of `train`, and `test` only other groups."""
    train, eval_, test = (
        {record.groups.get(name) for name in record.splits[split]}
        for split in ("train", "eval", "test")
    )
    return None not in train | test and bool(eval_) and eval_ <= train and not test & train


def drop(within: Sequence[float], across: Sequence[float]) -> dict[str, Any]:
    """How far the accuracy falls from new classes of known domains to new domains.

    Takes the accuracies of episodes `within` the domains of meta-training and `across` to others;
    gives accuracy, ci95 and episodes of `within`, and drop and drop_ci95 in the same unit (the
    episodes differ, so variances add).
    """
    before, after = mean_interval(within), mean_interval(across)
    half_width = float(np.hypot(before.half_width, after.half_width))
    return _mean(within) | {
        "drop": round(before.mean - after.mean, 6),
        "drop_ci95": round(half_width, 6),
    }


def _mean(accuracies: Sequence[float]) -> dict[str, Any]:
    one = len(accuracies) < 2
    interval = Interval(float(np.mean(accuracies)), 0.0) if one else mean_interval(accuracies)
    return {
        "accuracy": round(interval.mean, 6),
        "ci95": None if one else round(interval.half_width, 6),
        "episodes": len(accuracies),
    }

"""A first configuration for a user's own data: small enough to run, right enough to start from."""

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from components.episode_gen.inspection.base import Inspection
from components.episodes import SPLITS
from components.episodes.novelty import Novelty, cautions
from pipeline import first_rules
from serving.errors import UserError
from serving.files.folders import SPLIT_NAMES, SplitLike

MIN_CLASSES = 6
MAX_WAYS = 5
MAX_TRAIN_QUERIES = 5
MAX_NAMES = 20
"""Maximal number of classes that an error names."""
MANY_EXAMPLES = 10
"""From this many examples in every class on, episodes have five shots instead of one."""


def first_config(
    inspection: Inspection, given: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Any]:
    """The sections of a first configuration for a user's data, where they differ from the defaults.

    Every split gets enough classes for an episode, and an episode fits into the smallest class:
    classes that are too small are left out where enough others are there. `given` are choices in
    place of guesses, or None: `ways`, `shots`, `queries`, `learner`.

    Raises:
      UserError: there are too few classes or examples for any episode, or for the one asked for.
    """
    by_group = inspection.data.get("split_by") == "group"
    shots, queries = episode_examples(inspection, given)
    sizes = {n: size for n, size in inspection.class_sizes.items() if size >= shots + queries}
    small = sorted(set(inspection.class_sizes) - set(sizes))
    groups = Counter(name.partition("/")[0] for name in sizes) if by_group else Counter()
    own_splits = inspection.data.get("split_by") == "given"
    if len(sizes) < MIN_CLASSES or (by_group and len(groups) < 3):
        raise UserError(
            f"few-shot learning needs at least {MIN_CLASSES} classes (2 each to train, to validate "
            "and to test), in at least 3 groups if there are groups: the data have "
            f"{len(sizes)} classes{f' in {len(groups)} groups' if by_group else ''}"
            f"{_small_names(inspection, small, shots + queries)}. Add more."
        )
    if by_group and min(groups.values()) < 2:
        raise UserError("every group needs at least 2 classes. Merge or extend the small ones.")
    # A group may be alone in its split.
    guess = min(groups.values()) if by_group else max(2, len(sizes) // 5)
    guess = min(_given_counts(sizes)) if own_splits else guess
    ways = given.get("ways") or min(MAX_WAYS, guess)
    rule = first_rules.rule_for(inspection, given.get("learner"))
    # Of recordings, a group is a speaker: telling speakers apart is no help with their words.
    within = {"train_within_group": True} if by_group and inspection.modality == "audio" else {}
    min_examples = {"min_examples": shots + queries} if small else {}
    counts = _split_counts(len(groups), 1) if by_group else _split_counts(len(sizes), ways)
    counts = _given_counts(sizes) if own_splits else counts
    classes = min(groups.values()) * (1 if within else counts[0]) if by_group else counts[0]
    names = first_rules.learner_names(rule, shots)
    name = given.get("learner") or names[0]
    _check_learner(name)
    # For other learners it was not measured whether more ways help.
    more = {"train_ways": first_rules.training_ways(rule, ways, classes)} if name in names else {}
    train = more | {"train_queries": min(MAX_TRAIN_QUERIES, queries)}
    episode = {"ways": ways, "shots": shots, "queries": queries, **train}
    split_counts = {} if own_splits else {"split_counts": counts}
    return {
        "data": {**inspection.data, **min_examples, **split_counts},
        "episodes": {**episode, **within, "counts": rule.counts},
        "learner": first_rules.learner_section(rule, name),
        "training": first_rules.TRAINING | rule.training,
        "evaluation": {"episodes": 600},
    }


def candidates(inspection: Inspection, config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The sections `learner` that `init --try` compares, by name, for a first configuration."""
    rule = first_rules.rule_for(inspection)
    names = first_rules.learner_names(rule, config["episodes"]["shots"])
    return {name: first_rules.learner_section(rule, name) for name in names}


def episode_examples(inspection: Inspection, given: Mapping[str, Any]) -> tuple[int, int]:
    """Shots and queries that fit the smallest class, or all but a tenth of the classes."""
    sizes = sorted(inspection.class_sizes.values(), reverse=True)
    # The classes that an episode must fit: all, unless some have a single example.
    usable = [size for size in sizes if size >= 2]
    if len(usable) < MIN_CLASSES:
        usable = sizes[:MIN_CLASSES]
    smallest = usable[-1] if usable else 0
    wanted = (given.get("shots") or 1) + (given.get("queries") or 1)
    if smallest < wanted and len([size for size in sizes if size >= wanted]) >= MIN_CLASSES:
        smallest = min(size for size in sizes if size >= wanted)
    shots = given.get("shots") or (5 if smallest >= MANY_EXAMPLES else 1)
    most = first_rules.RULES[first_rules.kind_of(inspection)].max_queries
    return shots, given.get("queries") or max(1, min(most, smallest - shots))


def _given_counts(names: Iterable[str]) -> list[int]:
    """Classes of each given split, by names as "train/oak"; UserError where it has fewer than 2."""
    found = Counter(SPLIT_NAMES.get(name.partition("/")[0].lower()) for name in names)
    if min(found[split] for split in SPLITS) < 2:
        raise UserError(
            "`--split-by given` needs folders called train, val and test, of at least 2 classes "
            f"each: got {', '.join(sorted({name.partition('/')[0] for name in names}))}."
        )
    return [found[split] for split in SPLITS]


def _split_counts(units: int, least: int) -> list[int]:
    """Classes or groups for train, eval and test.

    The test split gets at least twice what one episode takes, where the other two can spare it:
    else its episodes are all of the same classes, or of one group.
    """
    held_out, test = max(least, round(0.16 * units)), max(least, round(0.2 * units))
    if units - held_out - 2 * least >= 2 * least:
        test = max(test, 2 * least)
    return [units - held_out - test, held_out, test]


def _small_names(inspection: Inspection, small: list[str], needed: int) -> str:
    if not small:
        return ""
    names = ", ".join(f"{name!r} ({inspection.class_sizes[name]})" for name in small[:MAX_NAMES])
    more = f" and {len(small) - MAX_NAMES} more" if len(small) > MAX_NAMES else ""
    return f" of at least {needed} examples; {len(small)} have fewer: {names}{more}"


def _check_learner(name: str) -> None:
    from components import user_modules
    from components.meta_trainer.learners import TABLE

    if name not in TABLE and not user_modules.is_own(name):
        raise UserError(f"`--learner` must be one of {', '.join(sorted(TABLE))}: got {name!r}.")


def split_question(split_like: SplitLike) -> str:
    """Asks whether folders are splits or groups, with what to set in either case."""
    names = ", ".join(repr(name) for name in split_like.names[:6])
    names += ", ..." if len(split_like.names) > 6 else ""
    signs = [
        *(["are called as the splits of a data set"] if split_like.by_name else []),
        *(["hold the same classes"] if split_like.same_classes else []),
    ]
    disjoint = split_like.by_name and not split_like.same_classes
    given = ", or `--split-by given` to keep them as the splits" if disjoint else ""
    return (
        f"the folders {names} {' and '.join(signs)}: give `--split-by class` (`data.split_by: "
        "class`) to pool them, so that a class is in one split alone, or `--split-by group` "
        "(`data.split_by: group`) if they are groups on purpose, as speakers of the same words"
        f"{given}."
    )


def result_cautions(config: Mapping[str, Any], split_like: SplitLike | None) -> list[str]:
    """What to know of results of this configuration, a sentence each."""
    by_group = config["data"].get("split_by") == "group"
    ways = config["episodes"]["ways"]
    if "split_counts" not in config["data"]:
        return []
    test = config["data"]["split_counts"][2]
    shared = ["?"] if by_group and split_like and split_like.same_classes else []
    novelty = Novelty(2 * ways if by_group else test, test if by_group else 0, shared)
    return cautions(novelty, ways)


NOTES = {
    "data": "# What lies at the path; `fewshot data inspect` shows more of it.",
    "episodes": "# An episode: N ways, K shots of each, and queries per class.",
    "learner": "# Chosen by the kind of data; `fewshot init --try` compares others.",
    "training": "# Until meta-validation no longer rises, within this budget.",
    "evaluation": "# Blessed above the threshold and ahead of every plain script: set your own.",
    "serving": "# What the model is served as.",
}


def as_yaml(config: dict[str, Any]) -> str:
    """The configuration as the text of a YAML file, with a comment above each section."""
    import yaml

    return "\n".join(
        f"{NOTES[section]}\n"
        + yaml.safe_dump({section: values}, sort_keys=False, default_flow_style=None)
        for section, values in config.items()
    )

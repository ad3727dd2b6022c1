"""A first configuration for a user's own data: small enough to run, right enough to start from."""

from typing import Any, NamedTuple

from components.episode_gen.inspection.base import Inspection
from serving.errors import UserError

MAX_WAYS = 5
MANY_EXAMPLES = 15
"""From this many examples in every class on, episodes have five shots instead of one."""


class Preset(NamedTuple):
    """Settings for a modality that train for some minutes on two cores.

    Attributes:
      max_queries: query examples of each class, or as many as there are.
      counts: episodes of each split.
      learner, training: sections of the configuration.
    """

    max_queries: int
    counts: dict[str, int]
    learner: dict[str, Any]
    training: dict[str, Any]


PRESETS: dict[str, Preset] = {
    "image": Preset(
        10,
        {"train": 5000, "eval": 200, "test": 600},
        {"name": "maml"},
        {"steps": 1000, "episodes_per_step": 8},
    ),
    "text": Preset(
        10,
        {"train": 1000, "eval": 200, "test": 600},
        {"name": "protonet", "backbone": {"name": "embedding_bag"}},
        {"steps": 200, "episodes_per_step": 4, "meta_learning_rate": 0.003, "eval_every": 50},
    ),
    "audio": Preset(
        5,
        {"train": 300, "eval": 60, "test": 600},
        {
            "name": "protonet",
            "backbone": {"name": "conv4", "filters": 32, "pooling": "flatten"},
        },
        {
            "steps": 300,
            "episodes_per_step": 4,
            "eval_every": 50,
            "eval_episodes": 60,
            "augment": {"speed": 0.15},
        },
    ),
}


def first_config(inspection: Inspection) -> dict[str, Any]:
    """The sections of a first configuration for a user's data, where they differ from the defaults.

    Every split gets enough classes for an episode, and an episode fits into the smallest class.

    Raises:
      UserError: there are too few classes or examples for any episode.
    """
    groups = {name.partition("/")[0] for name in inspection.class_sizes}
    by_group = inspection.data.get("split_by") == "group"
    classes = len(inspection.class_sizes)
    if classes < 6 or (by_group and len(groups) < 3):
        raise UserError(
            "few-shot learning needs at least 6 classes (2 each to train, to validate and to "
            f"test), in at least 3 groups if there are groups: the data have {classes} classes"
            f"{f' in {len(groups)} groups' if by_group else ''}. Add more."
        )
    smallest = min(inspection.class_sizes, key=lambda name: inspection.class_sizes[name])
    examples = inspection.class_sizes[smallest]
    if examples < 2:
        raise UserError(
            f"every class needs at least 2 examples, one to learn from and one to classify: "
            f"{smallest!r} has {examples}. Add more, or take that class out."
        )
    ways = _ways(inspection, groups) if by_group else max(2, min(MAX_WAYS, classes // 5))
    shots = 5 if examples >= MANY_EXAMPLES else 1
    units, min_units = (len(groups), 1) if by_group else (classes, ways)
    held_out, test = max(min_units, round(0.16 * units)), max(min_units, round(0.2 * units))
    preset = PRESETS[inspection.modality]
    # Of recordings, a group is a speaker: telling speakers apart is no help with their words.
    within = {"train_within_group": True} if by_group and inspection.modality == "audio" else {}
    return {
        "data": {**inspection.data, "split_counts": [units - held_out - test, held_out, test]},
        "episodes": {
            "ways": ways,
            "shots": shots,
            "queries": min(preset.max_queries, examples - shots),
            **within,
            "counts": preset.counts,
        },
        "learner": preset.learner,
        "training": preset.training,
        "evaluation": {"threshold": round(1 / ways + 0.2, 2), "episodes": 600},
    }


def _ways(inspection: Inspection, groups: set[str]) -> int:
    """The ways for splits by group: no more than the smallest group has classes.

    It may be alone in its split.
    """
    smallest = min(
        sum(name.partition("/")[0] == group for name in inspection.class_sizes) for group in groups
    )
    if smallest < 2:
        raise UserError("every group needs at least 2 classes. Merge or extend the small ones.")
    return min(MAX_WAYS, smallest)


NOTES = {
    "data": "# What lies at the path; `fewshot data inspect` shows more of it.",
    "episodes": "# An episode: N ways, K shots of each, and queries per class.",
    "learner": "# `fewshot run --set learner.name=NAME` tries another: maml, protonet, anil, ...",
    "training": "# A first budget; more steps give better models.",
    "evaluation": "# Accuracy on unseen classes that the lower 95% bound must reach: set your own.",
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

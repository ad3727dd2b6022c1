"""`report.html`: an evaluation to read, in one file that needs no other.

`page.html` holds what the reports of all task types have, and each type's own page fills its
blocks.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jinja2
import yaml
from markupsafe import Markup

from components.episodes.dataset import split_files
from components.episodes.format import Episode, decode_episode, decode_stored
from components.episodes.novelty import cautions, compare_splits, start_cautions
from components.episodes.record import EpisodeSetRecord
from components.few_shot_evaluator import figures
from components.few_shot_evaluator.options import EvaluationOptions
from components.tasks.task import Task

Bar = tuple[str, float, float]
"""A name, a score and its 95% half-width."""


class Evaluation(NamedTuple):
    """A finished evaluation, as a report shows it.

    `history` may be empty; its rows are {step, loss, score, eval_score ...}. The episodes that are
    shown are read from `examples_uri`, the location of the Examples artifact.
    """

    metrics: dict[str, Any]  # content of `metrics.json`
    results: Sequence[Any]  # one an episode
    record: EpisodeSetRecord
    options: EvaluationOptions
    metadata: dict[str, Any]  # content of the model's `fewshot_model.json`
    history: Sequence[dict[str, Any]]  # content of the training's `history.json`
    examples_uri: str


def render(page: str, evaluation: Evaluation, *, pictures: Mapping[str, str], **own: Any) -> str:
    """The report as one HTML page, of the template at the path `page` within this package.

    `pictures` are SVG by the name that the template uses, "" where there is nothing to draw; `own`
    are further variables of this template.
    """
    loader = jinja2.PackageLoader(__package__, package_path="")
    record = evaluation.record
    novelty = compare_splits(record.splits, record.groups, by_group=record.split_by == "group")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(page).render(
        m=evaluation.metrics,
        figures={name: Markup(svg) for name, svg in pictures.items()},
        splits=record.splits,
        test_split=novelty,
        cautions=[
            *(cautions(novelty, record.ways) if record.example_spec.has_classes else []),
            *start_cautions(evaluation.metadata),
        ],
        configuration={
            "evaluation": _as_yaml(vars(evaluation.options)),
            "data and episodes": _as_yaml(record.config),
            "model": _as_yaml(evaluation.metadata),
        },
        **own,
    )


def comparison_bars(metrics: dict[str, Any], task: Task) -> list[Bar]:
    """The bars of the evaluated model and, below it, of all that it is compared with."""
    rows = [("this model", metrics[task.metric], metrics["ci95"])]
    compared = metrics["baseline_model"] or {}
    if task.metric in compared:
        rows.append(("the best blessed model", compared[task.metric], compared["ci95"]))
    widths, differences = metrics["half_widths"]["baselines"], metrics["baseline_differences"]
    return rows + [
        (differences[name]["words"], score, widths[name])
        for name, score in metrics["baselines"].items()
    ]


def curves(
    metrics: dict[str, Any],
    *,
    score: str,
    shots: str,
    of_steps: Sequence[tuple[str, float]] = (),
    of_shots: Sequence[tuple[str, float]] = (),
) -> dict[str, str]:
    """Draws the pictures `per_step` and `per_shots`, each with its reference lines (name, score).

    `score` is the label of the vertical axes, `shots` of the horizontal axis of `per_shots`.
    """
    curve = functools.partial(figures.curve, y_label=score)
    steps, per_shots, widths = metrics["per_step"], metrics["per_shots"], metrics["half_widths"]
    pictures = {"per_step": "", "per_shots": ""}
    if steps:
        pictures["per_step"] = curve(
            range(len(steps)), steps, widths["per_step"], x_label="inner steps", references=of_steps
        )
    if len(per_shots) > 1:
        k, widths_k = [int(k) for k in per_shots], list(widths["per_shots"].values())
        scores = list(per_shots.values())
        pictures["per_shots"] = curve(k, scores, widths_k, x_label=shots, references=of_shots)
    return pictures


def read_episodes(evaluation: Evaluation, indices: Sequence[int]) -> dict[int, Episode]:
    """Reads the test episodes of the given indices."""
    import tensorflow as tf

    wanted, episodes = set(indices), {}
    for path in split_files(evaluation.examples_uri, "test") if wanted else []:
        for serialized in tf.data.TFRecordDataset(path, "GZIP").as_numpy_iterator():
            index = decode_stored(serialized).index
            if index in wanted:
                episodes[index] = decode_episode(serialized, evaluation.record.example_spec)
    return episodes


def _as_yaml(values: dict[str, Any]) -> str:
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)

"""`report.html`: an evaluation to read, in one file that needs no other.

`page.html` holds what the reports of all types of task have, and each type's own page fills its
blocks.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jinja2
import yaml
from markupsafe import Markup

from components.episodes.dataset import split_files
from components.episodes.format import Episode, decode_episode, decode_stored
from components.episodes.record import EpisodeSetRecord
from components.few_shot_evaluator import figures
from components.few_shot_evaluator.options import EvaluationOptions
from components.few_shot_evaluator.summary import NO_ADAPTATION
from components.tasks.task import Task

Bar = tuple[str, float, float]
"""A name, a score and its 95% half-width."""


class Evaluated(NamedTuple):
    """What a page tells of.

    Attributes:
      metrics: the content of `metrics.json`.
      results: one an episode.
      record: of the episodes.
      options: how the model was judged.
      metadata: what the model says of itself.
      history: of the training, rows of {step, loss, score, eval_score ...}; may be empty.
      examples_uri: where the episodes that are shown are read from.
    """

    metrics: dict[str, Any]
    results: Sequence[Any]
    record: EpisodeSetRecord
    options: EvaluationOptions
    metadata: dict[str, Any]
    history: Sequence[dict[str, Any]]
    examples_uri: str


def render(page: str, evaluated: Evaluated, *, pictures: Mapping[str, str], **own: Any) -> str:
    """A page.

    Args:
      page: its template, in this package or a folder in it.
      evaluated: what it tells of.
      pictures: SVG by the name that the template calls it; "" where there is nothing to draw.
      **own: what only this template asks for.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__, package_path=""),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(page).render(
        m=evaluated.metrics,
        figures={name: Markup(svg) for name, svg in pictures.items()},
        splits=evaluated.record.splits,
        configuration={
            "evaluation": _as_yaml(vars(evaluated.options)),
            "data and episodes": _as_yaml(evaluated.record.config),
            "model": _as_yaml(evaluated.metadata),
        },
        **own,
    )


def to_beat(metrics: dict[str, Any], task: Task, names: Mapping[str, str]) -> list[Bar]:
    """The model that is judged, and below it whatever it is compared with.

    Args:
      metrics: the content of `metrics.json`.
      task: whose metric is shown.
      names: of the baselines, as the report calls them.
    """
    names = {NO_ADAPTATION: "the model without adaptation", **names}
    rows = [("this model", metrics[task.metric], metrics["ci95"])]
    compared = metrics["baseline_model"] or {}
    if task.metric in compared:
        rows.append(("the last blessed model", compared[task.metric], compared["ci95"]))
    widths = metrics["half_widths"]["baselines"]
    return rows + [
        (names[name], score, widths[name]) for name, score in metrics["baselines"].items()
    ]


def curves(
    metrics: dict[str, Any],
    *,
    score: str,
    shots: str,
    of_steps: Sequence[tuple[str, float]] = (),
    of_shots: Sequence[tuple[str, float]] = (),
) -> dict[str, str]:
    """The pictures `per_step` and `per_shots`.

    Args:
      metrics: the content of `metrics.json`.
      score, shots: what the axes are called.
      of_steps, of_shots: the references of each, (name, score).
    """
    steps, per_shots, widths = metrics["per_step"], metrics["per_shots"], metrics["half_widths"]
    return {
        "per_step": figures.curve(
            range(len(steps)),
            steps,
            widths["per_step"],
            x_label="inner steps",
            y_label=score,
            references=of_steps,
        )
        if steps
        else "",
        "per_shots": figures.curve(
            [int(k) for k in per_shots],
            list(per_shots.values()),
            list(widths["per_shots"].values()),
            x_label=shots,
            y_label=score,
            references=of_shots,
        )
        if len(per_shots) > 1
        else "",
    }


def read_episodes(evaluated: Evaluated, indices: Sequence[int]) -> dict[int, Episode]:
    """The test episodes of the given indices."""
    import tensorflow as tf

    wanted, found = set(indices), {}
    for path in split_files(evaluated.examples_uri, "test") if wanted else []:
        for serialized in tf.data.TFRecordDataset(path, "GZIP").as_numpy_iterator():
            index = decode_stored(serialized).index
            if index in wanted:
                found[index] = decode_episode(serialized, evaluated.record.example_spec)
    return found


def _as_yaml(values: dict[str, Any]) -> str:
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)

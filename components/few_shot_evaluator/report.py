"""`report.html`: an evaluation to read, in one file that needs no other."""

from collections.abc import Sequence
from typing import Any

import jinja2
import numpy as np
import yaml
from markupsafe import Markup

from components.episodes.dataset import split_files
from components.episodes.format import Episode, decode_episode, decode_stored
from components.episodes.record import EpisodeSetRecord
from components.few_shot_evaluator import baselines, figures
from components.few_shot_evaluator.metrics import confusion
from components.few_shot_evaluator.options import EvaluationOptions
from components.few_shot_evaluator.scoring import EpisodeResult
from components.few_shot_evaluator.thumbnails import thumbnail

NAMES = {
    baselines.NEAREST_CENTROID: "nearest centroid on raw inputs",
    baselines.NO_ADAPTATION: "the model without adaptation",
}


def render(
    metrics: dict[str, Any],
    results: Sequence[EpisodeResult],
    *,
    record: EpisodeSetRecord,
    options: EvaluationOptions,
    metadata: dict[str, Any],
    history: Sequence[dict[str, Any]],
    examples_uri: str,
) -> str:
    """The page.

    Args:
      metrics: the content of `metrics.json`.
      results: one an episode.
      record: of the episodes.
      options: how the model was judged.
      metadata: what the model says of itself.
      history: of the training, rows of {step, loss, score, eval_score ...}; may be empty.
      examples_uri: where the worst episodes are read from.
    """
    by_index = {result.index: result for result in results}
    shown = [one["index"] for one in metrics["worst_episodes"]]
    episodes = read_episodes(examples_uri, record, shown)
    return template("report.html").render(
        m=metrics,
        lower=metrics["accuracy"] - metrics["ci95"],
        figures={name: Markup(svg) for name, svg in _figures(metrics, results, history).items()},
        worst=[_worst(episodes[index], by_index[index], record) for index in shown],
        splits=record.splits,
        configuration={
            "evaluation": as_yaml(vars(options)),
            "data and episodes": as_yaml(record.config),
            "model": as_yaml(metadata),
        },
    )


def template(name: str) -> jinja2.Template:
    """A page of this package, or of a folder in it."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__, package_path=""),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def read_episodes(uri: str, record: EpisodeSetRecord, indices: Sequence[int]) -> dict[int, Episode]:
    """The test episodes of the given indices."""
    import tensorflow as tf

    wanted, found = set(indices), {}
    for path in split_files(uri, "test") if wanted else []:
        for serialized in tf.data.TFRecordDataset(path, "GZIP").as_numpy_iterator():
            index = decode_stored(serialized).index
            if index in wanted:
                found[index] = decode_episode(serialized, record.example_spec)
    return found


def _figures(
    metrics: dict[str, Any],
    results: Sequence[EpisodeResult],
    history: Sequence[dict[str, Any]],
) -> dict[str, str]:
    """The SVG of each figure; "" where there is nothing to draw."""
    chance = 1.0 / metrics["ways"]
    widths, compared = metrics["half_widths"], metrics["baseline_model"] or {}
    rows = [("this model", metrics["accuracy"], metrics["ci95"])]
    if "accuracy" in compared:
        rows.append(("the last blessed model", compared["accuracy"], compared["ci95"]))
    rows += [
        (NAMES[name], value, widths["baselines"][name])
        for name, value in metrics["baselines"].items()
    ]
    centroid = metrics["baselines"][baselines.NEAREST_CENTROID]
    steps, shots = metrics["per_step"], metrics["per_shots"]
    return {
        "accuracies": figures.accuracies([*rows, ("chance", chance, 0.0)], chance=chance),
        "distribution": figures.distribution(
            [result.score for result in results], mean=metrics["accuracy"]
        ),
        "per_step": figures.curve(
            range(len(steps)),
            steps,
            widths["per_step"],
            x_label="inner steps",
            references=[("nearest centroid", centroid), ("chance", chance)],
        )
        if steps
        else "",
        "per_shots": figures.curve(
            [int(k) for k in shots],
            list(shots.values()),
            list(widths["per_shots"].values()),
            x_label="shots",
            references=[("chance", chance)],
        )
        if len(shots) > 1
        else "",
        "reliability": figures.reliability(metrics["calibration"]["bins"]),
        "loss": figures.training(history, keys=("loss", "eval_loss"), y_label="loss"),
        "accuracy": figures.training(history, keys=("score", "eval_score"), y_label="accuracy"),
    }


def _worst(episode: Episode, result: EpisodeResult, record: EpisodeSetRecord) -> dict[str, Any]:
    """One of the worst episodes for the template: a row a class, with its pictures and what its
    queries were taken for."""

    def show(example: Any) -> Markup:
        return Markup(thumbnail(example, record.example_spec))

    queries = list(zip(episode.query_x, episode.query_y, result.predictions, result.confidences))
    table = confusion(np.array(result.predictions), episode.query_y, ways=record.ways)
    return {
        "index": result.index,
        "accuracy": result.score,
        "classes": [
            {
                "name": name,
                "support": [
                    show(x) for x, y in zip(episode.support_x, episode.support_y) if y == label
                ],
                "queries": [
                    {"picture": show(x), "prediction": p, "confidence": sure}
                    for x, y, p, sure in queries
                    if y == label
                ],
                "taken_for": table[label].tolist(),
            }
            for label, name in enumerate(episode.class_names)
        ],
    }


def as_yaml(values: dict[str, Any]) -> str:
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)

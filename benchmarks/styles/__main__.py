"""A model of styles in colour beside its baselines, on styles and pictures that it has never seen.

    python -m benchmarks.styles MODEL [--pictures FOLDER] [--episodes 200] [--record]

MODEL is the version folder of a model of `pipeline/configs/styles_in_colour.yaml`, FOLDER one of
pictures to try too, which are named `--pictures-are`. Each trial is of other styles than
meta-training had, and `new_kinds` of effects that it never met. Results go to `styles.json`, some
episodes into the picture `styles.png`.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reporting import about, add_record_option, hide_notices, read_result, report
from benchmarks.styles.picture import save_picture
from benchmarks.styles.table import TRIALS, table

NAME = "styles"
SHOTS, QUERIES = 5, 5
FIRST_TASK = 1_000_000
"""Seed of the first style: far from those of meta-training, 0 to 899."""


def main() -> None:
    """Runs the benchmark as its command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="version folder of the model")
    parser.add_argument("--pictures", help="folder of pictures")
    parser.add_argument("--pictures-are", default="pictures of a folder", help="what these are")
    parser.add_argument("--episodes", type=int, default=200)
    add_record_option(parser)
    arguments = parser.parse_args()
    hide_notices()
    trials = {name: None for name in TRIALS}
    if arguments.pictures is None:
        del trials["folder"]
    else:
        trials["folder"] = arguments.pictures
    for name, pictures in trials.items():
        measured = measure(name, arguments.model, pictures, arguments.episodes, arguments.results)
        if name == "folder":
            measured["pictures"] = arguments.pictures_are
        result = read_result(NAME, arguments.results)
        report(
            NAME, {"trials": result.get("trials", {}) | {name: measured}}, arguments.results, table
        )


def measure(
    name: str, model_folder: str, pictures: str | None, count: int, results: Path
) -> dict[str, Any]:
    """Scores the model and each baseline on the episodes of a trial."""
    from components.episode_gen.sources.styles_in_colour import SPEC
    from components.episodes.types import Episodes
    from components.few_shot_evaluator.model import ExportedModel
    from components.few_shot_evaluator.regression import baselines
    from components.few_shot_evaluator.regression.scoring import structural_similarity
    from components.tasks.lookup import task_of
    from components.tasks.regression import mean_squared_error

    before, model = about(), ExportedModel(model_folder, task_of(SPEC))
    errors: dict[str, list[float]] = {}
    similar: dict[str, list[float]] = {}
    kinds, shown = [], []
    for kinds_of_style, x, y in draw_episodes(name, pictures, count):
        support = x[:SHOTS], y[:SHOTS]
        query, truth = x[SHOTS:], y[SHOTS:]
        episode = Episodes(*(part[np.newaxis] for part in (*support, query, truth)))
        answers = {
            "model": model.predict(episode)[0],
            baselines.MEAN_TARGET: baselines.mean_target(support[1], len(query)),
            baselines.IDENTITY: baselines.identity(query),
        }
        for of_degree, degree in baselines.COLOUR_MAPS.items():
            answers[of_degree] = baselines.colour_map(*support, query, degree)
        for key, answer in answers.items():
            one, other = answer[np.newaxis], truth[np.newaxis]
            errors.setdefault(key, []).append(float(mean_squared_error(one, other)[0]))
            similar.setdefault(key, []).append(float(structural_similarity(one, other)[0]))
        kinds.append(kinds_of_style)
        if len(shown) < 40:
            shown.append((kinds_of_style, support, query, answers, truth))
    if name == "styles":
        save_picture(shown, results / f"{NAME}.png")
    best = min((key for key in errors if key != "model"), key=lambda key: np.mean(errors[key]))
    return before | {
        "episodes": count,
        "mean_squared_error": {key: interval(each) for key, each in errors.items()},
        "structural_similarity": {key: interval(each) for key, each in similar.items()},
        "best_baseline": best,
        "by_effect": {
            effect: {
                "episodes": int(chosen.sum()),
                **{key: interval(np.array(errors[key])[chosen]) for key in ("model", best)},
            }
            for effect in sorted({effect for each in kinds for effect in each})
            if (chosen := np.array([effect in each for each in kinds])).sum() > 1
        },
    }


def draw_episodes(
    name: str, pictures: str | None, count: int
) -> Iterator[tuple[list[str], np.ndarray, np.ndarray]]:
    """Episodes: names of a style's effects, pictures `[S + Q, H, W, 3]`, the same in the style."""
    from components.episode_gen.colour_styles.style import draw_new_style, draw_style
    from components.episode_gen.options import DataOptions
    from components.episode_gen.sources.styles_in_colour import pair_function

    draw = draw_new_style if name == "new_kinds" else draw_style
    options = DataOptions(
        source="styles_in_colour", path=pictures, examples_per_task=SHOTS + QUERIES
    )
    draw_pairs = pair_function(draw, options)
    for task in range(FIRST_TASK, FIRST_TASK + count):
        kinds = [effect.name for effect in draw(np.random.RandomState([task]))]
        pairs = draw_pairs(np.random.RandomState([task]), SHOTS + QUERIES)
        x, y = (np.stack(side) for side in zip(*pairs))
        yield kinds, x, y


def interval(values: Any) -> list[float]:
    """The mean and its 95% half-width."""
    values = np.asarray(values)
    return [
        round(float(values.mean()), 5),
        round(float(1.96 * values.std(ddof=1) / len(values) ** 0.5), 5),
    ]


if __name__ == "__main__":
    main()

"""Learners of phrases on languages never seen, beside joint training and the lexical baselines.

    python -m benchmarks.phrasebook RUN [RUN ...] [--episodes 200] [--seconds 240] [--record]

RUN is the folder of a run of `pipeline/configs/languages_phrasebook_k20.yaml` or `_k100`. Its model
is scored, and learners trained on its episodes, each for so many seconds at most: on the same
first test episodes, so that every difference is paired, by language. The rate of fine-tuning is the
best of `RATES` on the `eval` episodes. Results go to `phrasebook.json`.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.phrasebook.table import ANIL, FINE_TUNED, JOINT, RIDGE, table
from benchmarks.reporting import (
    UNRECORDED,
    about,
    add_record_option,
    hide_notices,
    read_result,
    report,
)

NAME = "phrasebook"
RATES = (1.0, 3.0, 10.0, 30.0)
FINE_TUNING_STEPS = 5
BACKBONE = {"name": "phrase_bag"}
LEARNERS: dict[str, dict[str, Any]] = {
    ANIL: {"name": "anil", "inner_steps": 3, "inner_learning_rate": 3.0, "backbone": BACKBONE},
    JOINT: {"name": "anil", "inner_steps": 0, "learn_rates": False, "backbone": BACKBONE},
}


def main() -> None:
    """Runs the benchmark as its command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path, help="folders of finished runs")
    parser.add_argument("--episodes", type=int, default=200, help="test episodes that are scored")
    parser.add_argument("--seconds", type=float, default=240, help="of meta-training a learner")
    parser.add_argument("--folder", type=Path, default=UNRECORDED / NAME, help="of the models")
    add_record_option(parser)
    arguments = parser.parse_args()
    hide_notices()
    for run in arguments.runs:
        if not (run / "summary.json").exists():
            parser.error(f"`RUN` must be the folder of a finished run; {run} has no summary.json.")
    for run in arguments.runs:
        shots, measured = measure(run, arguments.episodes, arguments.seconds, arguments.folder)
        runs = read_result(NAME, arguments.results).get("runs", {}) | {str(shots): measured}
        report(NAME, {"runs": runs}, arguments.results, table)


def measure(run: Path, episodes: int, seconds: float, folder: Path) -> tuple[int, dict[str, Any]]:
    """Scores all on the episodes of a run; the number of pairs, and what was measured."""
    from pipeline.summary import latest_run

    before, summary = about(), json.loads((run / "summary.json").read_text())
    uri = latest_run(run / "metadata.sqlite")[1]["examples"].uri
    training = {k: v for k, v in summary["config"]["training"].items() if v is not None}
    training = json.loads(json.dumps(training)) | {"max_seconds": seconds}
    scores = _lexical(uri, episodes)
    shipped = summary["config"]["learner"]
    scores[RIDGE] = _score(shipped, summary["shipped"], uri, "test", episodes)
    steps, rate = {RIDGE: summary["meta_train"]["steps"]}, 0.0
    for name, learner in LEARNERS.items():
        place = folder / f"{name}_{summary['shots']}"
        steps[name] = _train(learner, training, uri, place)
        scores[name] = _score(learner, str(place / "model"), uri, "test", episodes)
        if name == JOINT:
            rate, tuned = _fine_tuned(learner, str(place / "model"), uri)
            scores[FINE_TUNED] = _score(tuned, str(place / "model"), uri, "test", episodes)
    return summary["shots"], before | {
        "episodes": episodes,
        "steps": steps,
        "fine_tuning_rate": rate,
        "recall": {name: round(float(np.mean(list(s.values()))), 4) for name, s in scores.items()},
        "by_language": {
            language: {name: round(of[language], 4) for name, of in scores.items()}
            for language in sorted(scores[RIDGE])
        },
        "ahead": {
            name: _difference(scores[RIDGE], of) for name, of in scores.items() if name != RIDGE
        },
    }


def _train(learner: dict[str, Any], training: dict[str, Any], uri: str, place: Path) -> int:
    """Meta-trains a learner, or takes what is there; its meta-steps."""
    from components.meta_trainer.run_fn import SUMMARY_FILE, train_and_export

    config = {"learner": learner, "training": training, "model_name": NAME}
    config |= {"checkpoint_root": str(place / "checkpoints")}
    file = place / "run" / SUMMARY_FILE
    if not file.exists():
        train_and_export(uri, config, model_dir=str(place / "model"), run_dir=str(file.parent))
    return json.loads(file.read_text())["steps"]


def _fine_tuned(learner: dict[str, Any], model: str, uri: str) -> tuple[float, dict[str, Any]]:
    """The rate that is best on the `eval` episodes, and the learner that takes steps of it."""
    tuned = [
        learner | {"inner_steps": FINE_TUNING_STEPS, "inner_learning_rate": rate} for rate in RATES
    ]
    scores = [np.mean(list(_score(one, model, uri, "eval", 32).values())) for one in tuned]
    best = int(np.argmax(scores))
    return RATES[best], tuned[best]


def _score(
    learner: dict[str, Any], model: str, uri: str, split: str, count: int
) -> dict[str, float]:
    """The recall in each language of a learner with the weights of a model."""
    import tensorflow as tf

    from components.episodes.dataset import parse_episodes
    from components.meta_trainer.build import assemble
    from components.meta_trainer.training.loop import predict
    from components.meta_trainer.training.start import initial_weights

    record, stored = _stored(uri, split, count)
    assembly = assemble(record, learner)
    weights, _ = initial_weights(assembly, 0, model)
    answer = tf.function(
        lambda one: predict(assembly, weights, one), reduce_retracing=True, autograph=False
    )
    scores = []
    for serialized in stored:
        episode = parse_episodes([serialized], record.example_spec)
        scores.append(assembly.task.measure(answer(episode).numpy(), episode.query_y.numpy())[0])
    return _by_language(stored, scores)


def _lexical(uri: str, count: int) -> dict[str, dict[str, float]]:
    """The recall of each lexical baseline in each language."""
    from components.episodes.dataset import parse_episodes
    from components.few_shot_evaluator.retrieval.baselines import Pairs, similarities
    from components.tasks.retrieval import share_right

    record, stored = _stored(uri, "test", count)
    scores: dict[str, list[float]] = defaultdict(list)
    for serialized in stored:
        one = parse_episodes([serialized], record.example_spec)
        x, y, query_x, query_y = (part.numpy()[0] for part in one)
        candidates, answers = np.unique(query_y, return_inverse=True)
        pairs = Pairs(x, y, query_x, candidates)
        for name, values in similarities(pairs).items():
            scores[name].append(share_right(values, answers, np.ones(len(answers), bool)))
    return {name: _by_language(stored, of) for name, of in scores.items()}


def _stored(uri: str, split: str, count: int) -> tuple[Any, list[bytes]]:
    """What the episodes are, and the first of them."""
    from components.episodes.dataset import read_split
    from components.episodes.record import read_record

    return read_record(uri), list(read_split(uri, split).take(count).as_numpy_iterator())


def _by_language(stored: list[bytes], scores: list[float]) -> dict[str, float]:
    """The mean recall of the episodes of each language."""
    from components.episodes.format import decode_stored

    of: dict[str, list[float]] = defaultdict(list)
    for serialized, score in zip(stored, scores):
        of[decode_stored(serialized).class_names[0]].append(float(score))
    return {language: float(np.mean(values)) for language, values in of.items()}


def _difference(first: dict[str, float], second: dict[str, float]) -> list[float]:
    """The mean difference over languages and its 95% half-width (t), paired by language."""
    import scipy.stats

    values = np.array([first[language] - second[language] for language in first])
    deviation = values.std(ddof=1) / len(values) ** 0.5
    width = scipy.stats.t.ppf(0.975, len(values) - 1) * deviation
    return [round(float(values.mean()), 4), round(float(width), 4)]


if __name__ == "__main__":
    main()

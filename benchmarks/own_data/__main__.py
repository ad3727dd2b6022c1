"""What `fewshot init` writes for data that the project has never seen, beside plain scripts.

    python -m benchmarks.own_data [--only NAME ...] [--seconds 60] [--record]

Each data set is written as a stranger has it (`prepare.py`), `fewshot init` writes its
configuration, and on the same test episodes the trained model is compared with every baseline of
the evaluator: scikit-learn scripts of a few lines. It is what `fewshot run` does, without TFX's
checks. `TFDS_DATA_DIR` says where prepared data lie; each measured data set is added to the result
file, `own_data.json`, so that a benchmark that was stopped goes on.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.own_data.prepare import DATA_SETS
from benchmarks.own_data.table import table
from benchmarks.reporting import (
    UNRECORDED,
    about,
    add_record_option,
    hide_notices,
    read_result,
    report,
)
from serving import atomic

if TYPE_CHECKING:
    from components.episodes.record import EpisodeSetRecord

NAME = "own_data"
SEED_FOLDER = UNRECORDED / NAME


def main() -> None:
    """Runs the benchmark as its command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=DATA_SETS, default=list(DATA_SETS))
    parser.add_argument("--seconds", type=float, help="of meta-training, in place of init's 240")
    parser.add_argument("--folder", type=Path, default=SEED_FOLDER, help="where all is kept")
    add_record_option(parser)
    arguments = parser.parse_args()
    hide_notices()
    for name in arguments.only:
        measured = measure(name, arguments.folder, arguments.seconds)
        result = read_result(NAME, arguments.results)
        of_all = result.get("data_sets", {}) | {name: measured}
        report(NAME, {"data_sets": of_all}, arguments.results, table)


def measure(name: str, folder: Path, seconds: float | None) -> dict[str, Any]:
    """Prepares, configures, trains and tests one data set."""
    from components.episodes.record import read_record
    from components.single_threaded import use_single_threaded_operations
    from pipeline.compare.comparison import make_episodes
    from pipeline.compare.trial import plan_trial, read_result, run_trial
    from pipeline.config import load_config

    before = about()
    config_path = configure(name, folder)
    config = load_config(str(config_path), ())
    uri = str(folder / "episodes" / name)
    if not Path(uri, "episodes.json").exists():
        make_episodes(config, uri)
    record = read_record(uri)
    use_single_threaded_operations()
    started = time.perf_counter()
    trial = plan_trial(
        config.learner["name"],
        config,
        record,
        uri=uri,
        folder=folder / "trials" / name,
        seconds=seconds,
    )
    result = read_result(trial) or run_trial(trial)
    scores = keep(folder / "baselines" / f"{name}.json", lambda: scripts(uri, record))
    best = max(scores, key=lambda key: float(np.mean(scores[key])))
    gains = {key: interval(np.array(result.scores) - np.array(scores[key])) for key in scores}
    return before | {
        "learner": dict(config.learner),
        "ways": record.ways,
        "shots": record.shots,
        "baseline": best,
        "baseline_accuracy": interval(np.array(scores[best])),
        "accuracy": interval(np.array(result.scores)),
        "ahead": gains[best],
        "ahead_of_each": all(mean > half_width for mean, half_width in gains.values()),
        "meta_steps": result.steps,
        "training_seconds": round(result.seconds),
        "seconds": round(time.perf_counter() - started),
    }


def configure(name: str, folder: Path) -> Path:
    """Writes the data set and its configuration, unless they are there."""
    config = folder / f"{name}.yaml"
    if config.exists():
        return config
    kept = folder / "data" / f"{name}.path"
    if not kept.exists():
        atomic.write_text(kept, str(DATA_SETS[name].write(folder / "data")))
    path = kept.read_text()
    command = [sys.executable, "-m", "pipeline.cli", "init", path, "--output", str(config)]
    subprocess.run([*command, *DATA_SETS[name].arguments], check=True)
    return config


def keep(path: Path, make: Callable[[], dict[str, list[float]]]) -> dict[str, list[float]]:
    """What `make` returns, or what a file has kept of it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_json(path, make())
    return json.loads(path.read_text())


def scripts(uri: str, record: "EpisodeSetRecord") -> dict[str, list[float]]:
    """The accuracies `[E]` of each of the evaluator's baselines on the test episodes."""
    from components.few_shot_evaluator.classification import baselines

    of_each = baselines.score_split(uri, record, "test", record.counts["test"])
    return {name: scores.tolist() for name, scores in of_each.items()}


def interval(values: np.ndarray) -> list[float]:
    """Mean and half-width of the 95% interval over episodes."""
    half_width = 1.96 * values.std(ddof=1) / len(values) ** 0.5
    return [round(float(values.mean()), 4), round(float(half_width), 4)]


if __name__ == "__main__":
    main()

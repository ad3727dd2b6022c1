"""Tests an image or an installed wheel without a cluster: a step finds all that it needs."""

import importlib
import importlib.resources
import json
import tempfile
from pathlib import Path

from pipeline.kubeflow.run_executor import run_executor

TFX_EXECUTORS = ("statistics_gen", "schema_gen", "example_validator", "trainer", "pusher")
OWN_EXECUTORS = (
    "components.episode_gen.executor.Executor",
    "components.episode_validator.executor.Executor",
    "components.few_shot_evaluator.executor.Executor",
    "components.serving_validator.executor.Executor",
    "components.version_pusher.executor.VersionPusher",
    "components.meta_trainer.run_fn.run_fn",
)
FILES = (
    ("pipeline", "configs/glyphs_5w1s.yaml"),
    ("components.few_shot_evaluator", "page.html"),
    ("components.few_shot_evaluator", "classification/report.html"),
    ("components.few_shot_evaluator", "regression/report.html"),
    ("components.few_shot_evaluator", "retrieval/report.html"),
)


def self_test() -> None:
    """Imports every executor, finds the packaged files, runs a small step, and prints each result.

    Raises:
      Exception: a module or a file is missing, or the step fails.
    """
    _find_parts()
    _run_a_step()
    print("one step ran")


def _find_parts() -> None:
    """Imports every executor, finds the packaged files, and prints the result of each."""
    for name in TFX_EXECUTORS:
        importlib.import_module(f"tfx.components.{name}.executor")
    for path in OWN_EXECUTORS:
        module, _, name = path.rpartition(".")
        getattr(importlib.import_module(module), name)
    print(f"{len(TFX_EXECUTORS) + len(OWN_EXECUTORS)} executors import")
    for package, file in FILES:
        if not importlib.resources.files(package).joinpath(file).is_file():
            raise FileNotFoundError(f"{package} lacks {file}")
    print(f"{len(FILES)} packaged files are there")


def _run_a_step() -> None:
    """Draws a few episodes with EpisodeGen's executor, as a step of a cluster does."""
    from components.episode_gen import options

    counts = options.EpisodeCounts(train=4, eval=2, test=2)
    episodes = options.EpisodeOptions(queries=1, counts=counts)
    config = options.EpisodeGenConfig(options.DataOptions(), episodes)
    with tempfile.TemporaryDirectory() as folder:
        kind = {"instanceSchema": "title: tfx.Examples\ntype: object\n"}
        examples = {"name": "examples", "uri": f"{folder}/examples", "type": kind}
        artifacts = {"examples": {"artifacts": [examples]}}
        executor_input = {
            "inputs": {"parameterValues": {"config_json": config.to_json()}},
            "outputs": {"artifacts": artifacts, "outputFile": f"{folder}/task/output.json"},
        }
        output = run_executor(OWN_EXECUTORS[0], executor_input, {}, ["--runner=FnApiRunner"])
        splits = output["artifacts"]["examples"]["artifacts"][0]["metadata"]["split_names"]
        if len(json.loads(splits)) != 3 or not list(Path(folder).rglob("*.gz")):
            raise RuntimeError("EpisodeGen ran and wrote no episodes")

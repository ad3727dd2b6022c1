"""One trial of a comparison: a learner meta-trained, exported, and scored on the test episodes.

The result of a finished trial is kept in `result.json`; a trial that was killed continues from its
checkpoint.
"""

import hashlib
import json
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from components import own_code
from components.episodes.dataset import parse_episodes, read_split
from components.episodes.record import EpisodeSetRecord
from components.episodes.scoring import score_episodes
from components.episodes.types import Episodes
from components.few_shot_evaluator.model import ExportedModel
from components.meta_trainer.run_fn import HISTORY_FILE, train_and_export
from components.tasks.lookup import task_of
from pipeline.code_version import code_version
from pipeline.config import Config
from serving import atomic
from serving.saved_model.metadata import read_metadata

RESULT_FILE = "result.json"
TIMED_CALLS, WARM_UP_CALLS = 20, 3


class Result(NamedTuple):
    """The scores and costs of one trial."""

    learner: str  # name of the trial: its learner, or the values that only it has
    metric: str  # "accuracy", "recall" or "mean_squared_error"
    higher_is_better: bool  # whether a larger metric is better
    scores: list[float]  # metric of each test episode
    adapt_milliseconds: float  # see `adapt_milliseconds`
    megabytes: float  # size of the SavedModel
    steps: int  # meta-steps done; fewer than `total_steps` where the time was up
    total_steps: int  # meta-steps configured
    seconds: float  # duration of meta-training, compiling and validation included
    episodes_per_second: float  # speed of meta-training
    serves: dict[str, str]  # the ways, shots and steps that it can serve, in words
    history: list[dict[str, float]]  # each evaluation in meta-training: `seconds`, `eval_score`...


class Trial(NamedTuple):
    """The plan for one learner and its options."""

    name: str
    learner: dict[str, Any]  # the section `learner` of its configuration
    training: dict[str, Any]  # the section `training`, with the time that this trial has
    evaluation_episodes: int  # number of test episodes that are scored
    episodes_per_call: int  # number of episodes that one call of the model takes
    uri: str  # location of the Examples artifact
    record: EpisodeSetRecord
    folder: Path  # of the checkpoints, the logs, the model and `result.json`


def plan_trial(
    name: str,
    config: Config,
    record: EpisodeSetRecord,
    *,
    uri: str,
    folder: Path,
    seconds: float | None,
) -> Trial:
    """Plans the trial of one configuration, in a subfolder of the comparison's `folder`.

    `seconds` is the maximum duration of meta-training; if `None`, it is as configured.
    """
    values = json.loads(json.dumps(config.to_dict()))
    learner = {"name": "maml"} | values["learner"]
    training = values["training"] | ({} if seconds is None else {"max_seconds": seconds})
    evaluation = values["evaluation"]
    counts = evaluation["episodes"], evaluation["episodes_per_call"]
    own_folder = folder / re.sub(r"[^\w.,=+-]+", "_", name)
    return Trial(name, learner, training, *counts, uri, record, own_folder)


def read_result(trial: Trial) -> Result | None:
    """The result that is kept, if this very trial was finished before."""
    try:
        kept = json.loads((trial.folder / RESULT_FILE).read_text())
    except (OSError, ValueError):
        return None
    return Result(**kept["result"]) if kept.get("trial") == fingerprint(trial) else None


def run_trial(trial: Trial) -> Result:
    """Meta-trains or continues from the last checkpoint; exports, scores and keeps the result."""
    folder, model_dir = trial.folder, str(trial.folder / "model")
    shutil.rmtree(model_dir, ignore_errors=True)  # of a trial that was killed or is another
    run_dir = str(folder / "logs")
    trained = train_and_export(
        trial.uri,
        {
            "learner": trial.learner,
            "training": trial.training,
            "checkpoint_root": str(folder / "checkpoints"),
            "model_name": trial.learner["name"],
        },
        model_dir=model_dir,
        run_dir=run_dir,
    )
    model = ExportedModel(model_dir, task_of(trial.record.example_spec))
    files = Path(model_dir).rglob("*")
    episodes = trial.training["episodes_per_step"] * trained["steps"]
    result = Result(
        learner=trial.name,
        metric=model.task.metric,
        higher_is_better=model.task.higher_is_better,
        scores=score_episodes(model.predict, _stacks(trial), model.task).tolist(),
        adapt_milliseconds=adapt_milliseconds(model, trial.uri, trial.record),
        megabytes=sum(file.stat().st_size for file in files if file.is_file()) / 2**20,
        steps=int(trained["steps"]),
        total_steps=trial.training["steps"],
        seconds=episodes / max(trained["episodes_per_second"], 1e-9),  # 0 of no steps
        episodes_per_second=trained["episodes_per_second"],
        serves=read_metadata(model_dir)["serves"],
        history=json.loads(Path(run_dir, HISTORY_FILE).read_text()),
    )
    kept = {"trial": fingerprint(trial), "result": result._asdict()}
    atomic.write_json(folder / RESULT_FILE, kept)
    return result


def fingerprint(trial: Trial) -> str:
    """A hash that changes with all that a result depends on: configuration, episodes and code."""
    start = own_code.model_files(trial.training.get("start_from"))
    files = own_code.learner_files(trial.learner) + start
    described: Mapping[str, Any] = trial._asdict() | {
        "record": trial.record.to_json(),
        "uri": None,
        "folder": None,
        "code": code_version(__name__, files=files),
    }
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def _stacks(trial: Trial) -> Iterator[Episodes]:
    """The test episodes, stacked for one call of the model each."""
    serialized = read_split(trial.uri, "test").take(trial.evaluation_episodes)
    for stack in serialized.batch(trial.episodes_per_call):
        yield parse_episodes(stack, trial.record.example_spec).numpy()


def adapt_milliseconds(model: ExportedModel, uri: str, record: EpisodeSetRecord) -> float:
    """Median time of one call of a model in memory, with the first test episode and one query.

    An encoder's features are computed anew in each call, as a server does.
    """
    (serialized,) = read_split(uri, "test").take(1).batch(1)
    episode = parse_episodes(serialized, record.example_spec).numpy()
    episode = episode._replace(query_x=episode.query_x[:, :1])
    times: list[float] = []
    for _ in range(WARM_UP_CALLS + TIMED_CALLS):
        started = time.perf_counter()
        model.serve(episode)
        times.append(time.perf_counter() - started)
    return float(np.median(times[WARM_UP_CALLS:])) * 1000

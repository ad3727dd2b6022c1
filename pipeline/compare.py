"""Which learner for these tasks? The same episodes, the same budget, the same test, in pairs."""

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from components.episode_gen.generate import generate_episodes
from components.episode_gen.options import EpisodeGenConfig
from components.episodes.dataset import parse_episodes, read_split
from components.episodes.record import EpisodeSetRecord
from components.few_shot_evaluator.metrics import Interval, mean_interval
from components.few_shot_evaluator.model import ExportedModel, read_metadata
from components.meta_trainer.run_fn import train_and_export
from pipeline.config import Config
from serving import signatures as sig

EPISODES_PER_CALL = 4
TIMED_CALLS = 20


class Entry(NamedTuple):
    """One learner's results.

    Attributes:
      learner: its name.
      scores: of each test episode, `[E]`.
      accuracy: their mean and 95% half-width.
      adapt_milliseconds: median of one episode's adaptation with one query, the model in memory.
      megabytes: of the SavedModel.
      steps: meta-steps taken in the budget.
      episodes_per_second: in meta-training.
      serves: the ways, shots and steps that it can serve.
    """

    learner: str
    scores: np.ndarray
    accuracy: Interval
    adapt_milliseconds: float
    megabytes: float
    steps: int
    episodes_per_second: float
    serves: dict[str, str]


class Difference(NamedTuple):
    """`better` against `worse`, episode by episode; `real` if the interval leaves 0 out."""

    better: str
    worse: str
    gain: Interval

    @property
    def real(self) -> bool:
        return self.gain.mean - self.gain.half_width > 0


def compare_learners(
    config: Config, names: Sequence[str], output_dir: Path, *, seconds_each: float | None
) -> list[Entry]:
    """Trains and judges each learner, best first.

    Args:
      config: the configuration; options of its own learner go to that one alone, its backbone to
        all.
      names: of the learners.
      output_dir: gets the episodes and a folder for each learner.
      seconds_each: of meta-training; the configuration's steps if `None`.
    """
    uri = str(output_dir / "episodes")
    record = _episodes(config, uri)
    entries = [_entry(config, name, uri, record, output_dir, seconds_each) for name in names]
    return sorted(entries, key=lambda entry: -entry.accuracy.mean)


def differences(entries: Sequence[Entry]) -> list[Difference]:
    """Every pair, with the paired interval over the same test episodes."""
    return [
        Difference(one.learner, two.learner, mean_interval(one.scores - two.scores))
        for i, one in enumerate(entries)
        for two in entries[i + 1 :]
    ]


def _episodes(config: Config, uri: str) -> EpisodeSetRecord:
    """Draws the episodes anew, aside; they are quicker drawn than checked for being the same."""
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    shutil.rmtree(uri, ignore_errors=True)
    options = PipelineOptions(config.beam.pipeline_args())
    return generate_episodes(
        EpisodeGenConfig(config.data, config.episodes),
        uri=uri,
        work=f"{uri}/.work",
        make_pipeline=lambda: beam.Pipeline(options=options),
    )


def _entry(
    config: Config,
    name: str,
    uri: str,
    record: EpisodeSetRecord,
    output_dir: Path,
    seconds_each: float | None,
) -> Entry:
    folder = output_dir / name
    shutil.rmtree(folder / "model", ignore_errors=True)
    training = config.to_dict()["training"]
    if seconds_each is not None:
        training |= {"max_seconds": seconds_each}
    trained = train_and_export(
        uri,
        {
            "learner": learner_section(config, name),
            "training": json.loads(json.dumps(training)),
            "checkpoint_root": str(folder / "checkpoints"),
            "model_name": config.serving.model_name,
        },
        model_dir=str(folder / "model"),
        run_dir=str(folder / "logs"),
    )
    model = ExportedModel(str(folder / "model"))
    scores = _scores(model, uri, record, config.evaluation.episodes)
    size = sum(path.stat().st_size for path in (folder / "model").rglob("*") if path.is_file())
    return Entry(
        learner=name,
        scores=scores,
        accuracy=mean_interval(scores),
        adapt_milliseconds=_adapt_milliseconds(model, uri, record),
        megabytes=size / 2**20,
        steps=int(trained["steps"]),
        episodes_per_second=trained["episodes_per_second"],
        serves=read_metadata(str(folder / "model"))["serves"],
    )


def learner_section(config: Config, name: str) -> dict[str, Any]:
    """The section `learner` for one of those that are compared."""
    if config.learner.get("name", "maml") == name:
        return dict(config.learner)
    backbone = config.learner.get("backbone")
    return {"name": name} | ({"backbone": backbone} if backbone else {})


def _scores(model: ExportedModel, uri: str, record: EpisodeSetRecord, count: int) -> np.ndarray:
    scores = []
    for serialized in read_split(uri, "test").take(count).batch(EPISODES_PER_CALL):
        parsed = parse_episodes(serialized, record.example_spec)
        support = parsed[sig.SUPPORT_X].numpy(), parsed[sig.SUPPORT_Y].numpy()
        answer = model.answer(*support, parsed[sig.QUERY_X].numpy())
        scores.append(model.task.score(answer, parsed["query_y"].numpy()))
    return np.concatenate(scores)


def _adapt_milliseconds(model: ExportedModel, uri: str, record: EpisodeSetRecord) -> float:
    (serialized,) = read_split(uri, "test").take(1).batch(1)
    parsed = parse_episodes(serialized, record.example_spec)
    support = parsed[sig.SUPPORT_X].numpy(), parsed[sig.SUPPORT_Y].numpy()
    query = parsed[sig.QUERY_X].numpy()[:, :1]
    times: list[float] = []
    for _ in range(TIMED_CALLS + 3):  # the first calls warm up
        started = time.perf_counter()
        model.answer(*support, query)
        times.append(time.perf_counter() - started)
    return float(np.median(times[3:])) * 1000

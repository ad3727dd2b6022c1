"""Running a model on every test episode, with any Beam runner.

The models are loaded once a worker process; the results are keyed by the episode's index, so that
neither the runner's order nor the number of workers shows in them.
"""

import dataclasses
import json
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import tensorflow as tf
from apache_beam.utils.shared import Shared

from components.episodes.dataset import read_split, split_files
from components.episodes.format import decode_stored
from components.episodes.record import EpisodeSetRecord
from components.few_shot_evaluator.classification.scoring import ClassificationResult
from components.few_shot_evaluator.model import ExportedModel
from components.few_shot_evaluator.scoring import EpisodeResult, ScoringPlan
from components.few_shot_evaluator.task_evaluation import evaluation_of
from components.tasks.lookup import task_of
from components.tasks.task import Task
from serving import atomic
from serving.errors import UserError

RESULTS_PER_FILE = 200


class ScoreEpisodes(beam.PTransform):
    """From serialised episodes to results, of the class that `task_evaluation` names.

    Only the first `episodes` are evaluated. The two folders are those of the SavedModel that is
    evaluated and of the one that it is compared with.
    """

    def __init__(
        self,
        *,
        plan: ScoringPlan,
        episodes: int,
        episodes_per_call: int,
        model_dir: str,
        last_blessed_dir: str | None = None,
    ):
        super().__init__()
        self._plan, self._episodes, self._per_call = plan, episodes, episodes_per_call
        self._dirs = model_dir, last_blessed_dir

    def expand(self, serialized: beam.PCollection) -> beam.PCollection:
        return (
            serialized
            | "Number" >> beam.FlatMap(_key_by_call, self._episodes, self._per_call)
            # Not BatchElements: the Dask runner ends no bundle, and drops the last group of each.
            | "Group" >> beam.GroupByKey()
            | "Stack" >> beam.MapTuple(_sort_call)
            | "Score" >> beam.ParDo(_Score(self._plan, *self._dirs))
        )


def _key_by_call(
    serialized: bytes, episodes: int, per_call: int
) -> Iterator[tuple[str, tuple[int, bytes]]]:
    """(the call that an episode is part of, (its index, the episode)), for the first `episodes`."""
    index = decode_stored(serialized).index
    if index < episodes:
        yield f"{index // per_call:07d}", (index, serialized)


def _sort_call(call: str, episodes: Iterable[tuple[int, bytes]]) -> list[bytes]:
    """The episodes of one call by index, so that a call is the same on every runner."""
    del call
    return [serialized for _, serialized in sorted(episodes)]


class _Score(beam.DoFn):
    def __init__(self, plan: ScoringPlan, model_dir: str, last_blessed_dir: str | None):
        self._plan, self._task = plan, task_of(plan.spec)
        self._dirs = model_dir, last_blessed_dir
        self._shared = Shared()

    def setup(self) -> None:
        self._models = self._shared.acquire(lambda: _Models(self._task, *self._dirs))

    def process(self, serialized: list[bytes]):
        evaluate_episodes = evaluation_of(self._task).evaluate_episodes
        yield from evaluate_episodes(serialized, self._plan, *self._models.pair)


class _Models:
    """The models of one worker process; `Shared` needs a class that allows weak references."""

    def __init__(self, task: Task, model_dir: str, last_blessed_dir: str | None):
        self.pair = (
            ExportedModel(model_dir, task),
            None if last_blessed_dir is None else ExportedModel(last_blessed_dir, task),
        )


def evaluate(
    pipeline: beam.Pipeline,
    *,
    examples_uri: str,
    results_prefix: str,
    split: str = "test",
    **scoring: Any,
) -> None:
    """Adds to a pipeline the steps that read a split, score it and write results as JSON lines.

    The paths of the results begin with `results_prefix`, which every worker must reach; `scoring`
    are arguments of `ScoreEpisodes`.
    """
    _ = (
        pipeline
        # Not ReadFromTFRecord: a source is a primitive that the Dask runner does not know. And
        # the files one by one: on Dask the work is shared by as many as there are elements here.
        | f"Files {split}" >> beam.Create(split_files(examples_uri, split))
        | f"Read {split}" >> beam.io.ReadAllFromTFRecord()
        | f"Score {split}" >> ScoreEpisodes(**scoring)
        | f"Key {split}" >> beam.WithKeys(_file_of)
        | f"Gather {split}" >> beam.GroupByKey()
        # Not WriteToText: on Dask it ends well and leaves no file.
        | f"Write {split}" >> beam.Map(_write_results, results_prefix)
    )


def _file_of(result: EpisodeResult) -> str:
    """The number of the file that a result is written to; a worker holds one file's at a time."""
    return f"{result.index // RESULTS_PER_FILE:05d}"


def _write_results(of_file: tuple[str, Iterable[EpisodeResult]], results_prefix: str) -> str:
    """Writes one file, whole: a runner may try it in two places at once."""
    key, results = of_file
    ordered = sorted(results, key=lambda result: result.index)
    path = f"{results_prefix}-{key}"
    atomic.write_text(path, "".join(json.dumps(dataclasses.asdict(r)) + "\n" for r in ordered))
    return path


def read_results(
    results_prefix: str, *, episodes: int, split: str = "test", result: type = ClassificationResult
) -> list[Any]:
    """Reads the results of a split, of the class `result`, sorted by the episode's index.

    Raises:
      UserError: they are not those of episode 0 up to `episodes`, each once.
    """
    results = []
    for path in tf.io.gfile.glob(results_prefix + "*"):
        with tf.io.gfile.GFile(path) as file:
            results += [result(**json.loads(line)) for line in file if line.strip()]
    results.sort(key=lambda one: one.index)
    if [one.index for one in results] != list(range(episodes)):
        raise UserError(
            f"the `{split}` split must hold the episodes 0 to {episodes - 1}, each once: "
            f"{len(results)} of them were found; lower `evaluation.episodes` or make more of them "
            f"with `episodes.counts.{split}`"
        )
    return results


def not_comparable(
    last_blessed_dir: str, model_dir: str, examples_uri: str, record: EpisodeSetRecord
) -> str | None:
    """Why the last blessed model cannot be run on these episodes; `None` if it can.

    A configuration of other ways or another size of example makes another task of it, and then
    there is nothing to compare.
    """
    if last_blessed_dir == model_dir:
        return "it is the model that is evaluated"
    if not tf.io.gfile.exists(last_blessed_dir):
        return f"{last_blessed_dir} is no longer there"
    why = cannot_predict(last_blessed_dir, examples_uri, record)
    return why and f"it cannot predict these episodes ({why})"


def cannot_predict(model_dir: str, examples_uri: str, record: EpisodeSetRecord) -> str | None:
    """Why a model cannot predict the first test episode; `None` if it can."""
    first = list(read_split(examples_uri, "test").take(1).as_numpy_iterator())
    plan = ScoringPlan(record.example_spec, record.ways, record.shots, 0, 0, {})
    task = task_of(plan.spec)
    try:
        evaluation_of(task).evaluate_episodes(first, plan, ExportedModel(model_dir, task))
    # Whatever TensorFlow raises for other shapes, dtypes or a missing signature.
    except (tf.errors.OpError, TypeError, ValueError, KeyError, OSError) as error:
        return _sentence(error)
    return None


def _sentence(error: Exception) -> str:
    """The line of a message that says what is wrong."""
    if isinstance(error, tf.errors.OpError):
        # Before it TensorFlow puts where it happened, after it the nodes as [[...]].
        lines = [line for line in error.message.splitlines() if line.strip() and "[[" not in line]
        return lines[-1] if lines else type(error).__name__
    return (str(error).splitlines() or [type(error).__name__])[0]

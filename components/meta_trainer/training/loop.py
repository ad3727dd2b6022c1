"""Meta-training: the outer loop over stacks of episodes, with checkpoints and validation."""

import math
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from components.episodes.scoring import score_episodes
from components.episodes.types import Episodes
from components.meta_trainer.build import Assembly
from components.meta_trainer.options import TrainingOptions
from components.meta_trainer.training.distributed import ALONE, Workers
from components.meta_trainer.training.input_pipeline import prepare_inputs
from components.meta_trainer.training.plateau import phases_of
from components.meta_trainer.training.progress import MetaTrainingProgress, TimedIterator
from components.meta_trainer.training.state import TrainingState
from components.meta_trainer.training.step import meta_step
from components.meta_trainer.types import Weights, by_joined_name
from components.single_threaded import use_single_threaded_operations
from serving.errors import UserError

REPORT_EVERY_STEPS = 10


class MetaTrained(NamedTuple):
    """The result of meta-training.

    Attributes:
      weights: those with the best score on meta-validation episodes.
      history: one entry for each evaluation: step, loss and score (where steps were taken),
        eval_score, eval_ci95, seconds, and wait_share, the share of the time since the last one
        spent waiting for episodes.
      steps: meta-steps done.
      seconds: spent in meta-training, over all runs that led here.
    """

    weights: dict[str, Any]
    history: list[dict[str, float]]
    steps: int
    seconds: float


def meta_train(
    assembly: Assembly,
    options: TrainingOptions,
    *,
    training: Callable[[int], tf.data.Dataset],
    validation: tf.data.Dataset,
    checkpoint_dir: str,
    log_dir: str,
    workers: Workers = ALONE,
    pause_after: float = math.inf,
    initial: Weights | None = None,
) -> MetaTrained:
    """Meta-trains, or goes on from the last checkpoint in `checkpoint_dir`.

    It begins with the `initial` weights; with `None`, with the learner's for `options.seed`.
    `training` gives endless stacks of `Episodes` from a step on; those of `validation` are always
    the same. `checkpoint_dir` keeps the last two checkpoints (same folder, same configuration),
    `log_dir` the TensorBoard logs. After `pause_after` seconds of meta-training, over all runs, it
    stops, to be resumed. `options.max_seconds` is the end of meta-training instead: the schedule
    reaches its end. With `options.until: plateau` it lowers the rate, and ends, where
    meta-validation no longer rises.
    """
    use_single_threaded_operations()
    state = TrainingState(initial or assembly.learner.init(options.seed))
    checkpoints = restore(state, checkpoint_dir)
    clock = _Clock(state, workers, limit=min(options.max_seconds or math.inf, pause_after))
    first_step = int(state.step)
    _meet_plateau(state, options, workers)
    over = clock.left <= 0 or int(state.plateaus) > options.rate_drops
    total_steps = options.steps if tf.nest.flatten(state.read_weights()) else 0
    last_step = first_step if first_step and over else total_steps
    take_step = meta_step(assembly, options, state, workers)
    validate = _validator(assembly, state, validation)
    writer = tf.summary.create_noop_writer()
    if workers.is_first:
        writer = tf.summary.create_file_writer(log_dir)
    recent: list[tuple[float, float]] = []
    stacks = TimedIterator(iter(training(first_step).map(workers.share)))
    sizes = {"total_steps": total_steps, "episodes_per_step": options.episodes_per_step}
    with MetaTrainingProgress(**sizes, first_step=first_step, seconds=clock.left) as progress:
        for step in range(first_step + 1, last_step + 1):
            loss, score = take_step(next(stacks))
            recent.append((loss, score))
            last = clock.is_over() or step == last_step
            if step % REPORT_EVERY_STEPS == 0 or last:
                progress.update(step, float(loss), float(score), last=last)
            if step % options.eval_every == 0 or last:
                entry = validate(recent, stacks.wait_share())
                progress.show_validation(entry)
                _log(writer, entry)
                recent.clear()
                stacks.restart()
                if not last and _meet_plateau(state, options, workers):
                    last = int(state.plateaus) > options.rate_drops
                    progress.show_plateau(step, ends=last)
            if (step % options.checkpoint_every == 0 or last) and workers.is_first:
                checkpoints.save(checkpoint_number=step)
            if last:
                break
    if not last_step:
        _log(writer, validate(recent, 0.0))
    writer.close()
    history = state.read_history()
    return MetaTrained(state.read_best_weights(), history, int(state.step), float(state.seconds))


def _meet_plateau(state: TrainingState, options: TrainingOptions, workers: Workers) -> bool:
    """Whether there is a plateau that the state has not met; unless it is the last, goes back."""
    plateaus = len(phases_of(state.read_history(), options)) - 1
    plateaus = round(workers.agree_on(plateaus))
    if plateaus <= int(state.plateaus):
        return False
    state.plateaus.assign(plateaus)
    if plateaus <= options.rate_drops:
        # The mean: processes whose scores differ by rounding would go on from different weights.
        best = workers.mean(state.read_best_weights())
        state.go_on_from(best, forget=options.min_improvement)
    return True


def restore(state: TrainingState, folder: str) -> tf.train.CheckpointManager:
    """Reads the state from the last checkpoint in the folder, if any; returns what saves it."""
    # Another name than `state`, under which flat weights were saved: those begin anew.
    manager = tf.train.CheckpointManager(tf.train.Checkpoint(training=state), folder, max_to_keep=2)
    _check_weights(state, manager.latest_checkpoint)
    manager.restore_or_initialize()
    if int(state.step):
        print(f"meta-training goes on from step {int(state.step)}", file=sys.stderr)
    return manager


def _check_weights(state: TrainingState, checkpoint: str | None) -> None:
    """Refuses a checkpoint of other weights: what it lacks would be left as it begins."""
    if checkpoint is None:
        return
    prefix, suffix = "training/weights/", "/.ATTRIBUTES/VARIABLE_VALUE"
    saved = {
        name.removeprefix(prefix).removesuffix(suffix).replace("/", "_"): list(shape)
        for name, shape in tf.train.list_variables(checkpoint)
        if name.startswith(prefix)
    }
    own = {name: w.shape.as_list() for name, w in by_joined_name(state.read_weights()).items()}
    differ = sorted(name for name in saved | own if saved.get(name) != own.get(name))
    if saved and differ:
        raise UserError(
            f"The checkpoint {checkpoint} must hold this learner's weights: {differ[0]!r} is "
            f"{saved.get(differ[0], 'missing')} there and {own.get(differ[0], 'missing')} here; "
            "set `learner.head: numbered` to go on where an earlier version stopped, or delete it."
        )


class _Clock:
    """Counts the seconds spent in meta-training, over all runs, against their limit."""

    def __init__(self, state: TrainingState, workers: Workers, limit: float):
        self._state, self._workers, self._limit = state, workers, limit
        self._before, self._started = float(state.seconds), time.monotonic()
        self.left = limit - self._before
        """Seconds that this run may take."""

    def is_over(self) -> bool:
        """Updates `state.seconds`; true once the limit is reached."""
        seconds = self._before + time.monotonic() - self._started
        if self._limit < math.inf:
            seconds = self._workers.agree_on(seconds)
        self._state.seconds.assign(seconds)
        return seconds >= self._limit


def predict(assembly: Assembly, weights: Weights, episodes: Episodes) -> tf.Tensor:
    """The predictions for the queries of stacked episodes, adapted and predicted as when served."""
    episodes = prepare_inputs(episodes, assembly)
    adapted = assembly.learner.adapt(weights, episodes.support)
    outputs = assembly.learner.predict(weights, adapted, episodes.query_x)
    return assembly.task.predict(outputs, episodes.support_y)


def _validator(
    assembly: Assembly, state: TrainingState, validation: tf.data.Dataset
) -> Callable[[list[tuple[float, float]], float], dict[str, float]]:
    """`(losses and scores of the steps since the last time, wait share) -> ` the history's entry.

    It scores the meta-validation episodes and keeps the weights if they are the best so far.
    """
    predict_stack = tf.function(
        lambda stack: predict(assembly, state.read_weights(), stack),
        reduce_retracing=True,
        autograph=False,
    )
    sign = 1 if assembly.task.higher_is_better else -1

    def validate(recent: list[tuple[float, float]], wait_share: float) -> dict[str, float]:
        metric = score_episodes(predict_stack, validation, assembly.task)
        each = sign * metric.astype(np.float32)  # as the best score is kept: equal stays equal
        score = float(np.mean(each))
        state.keep_if_best(score)
        means = [float(np.mean(values)) for values in zip(*recent)]
        entry = {
            "step": int(state.step),
            **dict(zip(("loss", "score"), means)),
            "eval_score": score,
            "eval_ci95": float(1.96 * np.std(each, ddof=1) / np.sqrt(len(each))),
            "seconds": float(state.seconds),
            "wait_share": wait_share,
        }
        state.add_to_history(entry)
        return entry

    return validate


def _log(writer: tf.summary.SummaryWriter, entry: dict[str, float]) -> None:
    with writer.as_default(step=entry["step"]):
        for name in entry.keys() & {"loss", "score", "eval_score"}:
            tf.summary.scalar(name, entry[name])
    writer.flush()

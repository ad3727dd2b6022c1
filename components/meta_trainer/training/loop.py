"""Meta-training: the outer loop over stacks of episodes, with checkpoints and validation."""

import math
import os
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.episodes.types import Episodes
from components.meta_trainer.build import Assembly
from components.meta_trainer.options import TrainingOptions
from components.meta_trainer.training import optimizer
from components.meta_trainer.training.distributed import ALONE, Workers
from components.meta_trainer.training.input_pipeline import prepared
from components.meta_trainer.training.parallel import chunk_size, mean_over_chunks
from components.meta_trainer.training.progress import MetaTrainingProgress, TimedIterator
from components.meta_trainer.training.state import TrainingState
from components.meta_trainer.types import Weights
from components.single_threaded import use_single_threaded_operations

REPORT_EVERY_STEPS = 10


class MetaTrained(NamedTuple):
    """The result of meta-training.

    Attributes:
      weights: those with the best score on meta-validation episodes.
      history: one entry for each evaluation: step, loss, score, eval_score, eval_ci95, seconds,
        and wait_share, the share of the time since the last one spent waiting for episodes.
      steps: meta-steps done.
      seconds: spent in meta-training, over all runs that led here.
    """

    weights: dict[str, tf.Tensor]
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
) -> MetaTrained:
    """Meta-trains, or goes on from the last checkpoint in `checkpoint_dir`.

    Args:
      assembly: the learner and its modality.
      options: steps, rates, seeds.
      training: `first step -> ` endless stacks of training `Episodes`.
      validation: stacks of meta-validation `Episodes`, always the same.
      checkpoint_dir: keeps the last two checkpoints; same place, same configuration.
      log_dir: TensorBoard logs.
      workers: the processes that meta-train together.
      pause_after: seconds of meta-training, over all runs, after which it stops to be gone on with.
        `options.max_seconds` is the end of meta-training instead: the schedule reaches its end.
    """
    use_single_threaded_operations()
    state = TrainingState(assembly.learner.init(options.seed))
    manager = tf.train.CheckpointManager(
        tf.train.Checkpoint(state=state), checkpoint_dir, max_to_keep=2
    )
    if manager.restore_or_initialize():
        print(f"meta-training goes on from step {int(state.step)}", file=sys.stderr)
    step_function = meta_step(assembly, options, state, workers)
    score_function = tf.function(
        lambda stack: scores(assembly, dict(state.weights), stack), reduce_retracing=True
    )
    writer = (
        tf.summary.create_file_writer(log_dir)
        if workers.is_first
        else tf.summary.create_noop_writer()
    )

    first_step, started, seconds_before = int(state.step), time.monotonic(), float(state.seconds)
    limit = min(options.max_seconds or math.inf, pause_after)
    last_step = first_step if first_step and seconds_before >= limit else options.steps
    recent: list[tuple[float, float]] = []
    stacks = TimedIterator(iter(training(first_step).map(workers.share)))
    with MetaTrainingProgress(
        total_steps=options.steps,
        first_step=first_step,
        episodes_per_step=options.episodes_per_step,
        seconds=limit - seconds_before,
    ) as progress:
        for step in range(first_step + 1, last_step + 1):
            loss, score = step_function(next(stacks))
            recent.append((loss, score))
            seconds = seconds_before + time.monotonic() - started
            if limit < math.inf:
                seconds = workers.agree_on(seconds)
            state.seconds.assign(seconds)
            last = step == last_step or seconds >= limit
            if step % REPORT_EVERY_STEPS == 0 or last:
                progress.update(step, float(loss), float(score), last=last)
            if step % options.eval_every == 0 or last:
                waited = stacks.wait_share()
                entry = _validate(state, score_function, validation, recent)
                state.add_to_history(entry | {"seconds": seconds, "wait_share": waited})
                progress.validated(step, entry["eval_score"], entry["eval_ci95"], waited)
                _log(writer, entry)
                recent.clear()
                stacks.restart()
            if (step % options.checkpoint_every == 0 or last) and workers.is_first:
                manager.save(checkpoint_number=step)
            if last:
                break
    writer.close()
    weights = {name: tf.identity(w) for name, w in state.best_weights.items()}
    return MetaTrained(weights, state.read_history(), int(state.step), float(state.seconds))


def meta_step(
    assembly: Assembly, options: TrainingOptions, state: TrainingState, workers: Workers = ALONE
) -> Callable[[Episodes], tuple[tf.Tensor, tf.Tensor]]:
    """A compiled function that takes one meta-step and returns (query loss, query score)."""
    paper = assembly.learner.meta_optimizer
    base_rate = options.meta_learning_rate or paper.rate
    schedule = options.schedule or paper.schedule
    norm = options.clip_norm or paper.clip_norm
    update = optimizer.UPDATES[paper.update]

    @tf.function(jit_compile=options.jit_compile)
    def gradients(weights: Weights, episodes: Episodes, progress: tf.Tensor):
        found = assembly.learner.meta_gradients(weights, episodes, progress)
        # Those of a table that was looked up are sparse; Adam's moments are not.
        dense = {name: tf.convert_to_tensor(g) for name, g in found.gradients.items()}
        return found._replace(gradients=dense)

    # Recordings differ in length from stack to stack: one trace for all of them.
    @tf.function(reduce_retracing=True)
    def step(episodes: Episodes) -> tuple[tf.Tensor, tf.Tensor]:
        progress = share_done(state, options)
        weights = {name: tf.identity(w) for name, w in state.weights.items()}
        # XLA compiles neither strings nor sizes that vary: preparing texts and sounds stays out.
        stack = prepared(episodes, assembly.modality)
        count = stack.support_x.shape[0]
        examples = stack.support_y.shape[1] + stack.query_y.shape[1]
        size = chunk_size(count, os.cpu_count() or 1, examples, assembly.learner.chunk)
        found = workers.mean(
            mean_over_chunks(
                lambda *chunk: gradients(weights, Episodes(*chunk), progress), stack, size
            )
        )
        new, adam = update(
            weights,
            optimizer.clip(found.gradients, norm),
            state.adam,
            step=tf.cast(state.step + 1, tf.float32),
            rate=optimizer.scheduled(base_rate, schedule, progress),
        )
        state.assign(new, adam)
        return found.loss, found.score

    return step


def share_done(state: TrainingState, options: TrainingOptions) -> tf.Tensor:
    """The share of meta-training that is done, 0..1: of its steps, or of its time if that is more.

    So a schedule reaches its end, however meta-training ends.
    """
    of_steps = tf.cast(state.step, tf.float32) / options.steps
    if options.max_seconds is None:
        return of_steps
    of_time = tf.cast(state.seconds / options.max_seconds, tf.float32)
    return tf.minimum(tf.maximum(of_steps, of_time), 1.0)


def scores(assembly: Assembly, weights: Weights, episodes: Episodes) -> tf.Tensor:
    """The score of each episode, `[E]`, adapted and answered as when served."""
    episodes = prepared(episodes, assembly.modality)
    adapted = assembly.learner.adapt(weights, episodes.support)
    outputs = assembly.learner.predict(weights, adapted, episodes.query_x)
    return assembly.task.score(outputs, episodes.query_y, episodes.support_y)


def _validate(state, score_function, validation, recent) -> dict[str, float]:
    """Scores the meta-validation episodes, keeps the weights if they are the best so far."""
    found = np.concatenate([score_function(stack) for stack in validation])
    score = float(np.mean(found))
    state.keep_if_best(score)
    losses, query_scores = zip(*recent)
    return {
        "step": int(state.step),
        "loss": float(np.mean(losses)),
        "score": float(np.mean(query_scores)),
        "eval_score": score,
        "eval_ci95": float(1.96 * np.std(found, ddof=1) / np.sqrt(len(found))),
    }


def _log(writer: tf.summary.SummaryWriter, entry: dict[str, float]) -> None:
    with writer.as_default(step=entry["step"]):
        for name in ("loss", "score", "eval_score"):
            tf.summary.scalar(name, entry[name])
    writer.flush()

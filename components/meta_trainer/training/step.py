"""One meta-step: the meta-gradient of a stack of episodes, and the outer update."""

import os
from collections.abc import Callable

import tensorflow as tf

from components.episodes.types import Episodes
from components.meta_trainer.build import Assembly
from components.meta_trainer.kernels.pieces import compile_pieces, disable_graph_optimiser
from components.meta_trainer.learners.base import Learner, MetaGradients, MetaOptimizer
from components.meta_trainer.options import TrainingOptions
from components.meta_trainer.training import optimizer
from components.meta_trainer.training.distributed import ALONE, Workers
from components.meta_trainer.training.input_pipeline import prepare_inputs
from components.meta_trainer.training.parallel import chunk_size, mean_over_chunks
from components.meta_trainer.training.plateau import FACTOR
from components.meta_trainer.training.schedule import scheduled
from components.meta_trainer.training.state import TrainingState
from components.meta_trainer.types import Weights

MetaStep = Callable[[Episodes], tuple[tf.Tensor, tf.Tensor]]
"""`episodes -> (query loss, query score)`, scalars; the state takes the step."""


def meta_step(
    assembly: Assembly, options: TrainingOptions, state: TrainingState, workers: Workers = ALONE
) -> MetaStep:
    """A compiled function that takes one meta-step and changes the state with it."""
    outer = outer_optimizer(assembly.learner, options)
    gradients = compiled_gradients(assembly.learner, options.jit_compile)

    # Recordings differ in length from stack to stack: one trace for all of them.
    @tf.function(reduce_retracing=True, autograph=False)
    def step(episodes: Episodes) -> tuple[tf.Tensor, tf.Tensor]:
        progress = share_done(state, options)
        weights = state.read_weights()
        # XLA compiles neither strings nor sizes that vary: preparing texts and sounds stays out.
        stack = prepare_inputs(episodes, assembly)
        count = stack.support_x.shape[0]
        examples = stack.support_y.shape[1] + stack.query_y.shape[1]
        largest = max_chunk(assembly.learner)
        size = chunk_size(count, os.cpu_count() or 1, examples, largest=largest)

        def of_chunk(*chunk: tf.Tensor) -> MetaGradients:
            return gradients(weights, Episodes(*chunk), progress)

        meta = workers.mean(mean_over_chunks(of_chunk, stack, size))
        new, moments = optimizer.UPDATES[outer.optimizer](
            weights,
            optimizer.clip(meta.gradients, outer.clip_norm),
            state.read_moments(),
            step=tf.cast(state.step + 1, tf.float32),
            rate=scheduled(outer.learning_rate, outer.schedule, progress)
            * FACTOR ** tf.cast(state.plateaus, tf.float32),
        )
        state.assign(new, moments)
        return meta.loss, meta.score

    return step


def outer_optimizer(learner: Learner, options: TrainingOptions) -> MetaOptimizer:
    """The optimizer of the learner's paper, with what the section `training` overrides."""
    paper = learner.traits.meta_optimizer
    return MetaOptimizer(
        learning_rate=options.meta_learning_rate or paper.learning_rate,
        schedule=options.schedule or paper.schedule,
        clip_norm=options.clip_norm or paper.clip_norm,
        optimizer=options.optimizer or paper.optimizer,
    )


def compiled_gradients(
    learner: Learner, jit_compile: bool
) -> Callable[[Weights, Episodes, tf.Tensor], MetaGradients]:
    """`Learner.meta_gradients` with dense gradients, as one program or in pieces."""
    backbone = learner.network.backbone
    pieces = _in_pieces(learner)
    compiles = jit_compile and backbone.compiles
    if backbone.in_pieces:
        disable_graph_optimiser()

    @tf.function(jit_compile=compiles and not pieces, autograph=False)
    def gradients(weights: Weights, episodes: Episodes, progress: tf.Tensor) -> MetaGradients:
        with compile_pieces(compiles and pieces):
            meta = learner.meta_gradients(weights, episodes, progress)
        # Gradients of a table are sparse where rows are looked up; Adam's moments are not.
        return meta._replace(gradients=tf.nest.map_structure(tf.convert_to_tensor, meta.gradients))

    return gradients


def max_chunk(learner: Learner) -> int:
    """The largest number of episodes in a chunk.

    One, where TensorFlow convolves: of several it computes one after the other.
    """
    return 1 if _in_pieces(learner) else learner.traits.max_chunk


def _in_pieces(learner: Learner) -> bool:
    return learner.network.backbone.in_pieces and learner.traits.in_pieces


def share_done(state: TrainingState, options: TrainingOptions) -> tf.Tensor:
    """The share of meta-training that is done, 0..1: of its steps, or of its time if that is more.

    So a schedule reaches its end, however meta-training ends.
    """
    of_steps = tf.cast(state.step, tf.float32) / options.steps
    if options.max_seconds is None:
        return of_steps
    of_time = tf.cast(state.seconds / options.max_seconds, tf.float32)
    return tf.minimum(tf.maximum(of_steps, of_time), 1.0)

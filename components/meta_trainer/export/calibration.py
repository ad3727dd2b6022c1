"""Calibration after meta-training: probabilities that are as large as they are often right.

The logits z of a query are divided by a temperature T > 0, the same for all queries, before the
softmax. T is the one with the smallest log loss on meta-validation episodes, whose classes
meta-training never saw. No prediction changes, only how sure it is.

References: Guo et al. 2017, "On Calibration of Modern Neural Networks", arXiv 1706.04599,
section 4.2 (temperature scaling).
"""

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from components.episodes.types import Episodes
from components.meta_trainer.build import Assembly
from components.meta_trainer.training.input_pipeline import prepare_inputs
from components.meta_trainer.types import Weights
from components.tasks.classification import restrict

TEMPERATURES = (0.05, 100.0)
"""Between these it is sought: few episodes, all of them right, would make it 0."""


class Calibration(NamedTuple):
    """What an exported classifier adds to the logits of its learner; the default adds nothing."""

    temperature: float = 1.0

    def to_json(self) -> dict[str, float]:
        """Its entries of `fewshot_model.json`."""
        return self._asdict()


UNCALIBRATED = Calibration()


class LabelledLogits(NamedTuple):
    """Logits `[n, N]` of queries, -1e9 for a class without support, and their labels `[n]`."""

    logits: np.ndarray
    labels: np.ndarray


def fit_calibration(
    assembly: Assembly, weights: Weights, validation: Iterable[Episodes]
) -> tuple[Calibration, dict[str, float]]:
    """Fits a classifier's calibration to meta-validation episodes.

    Returns:
      the calibration, and the Trainer's record of it: temperature, and the mean log loss of those
      episodes' queries in nats without it (log_loss_before) and with it (log_loss_after).
    """
    queries = collect_logits(_logits_function(assembly, weights), validation)
    temperature = fit_temperature(queries)
    record = {
        "temperature": temperature,
        "log_loss_before": log_loss(queries, 1.0),
        "log_loss_after": log_loss(queries, temperature),
    }
    return Calibration(temperature), record


def fit_temperature(queries: LabelledLogits) -> float:
    """The temperature with the smallest log loss."""
    bounds = [math.log(limit) for limit in TEMPERATURES]
    found = minimize_scalar(lambda x: log_loss(queries, math.exp(x)), bounds=bounds)
    return math.exp(found.x)


def log_loss(queries: LabelledLogits, temperature: float) -> float:
    """The mean of -log p(label), in nats, of the softmax of logits / temperature."""
    log_p = log_softmax(queries.logits / temperature, axis=-1)
    return -float(np.take_along_axis(log_p, queries.labels[:, np.newaxis], axis=-1).mean())


def collect_logits(
    logits_of: Callable[[Episodes], tf.Tensor], stacks: Iterable[Episodes]
) -> LabelledLogits:
    """The logits `[E, Q, N]` of many stacks of episodes as one list of queries, padding left out.

    Queries whose logits are not finite are left out too.
    """
    parts = []
    for stack in stacks:
        logits, labels = np.asarray(logits_of(stack), np.float64), np.asarray(stack.query_y)
        real = (labels >= 0) & np.isfinite(logits).all(axis=-1)
        parts.append(LabelledLogits(logits[real], labels[real]))
    return LabelledLogits(*(np.concatenate(part) for part in zip(*parts)))


def _logits_function(assembly: Assembly, weights: Weights) -> Callable[[Episodes], tf.Tensor]:
    """`episodes -> logits [E, Q, N]`, adapted and predicted as when served."""

    @tf.function(reduce_retracing=True)
    def logits(episodes: Episodes) -> tf.Tensor:
        episodes = prepare_inputs(episodes, assembly.modality)
        adapted = assembly.learner.adapt(weights, episodes.support)
        outputs = assembly.learner.predict(weights, adapted, episodes.query_x)
        return restrict(outputs, episodes.support_y)

    return logits

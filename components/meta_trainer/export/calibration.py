"""Calibration after meta-training: probabilities that are as large as they are often right.

The logits z of a query are divided by a temperature T > 0, the same for all queries, before the
softmax. T is the one with the smallest log loss on meta-validation episodes, whose classes
meta-training never saw. No prediction changes, only how sure it is.

References: Guo et al. 2017, "On Calibration of Modern Neural Networks", arXiv 1706.04599,
section 4.2 (temperature scaling). The score of "none of these": see `none_score`.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from components.episodes.types import Episodes
from components.meta_trainer.build import Assembly
from components.meta_trainer.export.none_score import NoneScale, fit_none_scale, none_score
from components.meta_trainer.training.input_pipeline import prepare_inputs
from components.meta_trainer.types import Weights
from components.tasks.classification import leave_one_out, restrict
from serving.saved_model import signatures as sig

TEMPERATURES = (0.05, 100.0)
"""Between these it is sought: few episodes, all of them right, would make it 0."""


class Calibration(NamedTuple):
    """What an exported classifier adds to the logits of its learner; the default adds nothing."""

    temperature: float = 1.0
    none: NoneScale | None = None

    def to_json(self) -> dict[str, float]:
        """Its entries of `fewshot_model.json`."""
        threshold = {} if self.none is None else {"none_threshold": self.none.threshold}
        return {"temperature": self.temperature} | threshold


UNCALIBRATED = Calibration()


class LabelledLogits(NamedTuple):
    """Logits `[n, N]` of queries, -1e9 for a class without support, and their labels `[n]`."""

    logits: np.ndarray
    labels: np.ndarray


LogitsFunction = Callable[[Episodes], tf.Tensor]
"""`episodes -> logits [E, Q, N]`."""


def fit_calibration(
    assembly: Assembly, weights: Weights, validation: Iterable[Episodes]
) -> tuple[Calibration, dict[str, float]]:
    """Fits a classifier's calibration to meta-validation episodes.

    Returns:
      the calibration, and the Trainer's record of it: temperature, none_threshold, and the mean log
      loss of those episodes' queries in nats without it (log_loss_before) and with it
      (log_loss_after).
    """
    logits_of = _logits_function(assembly, weights)
    queries = collect_logits(logits_of, validation)
    if not len(queries.labels):
        return UNCALIBRATED, UNCALIBRATED.to_json()  # no finite prediction: it will not be blessed
    temperature = fit_temperature(queries)
    open_queries = collect_logits(logits_of, without_a_class(validation))
    fitted = Calibration(temperature, fit_none_scale(*open_queries, temperature))
    record = fitted.to_json() | {
        "log_loss_before": log_loss(queries, 1.0),
        "log_loss_after": log_loss(queries, temperature),
    }
    return fitted, record


def fit_temperature(queries: LabelledLogits) -> float:
    """The temperature with the smallest log loss."""
    bounds = [math.log(limit) for limit in TEMPERATURES]
    found = minimize_scalar(lambda x: log_loss(queries, math.exp(x)), bounds=bounds)
    return math.exp(found.x)


def log_loss(queries: LabelledLogits, temperature: float) -> float:
    """The mean of -log p(label), in nats, of the softmax of logits / temperature."""
    log_p = log_softmax(queries.logits / temperature, axis=-1)
    return -float(np.take_along_axis(log_p, queries.labels[:, np.newaxis], axis=-1).mean())


def none_scores(
    logits: tf.Tensor, support_y: tf.Tensor, calibration: Calibration
) -> dict[str, tf.Tensor]:
    """The output `none_score` of logits `[E, Q, N]` that the temperature has divided.

    The classes are those of `support_y [E, S]`. Without a scale there is no such output.
    """
    temperature, scale = calibration
    if scale is None:
        return {}
    return {sig.NONE_SCORE: none_score(restrict(logits, support_y), temperature, scale)}


def none_thresholds(episodes: tf.Tensor, calibration: Calibration) -> dict[str, tf.Tensor]:
    """The output `none_threshold [E]` of a number of episodes, an int32 scalar."""
    if calibration.none is None:
        return {}
    return {sig.NONE_THRESHOLD: tf.fill([episodes], tf.constant(calibration.none.threshold))}


def collect_logits(logits_of: LogitsFunction, stacks: Iterable[Episodes]) -> LabelledLogits:
    """The logits of many stacks of episodes as one list of queries, padding left out.

    Queries whose logits are not finite are left out too.
    """
    parts = []
    for stack in stacks:
        logits, labels = np.asarray(logits_of(stack), np.float64), np.asarray(stack.query_y)
        real = (labels >= 0) & np.isfinite(logits).all(axis=-1)
        parts.append(LabelledLogits(logits[real], labels[real]))
    return LabelledLogits(*(np.concatenate(part) for part in zip(*parts)))


def without_a_class(stacks: Iterable[Episodes]) -> Iterator[Episodes]:
    """The episodes, each with one class taken out of its support set."""
    first = 0
    for stack in stacks:
        support_y = np.asarray(stack.support_y)
        index = first + np.arange(len(support_y))
        remaining, _ = leave_one_out(support_y, index, ways=int(support_y.max()) + 1)
        yield stack._replace(support_y=tf.constant(remaining))
        first += len(support_y)


def _logits_function(assembly: Assembly, weights: Weights) -> LogitsFunction:
    """The logits of queries, adapted and predicted as when served."""

    @tf.function(reduce_retracing=True, autograph=False)
    def logits(episodes: Episodes) -> tf.Tensor:
        episodes = prepare_inputs(episodes, assembly)
        adapted = assembly.learner.adapt(weights, episodes.support)
        outputs = assembly.learner.predict(weights, adapted, episodes.query_x)
        return restrict(outputs, episodes.support_y)

    return logits

"""What a model's temperature does to its probabilities on the test episodes.

Exported classifiers divide their logits by a temperature that was fitted on meta-validation
episodes. The probabilities before it follow from those after it: p_before is proportional to
p_after ** temperature.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from components.few_shot_evaluator.metrics import calibration

SMALLEST = np.finfo(np.float32).tiny
"""What a probability of 0, or none, counts as, so that the log loss is finite."""


def uncalibrate(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """The probabilities `[..., N]` that the model would give without its temperature."""
    logits = temperature * np.log(np.maximum(probabilities, SMALLEST).astype(np.float64))
    powers = np.where(probabilities > 0, np.exp(logits - logits.max(axis=-1, keepdims=True)), 0.0)
    return powers / np.maximum(powers.sum(axis=-1, keepdims=True), SMALLEST)


def log_losses(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """-log p(label) in nats, `[n]`, of probabilities `[n, N]`."""
    chosen = np.take_along_axis(probabilities, labels[:, np.newaxis], axis=-1)[:, 0]
    return -np.log(np.fmax(chosen, SMALLEST))


def effect(results: Sequence[Any], temperature: float, *, bins: int) -> dict[str, Any]:
    """The entry `calibration` of `metrics.json`, from the `ClassificationResult` of each episode.

    Returns:
      temperature; log_loss, a mean over queries, in nats; expected_calibration_error and the bins
      of the reliability diagram; `uncalibrated`, these two numbers without the temperature.
    """
    labels, predictions = (
        np.concatenate([getattr(result, name) for result in results])
        for name in ("labels", "predictions")
    )

    def measure(certainties: Sequence[dict[str, list[float]]]) -> dict[str, Any]:
        confidences, losses = (
            np.concatenate([one[name] for one in certainties])
            for name in ("confidences", "log_losses")
        )
        diagram = calibration(confidences, labels == predictions, bins=bins).to_json()
        return {"log_loss": round(float(losses.mean()), 6)} | diagram

    before = measure([result.uncalibrated for result in results])
    return {
        "temperature": round(temperature, 6),
        **measure([vars(result) for result in results]),
        "uncalibrated": {k: v for k, v in before.items() if k != "bins"},
    }

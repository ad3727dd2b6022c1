"""Plateaus of meta-training: where the score on meta-validation no longer rises.

Each lowers the outer learning rate, and the last one ends meta-training: small steps find what
large ones jump over, as at the end of a schedule.
"""

from collections.abc import Sequence

from components.meta_trainer.options import TrainingOptions

FACTOR = 0.1
"""The outer learning rate after a plateau, relative to that before."""


def count_plateaus(scores: Sequence[float], patience: int, min_improvement: float) -> int:
    """How often `patience` scores in a row brought no improvement; each count begins anew.

    A score (the oldest first, higher is better) is an improvement if it is more than
    `min_improvement` above the last improvement, so that many small rises count together.
    """
    best, since, plateaus = float("-inf"), 0, 0
    for score in scores:
        improved = score > best + min_improvement
        best, since = (score, 0) if improved else (best, since + 1)
        if since == patience:
            plateaus, since = plateaus + 1, 0
    return plateaus


def plateaus_of(history: Sequence[dict[str, float]], options: TrainingOptions) -> int:
    """The plateaus in the evaluations so far; none unless meta-training goes by them."""
    if options.until != "plateau":
        return 0
    scores = [entry["eval_score"] for entry in history]
    return count_plateaus(scores, options.patience, options.min_improvement)

"""When meta-training has come to a plateau: the score on meta-validation no longer rises."""

from collections.abc import Sequence

from components.meta_trainer.options import TrainingOptions


def is_plateau(scores: Sequence[float], patience: int, min_improvement: float) -> bool:
    """Whether the last `patience` scores brought no improvement.

    A score (the oldest first, higher is better) is an improvement if it is more than
    `min_improvement` above the last improvement, so that many small rises count together.
    """
    best, since = float("-inf"), 0
    for score in scores:
        improved = score > best + min_improvement
        best, since = (score, 0) if improved else (best, since + 1)
    return since >= patience


def has_ended(history: Sequence[dict[str, float]], options: TrainingOptions) -> bool:
    """Whether meta-training ends, by its evaluations so far, before its budget is used up."""
    scores = [entry["eval_score"] for entry in history]
    return options.until == "plateau" and is_plateau(
        scores, options.patience, options.min_improvement
    )

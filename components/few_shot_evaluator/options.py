"""The configuration section `evaluation`."""

from typing import Literal

from pydantic import Field

from components.options import options_class
from serving.errors import UserError

# Fewer episodes give a half-width too wide to rely on: published results use 600 or more.
FEWEST_EPISODES_TO_BLESS = 600


@options_class
class EvaluationOptions:
    """How a model is evaluated, and when it is blessed."""

    threshold: float | None = Field(default=None, gt=0.0)
    """The accuracy that the lower end of the 95% interval (`threshold_interval`) must reach; for
    regression the mean squared error that its upper end must not exceed. With null no model is
    blessed."""
    threshold_interval: Literal["widest", "episodes"] = "widest"
    """The interval whose end is compared with the threshold: the widest of those over episodes,
    over classes and (where the split is by group) over groups, or that over episodes."""
    tolerance: float = Field(default=0.01, ge=0.0, le=1.0)
    """How much worse than the best blessed model it may be, in the same measure."""
    must_beat_baselines: bool = True
    """Whether a model is blessed only if it is ahead of every baseline beyond chance, on the same
    episodes; a baseline is a script of a few lines that learns nothing but the support set."""
    episodes: int = Field(default=FEWEST_EPISODES_TO_BLESS, ge=2)
    """How many episodes of the `test` split are used: those of index 0 up to this number. At least
    600 where a threshold is set."""
    baseline_episodes: int = Field(default=FEWEST_EPISODES_TO_BLESS, ge=2)
    """Of how many of these the baselines of classifiers predict the queries, and so over how many a
    model is compared with them."""
    curve_episodes: int = Field(default=100, ge=2)
    """Of how many of these the costlier curves are drawn: accuracy per inner step and per shots,
    and the baseline without adaptation."""
    worst_episodes: int = Field(default=3, ge=0, le=20)
    """How many of the least accurate episodes the report shows in pictures."""
    calibration_bins: int = Field(default=15, ge=2, le=100)
    """Intervals of equal width of the reliability diagram."""
    none_of_these: bool = False
    """Whether to report how well the prediction "none of these" works on `test`, by the model's
    `none_score` and by the largest probability, with a threshold chosen on `eval`."""
    episodes_per_call: int = Field(default=4, ge=1)
    """How many episodes one call of the model takes; more take more memory and, without a GPU, no
    less time."""

    def __post_init__(self) -> None:
        if self.threshold is not None and self.episodes < FEWEST_EPISODES_TO_BLESS:
            raise UserError(
                f"`evaluation.episodes` must be at least {FEWEST_EPISODES_TO_BLESS} where a "
                f"`threshold` is set: got {self.episodes}; raise it, or set `threshold` to null to "
                "evaluate without blessing."
            )

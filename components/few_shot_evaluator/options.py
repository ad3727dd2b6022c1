"""The configuration section `evaluation`."""

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

# Fewer episodes give a half-width too wide to stand on: published results use 600 or more.
FEWEST_EPISODES_TO_BLESS = 600


@dataclass(frozen=True, config=dict(extra="forbid", strict=True))
class EvaluationOptions:
    """How a model is judged, and when it is blessed.

    Attributes:
      threshold: the accuracy that the lower end of the 95% interval must reach; for regression the
        mean squared error that its upper end must not exceed. `None` (the default) judges without
        ever blessing.
      tolerance: how much worse than the last blessed model it may be, in the same measure.
      episodes: how many episodes of the `test` split are judged: those of index 0 up to this
        number. At least 600 where a threshold is set.
      curve_episodes: of how many of these the costlier curves are drawn: accuracy per inner step
        and per shots, and the baseline without adaptation.
      worst_episodes: how many of the least accurate episodes the report shows in pictures.
      calibration_bins: intervals of equal width of the reliability diagram.
      none_of_these: whether to calibrate a threshold on `eval` below which the answer is "none of
        these", and to report its precision and recall on `test`.
      episodes_per_call: how many episodes one call of the model takes; more take more memory and,
        without a GPU, no less time.
    """

    threshold: float | None = Field(default=None, gt=0.0)
    tolerance: float = Field(default=0.01, ge=0.0, le=1.0)
    episodes: int = Field(default=FEWEST_EPISODES_TO_BLESS, ge=2)
    curve_episodes: int = Field(default=100, ge=2)
    worst_episodes: int = Field(default=3, ge=0, le=20)
    calibration_bins: int = Field(default=15, ge=2, le=100)
    none_of_these: bool = False
    episodes_per_call: int = Field(default=4, ge=1)

    @model_validator(mode="after")
    def _enough_episodes_to_bless(self) -> "EvaluationOptions":
        if self.threshold is not None and self.episodes < FEWEST_EPISODES_TO_BLESS:
            raise ValueError(
                f"`episodes` must be at least {FEWEST_EPISODES_TO_BLESS} where a `threshold` is "
                f"set: got {self.episodes}; raise it, or set `threshold` to null to judge without "
                "blessing"
            )
        return self

"""How a model is tried before it is served."""

from pydantic import Field
from pydantic.dataclasses import dataclass


@dataclass(frozen=True, config=dict(extra="forbid", strict=True))
class ServingValidatorOptions:
    """Attributes:
    time_limit_seconds: for loading the model and all checks together; a model that takes longer is
      not blessed.
    tolerance: how far two probabilities that must be equal may differ. Float32 rounds otherwise
      where other shapes are stacked: a `resnet12` without a fault was seen to differ by 3e-5.
      Answers that leak into each other differ by far more.
    """

    time_limit_seconds: float = Field(default=300.0, gt=0.0)
    tolerance: float = Field(default=1e-4, gt=0.0, lt=1.0)

"""How a model is tried before it is served."""

from pydantic import Field

from components.options import options_class


@options_class
class ServingValidatorOptions:
    """Limits of the trial."""

    time_limit_seconds: float = Field(default=300.0, gt=0.0)
    """For loading the model and all checks together; a model that takes longer is not blessed."""
    tolerance: float = Field(default=1e-4, gt=0.0, lt=1.0)
    """How far two probabilities that must be equal may differ. Float32 rounds otherwise where other
    shapes are stacked: a `resnet12` without a fault was seen to differ by 3e-5. Answers that leak
    into each other differ by far more."""

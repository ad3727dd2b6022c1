"""A model and what it is tried with."""

from typing import NamedTuple

import numpy as np

from components.modalities.base import ExampleSpec
from components.serving_validator.good_requests import Inputs
from components.serving_validator.session_model import SessionModel
from serving.saved_model import signatures as sig


class Trial(NamedTuple):
    """Attributes:
    model: the loaded model.
    episodes: at least two right requests of one episode each, for `serving_default`.
    class_names: the N names of the classes of the first of them.
    spec: of one example.
    ways: N.
    max_ways: labels up to this, exclusive, are right; more than N for a learner that takes any.
    tolerance: how far equal probabilities may differ.
    """

    model: SessionModel
    episodes: list[Inputs]
    class_names: list[str]
    spec: ExampleSpec
    ways: int
    max_ways: int
    tolerance: float

    @property
    def output(self) -> str:
        """The output that holds the answer."""
        return sig.TARGETS if self.spec.regression else sig.PROBABILITIES

    def answer(self, inputs: Inputs) -> np.ndarray:
        """The probabilities `[E, Q, N]`, or the targets `[E, Q, ...target]`."""
        return self.model.run(sig.ADAPT_AND_PREDICT, inputs)[self.output]

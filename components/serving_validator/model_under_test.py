"""A loaded model and the requests that it is checked with."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from components.modalities.base import ExampleSpec
from components.serving_validator.good_requests import Request
from components.tasks.task import Task
from serving.model_server.loading import make_loader
from serving.model_server.predict import predict
from serving.model_server.servable import Parallelism, Servable
from serving.saved_model import signatures as sig


def load(folder: str) -> Servable:
    """Loads a SavedModel exactly as the project's server does, warm-up requests included.

    `serving.model_server.servable.Servable` is the loader of all that serves: the server, the
    client's models on disk, and these checks; the evaluator and `fewshot compare`, which need
    numbers only, call `few_shot_evaluator.model.ExportedModel` in their own process.
    """
    return make_loader(parallelism=Parallelism(), warmup=True)("model", 0, Path(folder))


class ModelUnderTest(NamedTuple):
    """A loaded model, with right requests and the facts that the checks compare it with.

    `max_ways`, the lowest label that is too high, is more than `ways`, the number N of classes of
    an episode, for a learner that takes any number of classes.
    """

    servable: Servable
    folder: str  # on this machine
    requests: Sequence[Request]  # two or more right ones to `serving_default`, an episode each
    class_names: Sequence[str]  # those of the first request
    spec: ExampleSpec
    task: Task
    ways: int
    max_ways: int
    tolerance: float  # how far two predictions that must be equal may differ

    def run(self, signature: str, request: Request) -> Request:
        """All outputs of a signature.

        Raises:
          StatusError: the code and the message that a client would get.
        """
        inputs = {name: lambda array=array: array for name, array in request.items()}
        return predict(self.servable, signature, inputs)

    def predict(self, request: Request) -> np.ndarray:
        """The probabilities `[E, Q, N]`, or the targets `[E, Q, ...target]`."""
        return self.run(sig.ADAPT_AND_PREDICT, request)[self.task.prediction]

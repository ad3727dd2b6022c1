"""What a model said of the queries of one episode."""

from typing import NamedTuple

import numpy as np

from serving.client.transport import Reply
from serving.errors import UserError
from serving.saved_model import signatures as names


class Answer(NamedTuple):
    """What the model says of the queries of one episode.

    Attributes:
      probabilities: float32 [Q, N], columns in the order of `class_names`.
      class_names: the N classes in the order of the support set.
      version: the model version that answered, where the protocol tells it.
    """

    probabilities: np.ndarray
    class_names: list[str]
    version: int | None = None

    @property
    def labels(self) -> list[str]:
        """The most probable class of each query."""
        return [self.class_names[index] for index in self.probabilities.argmax(axis=-1)]


def read_answer(reply: Reply, class_names: list[str]) -> Answer:
    """The first episode's probabilities, one column for each class asked for.

    There are more columns if the model has more ways, or if the server joined this request with
    one of more classes; those are 0. The encoded signature names its columns itself.
    """
    probabilities = reply.outputs[names.PROBABILITIES][0]
    if names.CLASS_NAMES in reply.outputs:
        served = [name.decode() for name in reply.outputs[names.CLASS_NAMES][0]]
        columns = [served.index(name) for name in class_names]
    else:
        columns = list(range(len(class_names)))
    return Answer(probabilities[:, columns], class_names, reply.version)


def read_targets(reply: Reply) -> np.ndarray:
    """The first episode's targets, float32 `[Q, ...target]`.

    Raises:
      UserError: the model has none.
    """
    if names.TARGETS not in reply.outputs:
        raise UserError("The model gives no targets (a classifier?); use `classify`.")
    return reply.outputs[names.TARGETS][0]

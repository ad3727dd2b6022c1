"""The predictions for the queries of one episode, read from a reply."""

from typing import NamedTuple

import numpy as np

from serving.client.transport import Reply
from serving.errors import UserError
from serving.saved_model import signatures as names


class Answer(NamedTuple):
    """A model's predictions for the queries of one episode.

    `probabilities` is float32 [Q, N] with columns in the order of `class_names`, that of the
    support set; `version` is the model's, None over REST, which does not report it.
    """

    probabilities: np.ndarray
    class_names: list[str]
    version: int | None = None

    @property
    def labels(self) -> list[str]:
        """The most probable class of each query."""
        return [self.class_names[index] for index in self.probabilities.argmax(axis=-1)]


def read_answer(reply: Reply, class_names: list[str]) -> Answer:
    """Reads the first episode's probabilities, one column for each class of the support set.

    A reply has more columns if the model has more ways, or if the server joined this request with
    one of more classes; those are 0. The encoded signature names its columns itself.
    """
    probabilities = reply.outputs[names.PROBABILITIES][0]
    if names.CLASS_NAMES in reply.outputs:
        columns_of_model = [name.decode() for name in reply.outputs[names.CLASS_NAMES][0]]
        columns = [columns_of_model.index(name) for name in class_names]
    else:
        columns = list(range(len(class_names)))
    return Answer(probabilities[:, columns], class_names, reply.version)


def read_targets(reply: Reply) -> np.ndarray:
    """Reads the first episode's targets, float32 `[Q, ...target]`; UserError for a classifier."""
    if names.TARGETS not in reply.outputs:
        raise UserError("The model gives no targets (a classifier?); use `classify`.")
    return reply.outputs[names.TARGETS][0]

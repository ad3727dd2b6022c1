"""The predictions for the queries of one episode, read from a reply."""

from typing import NamedTuple

import numpy as np

from serving.client.transport import Reply
from serving.errors import UserError
from serving.saved_model import signatures as names


class Answer(NamedTuple):
    """A model's predictions for the queries of one episode.

    `probabilities` is float32 [Q, N] with columns in the order of `class_names`, that of the
    support set; `version` is the model's, None over REST, which does not report it. `none_scores`
    is float32 [Q], 0..1, higher for a query that is like none of the classes, and `none_threshold`
    the score above which the model recommends "none of these"; both None for an older model.
    """

    probabilities: np.ndarray
    class_names: list[str]
    version: int | None = None
    none_scores: np.ndarray | None = None
    none_threshold: float | None = None

    @property
    def labels(self) -> list[str]:
        """The most probable class of each query."""
        return [self.class_names[index] for index in self.probabilities.argmax(axis=-1)]

    def labels_or_none(self, none_below: float | None = None) -> list[str | None]:
        """The most probable class of each query, or None for "none of these".

        None is for queries with 1 - `none_scores` below `none_below`: 0.1 refuses about one in ten
        of the queries that do belong to a class. By default the model's recommendation; UserError
        for an older model, which has none, and whose largest probability is compared instead.
        """
        if none_below is None:
            if self.none_threshold is None:
                raise UserError(
                    "The model recommends no threshold for `none of these`: give one, between 0 "
                    "and 1, that the largest probability is compared with; the report says which."
                )
            none_below = 1.0 - self.none_threshold
        scores = self.none_scores
        confidences = self.probabilities.max(axis=-1) if scores is None else 1.0 - scores
        return [
            None if confidence < none_below else label
            for confidence, label in zip(confidences.tolist(), self.labels)
        ]


def read_answer(reply: Reply, class_names: list[str] | None) -> Answer:
    """Reads the first episode's probabilities, one column for each class of the support set.

    A reply has more columns if the model has more ways, or if the server joined this request with
    one of more classes; those are 0. The encoded signature names its columns itself. `class_names`
    is None for a model of phrases, whose columns are those of its list.
    """
    probabilities = reply.outputs[names.PROBABILITIES][0]
    if class_names is None:
        class_names = [name.decode() for name in reply.outputs[names.CLASS_NAMES][0]]
    if names.CLASS_NAMES in reply.outputs:
        columns_of_model = [name.decode() for name in reply.outputs[names.CLASS_NAMES][0]]
        columns = [columns_of_model.index(name) for name in class_names]
    else:
        columns = list(range(len(class_names)))
    answer = Answer(probabilities[:, columns], class_names, reply.version)
    if names.NONE_SCORE not in reply.outputs:
        return answer
    return answer._replace(
        none_scores=reply.outputs[names.NONE_SCORE][0],
        none_threshold=float(reply.outputs[names.NONE_THRESHOLD][0]),
    )


def read_targets(reply: Reply) -> np.ndarray:
    """Reads the first episode's targets, float32 `[Q, ...target]`; UserError for a classifier."""
    if names.TARGETS not in reply.outputs:
        raise UserError("The model gives no targets (a classifier?); use `classify`.")
    return reply.outputs[names.TARGETS][0]

"""The task type of a set of episodes: the only place that asks "classes, targets or phrases?"."""

from components.modalities.base import ExampleSpec
from components.tasks.classification import classification
from components.tasks.regression import regression
from components.tasks.retrieval import retrieval
from components.tasks.task import Task


def task_of(spec: ExampleSpec) -> Task:
    """The task type of episodes whose examples are as `spec` says."""
    if spec.phrases:
        return retrieval()
    return classification() if spec.target_shape is None else regression(spec.target_shape)

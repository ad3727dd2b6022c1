"""The results as a Markdown table."""

from typing import Any

from benchmarks import markdown

LEARNERS = {
    "maml": "MAML",
    "fomaml": "FOMAML",
    "anil": "ANIL",
    "meta_sgd": "Meta-SGD",
    "maml_plus_plus": "MAML++",
    "reptile": "Reptile",
    "protonet": "ProtoNet",
    "r2d2": "R2-D2",
    "proto_maml": "Proto-MAML",
    "meta_lstm": "Meta-LSTM",
}
"""Titles in the table, by `learner.name`."""


def table(results: dict[str, Any]) -> str:
    """Formats one row for each learner."""
    rows = []
    for name, one in results["learners"].items():
        accuracy = f"{one['accuracy']:.4f} ± {one['ci95']:.4f}"
        adapt = one["adapt_milliseconds"]
        seconds = "" if adapt is None else f"{adapt / 1000:.4f} s"
        blessed = "yes" if one["blessed"] else "no"
        training = f"{one['training_seconds']} s"
        rows.append([LEARNERS[name], accuracy, blessed, training, seconds])
    titles = ["learner", "accuracy", "blessed", "training", "adaptation, one query"]
    return markdown.table(titles, rows)

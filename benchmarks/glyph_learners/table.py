"""The results as a Markdown table."""

from typing import Any

LEARNERS = {
    "maml": "MAML",
    "fomaml": "FOMAML",
    "anil": "ANIL",
    "meta_sgd": "Meta-SGD",
    "maml_plus_plus": "MAML++",
    "reptile": "Reptile",
    "protonet": "ProtoNet",
    "proto_maml": "Proto-MAML",
    "meta_lstm": "Meta-LSTM",
}
"""By `learner.name`: the title in the table."""
MARKERS = ("<!-- learners table -->", "<!-- end of learners table -->")
"""The table stands between these lines in the README."""


def markdown(results: dict[str, Any]) -> str:
    """One row a learner."""
    lines = [
        "| learner | accuracy | blessed | training | adaptation, one query |",
        "|---|---|---|---|---|",
    ]
    for name, one in results["learners"].items():
        accuracy = f"{one['accuracy']:.4f} ± {one['ci95']:.4f}"
        adapt = one["adapt_milliseconds"]
        seconds = "" if adapt is None else f"{adapt / 1000:.4f} s"
        blessed = "yes" if one["blessed"] else "no"
        training = f"{one['training_seconds']} s"
        lines.append(f"| {LEARNERS[name]} | {accuracy} | {blessed} | {training} | {seconds} |")
    return "\n".join(lines) + "\n"

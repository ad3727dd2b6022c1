"""The results as a Markdown table."""

from typing import Any

from benchmarks import markdown

TRIALS = {
    "conv4": "`conv4` from nothing, MAML",
    "descriptors": "`conv4` beside fixed descriptors, R2-D2: what `init` writes",
    "frozen": "EfficientNet-Lite0 frozen, ProtoNet, no meta-training",
    "projection": "EfficientNet-Lite0 frozen, meta-trained projection, R2-D2",
}
"""Name of a trial -> what it is."""


def table(results: dict[str, Any]) -> str:
    """Formats one row for each trial, with its paired difference to `conv4`."""
    titles = ["network", "accuracy", "above `conv4`", "model, MB", "adapting, ms", "training, s"]
    titles += ["commit"]
    trials = results["trials"]
    rows = []
    for name in (name for name in TRIALS if name in trials):
        one = trials[name]
        gain = one["above_conv4"]
        cells = [
            TRIALS[name],
            "{:.3f} ± {:.3f}".format(*one["accuracy"]),
            "{:+.3f} ± {:.3f}".format(*gain) if gain and name != "conv4" else "",
            f"{one['megabytes']:.1f}",
            f"{one['adapt_milliseconds']:.0f}",
            f"{one['training_seconds']}",
            one["commit"],
        ]
        rows.append(cells)
    return markdown.table(titles, rows)

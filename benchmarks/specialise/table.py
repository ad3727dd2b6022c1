"""The result as a Markdown table."""

from typing import Any

from benchmarks import markdown


def table(result: dict[str, Any]) -> str:
    """Formats times, sizes and accuracies of each model and of the classifiers made of it."""
    titles = ["model", "adapt and predict", "classifier", "size", "accuracy", "float32", "int8"]
    return markdown.table(titles, [_row(name, one) for name, one in result["models"].items()])


def _row(name: str, one: dict[str, Any]) -> list[str]:
    p50, size = one["p50_seconds"], one["bytes"]
    times = [f"{1000 * p50[key]:.1f} ms" for key in ("model", "classifier")]
    sizes = " -> ".join(f"{size[key] / 1e6:.2f}" for key in ("model", "classifier")) + " MB"
    accuracy = one["accuracy"]
    shares = [f"{accuracy[key]:.4f}" if key in accuracy else "" for key in ("model", *LITE)]
    return [name, *times, sizes, *shares]


LITE = ("model.tflite", "model_int8.tflite")

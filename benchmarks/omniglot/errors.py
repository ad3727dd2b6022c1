"""Queries that differently trained entries all predict wrongly: what more training does not help.

    python -m benchmarks.omniglot.errors NAME NAME ... [--work-dir DIR] [--record]

The entries must be trained in this folder and have a test of the same shape. Result files:
`omniglot_errors.json` and `omniglot_errors.png`, a sample of these queries, each beside the support
images of its class and those of the class that was predicted.
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.omniglot.entries import TABLE
from benchmarks.omniglot.entry import evaluation_episodes
from benchmarks.omniglot.table import error_table
from benchmarks.reporting import about, add_record_option, hide_notices, report
from components.episodes.types import Episodes

NAME = "omniglot_errors"
ROWS = 12
"""Rows of the picture."""
GREY, GAP = 128, 6


def main() -> None:
    """Runs the benchmark as its command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", choices=list(TABLE))
    parser.add_argument("--task", default="5w5s", help="ways and shots of the test")
    parser.add_argument("--work-dir", type=Path, default=Path("runs/benchmarks/omniglot"))
    add_record_option(parser)
    arguments = parser.parse_args()
    hide_notices()
    import tensorflow as tf

    before = about()
    labels, predictions, images = predict(arguments.names, arguments.task, arguments.work_dir)
    wrong = {name: of_entry != labels for name, of_entry in predictions.items()}
    wrong_in_all = np.logical_and.reduce(list(wrong.values()))
    result = {
        "task": arguments.task,
        "queries": int(labels.size),
        "wrong": {name: int(of_entry.sum()) for name, of_entry in wrong.items()},
        "wrong_in_all": int(wrong_in_all.sum()),
    }
    report(NAME, before | result, arguments.results, error_table)
    if not wrong_in_all.any():
        return
    shown = picture(labels, predictions[arguments.names[0]], wrong_in_all, images)
    tf.io.write_file(f"{arguments.results}/{NAME}.png", tf.io.encode_png(shown[:, :, None]))


def predict(
    names: list[str], task: str, work: Path
) -> tuple[np.ndarray, dict[str, np.ndarray], Episodes]:
    """Returns labels `[T, Q]`, each entry's predictions, and the T test episodes.

    Raises:
      SystemExit: if an entry has no such test or another, or is not trained to its end.
    """
    from benchmarks.omniglot import runs

    tests = {next((t for t in TABLE[name].tests if t.task == task), None) for name in names}
    test = tests.pop()
    if test is None or tests:
        raise SystemExit(f"Of {', '.join(names)}, not all have the same test `{task}`.")
    trained = {name: runs.finished(name, work) for name in names}
    uri = runs.episodes(evaluation_episodes(test), work)
    stacks, predictions = list(runs.stacks(uri, test)), {}
    for name in names:
        with runs.exported(trained[name]) as model:
            predictions[name] = np.concatenate([model.predict(s).argmax(-1) for s in stacks])
    joined = Episodes(*map(np.concatenate, zip(*stacks)))
    return joined.query_y, predictions, joined


def picture(
    labels: np.ndarray, predictions: np.ndarray, marked: np.ndarray, images: Episodes
) -> np.ndarray:
    """Draws a sample of the marked queries: query, its class, the class that was predicted.

    Args:
      labels: true classes `[T, Q]`.
      predictions: predicted classes `[T, Q]`.
      marked: the queries to choose from, `[T, Q]` bool.
      images: T episodes of `[H, W, 1]` uint8 images.

    Returns:
      Grey values `[height, width]` uint8.
    """
    places = np.argwhere(marked)
    rows = []
    for test, query in places[:: max(1, len(places) // ROWS)][:ROWS]:

        def of_class(label: int, test: int = test) -> np.ndarray:
            return np.hstack(images.support_x[test][images.support_y[test] == label, :, :, 0])

        image = images.query_x[test, query, :, :, 0]
        gap = np.full((len(image), GAP), GREY, np.uint8)
        parts = [image, of_class(labels[test, query]), of_class(predictions[test, query])]
        row = np.hstack([parts[0], gap, parts[1], gap, parts[2]])
        rows += [row, np.full((GAP, row.shape[1]), GREY, np.uint8)]
    return np.vstack(rows[:-1]).repeat(2, axis=0).repeat(2, axis=1)


if __name__ == "__main__":
    main()

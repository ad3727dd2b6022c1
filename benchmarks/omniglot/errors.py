"""Which queries differently trained entries all get wrong: what more training does not mend.

    python -m benchmarks.omniglot.errors NAME NAME ... [--work-dir DIR]

Of entries that are trained in this folder and have a test of the same shape. Writes
`benchmarks/results/omniglot_errors.json` and `omniglot_errors.png`: some of these queries, spread
over all, each beside the support images of its class and those of the class that was answered.
"""

import argparse
import os
from pathlib import Path

import numpy as np

from benchmarks.omniglot.entries import TABLE, judged_episodes
from benchmarks.reporting import RESULTS, about, write_result
from components.episodes.types import Episodes

NAME = "omniglot_errors"
ROWS = 12
"""Of the picture."""
GREY, GAP = 128, 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", choices=list(TABLE))
    parser.add_argument("--task", default="5w5s", help="ways and shots of the test")
    parser.add_argument("--work-dir", type=Path, default=Path("runs/benchmarks/omniglot"))
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    before = about()
    labels, answers, images = answers_of(arguments.names, arguments.task, arguments.work_dir)
    wrong = {name: given != labels for name, given in answers.items()}
    everywhere = np.logical_and.reduce(list(wrong.values()))
    found = {
        "task": arguments.task,
        "queries": int(labels.size),
        "wrong": {name: int(of_entry.sum()) for name, of_entry in wrong.items()},
        "wrong_in_all": int(everywhere.sum()),
    }
    print(found, flush=True)
    write_result(NAME, before | found)
    if not everywhere.any():
        return
    shown = picture(labels, answers[arguments.names[0]], everywhere, images)
    tf.io.write_file(f"{RESULTS}/{NAME}.png", tf.io.encode_png(shown[:, :, None]))


def answers_of(
    names: list[str], task: str, work: Path
) -> tuple[np.ndarray, dict[str, np.ndarray], Episodes]:
    """Labels `[T, Q]`, the classes that each entry answers, and the episodes' tensors, of T tests.

    Raises:
      SystemExit: if an entry has no such test or another, or is not trained to its end.
    """
    from benchmarks.omniglot import runs

    tests = {next((t for t in TABLE[name].tests if t.task == task), None) for name in names}
    test = tests.pop()
    if test is None or tests:
        raise SystemExit(f"Of {', '.join(names)}, not all have the same test `{task}`.")
    trained = {name: runs.finished(name, work) for name in names}
    uri = runs.episodes(judged_episodes(test), work)
    answers, episodes = {}, []
    for name in names:
        with runs.exported(trained[name]) as model:
            stacks = list(runs.answered(model, uri, test))
        answers[name] = np.concatenate([given.argmax(-1) for _, given in stacks])
        episodes = [parsed for parsed, _ in stacks]
    joined = Episodes(*map(np.concatenate, zip(*episodes)))
    return joined.query_y, answers, joined


def picture(
    labels: np.ndarray, answers: np.ndarray, marked: np.ndarray, images: Episodes
) -> np.ndarray:
    """A row for some of the marked queries: it, its class, the class that was answered.

    Args:
      labels, answers: `[T, Q]`.
      marked: `[T, Q]` bool.
      images: T episodes of `[H, W, 1]` uint8 images.

    Returns:
      `[height, width]` uint8.
    """
    places = np.argwhere(marked)
    rows = []
    for test, query in places[:: max(1, len(places) // ROWS)][:ROWS]:

        def of_class(label: int, test: int = test) -> np.ndarray:
            return np.hstack(images.support_x[test][images.support_y[test] == label, :, :, 0])

        image = images.query_x[test, query, :, :, 0]
        gap = np.full((len(image), GAP), GREY, np.uint8)
        parts = [image, of_class(labels[test, query]), of_class(answers[test, query])]
        row = np.hstack([parts[0], gap, parts[1], gap, parts[2]])
        rows += [row, np.full((GAP, row.shape[1]), GREY, np.uint8)]
    return np.vstack(rows[:-1]).repeat(2, axis=0).repeat(2, axis=1)


if __name__ == "__main__":
    main()

"""Writes the SavedModel of a trained entry, for instance to start a pipeline's run from.

python -m benchmarks.omniglot.export NAME FOLDER [--work-dir DIR]
"""

import argparse
from pathlib import Path

from benchmarks.omniglot.entries import TABLE
from benchmarks.reporting import hide_notices
from serving import atomic


def main() -> None:
    """Writes the model with the best weights of an entry whose schedule is done."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=list(TABLE))
    parser.add_argument("folder", type=Path, help="which must not be there")
    parser.add_argument("--work-dir", type=Path, default=Path("runs/benchmarks/omniglot"))
    arguments = parser.parse_args()
    if arguments.folder.exists():
        parser.error(f"FOLDER must not be there: {arguments.folder} is.")
    hide_notices()
    # TensorFlow takes seconds to import, and a mistake in the command line needs none of it.
    from benchmarks.omniglot import runs

    trained = runs.finished(arguments.name, arguments.work_dir)
    with atomic.replacement(arguments.folder) as writing:
        runs.write_model(trained, writing)
    print(f"written to {arguments.folder}")


if __name__ == "__main__":
    main()

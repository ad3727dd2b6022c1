"""What a user sees of a run: the steps and their times; all else goes to a log file."""

import contextlib
import logging
import re
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

_MESSAGE = re.compile(r"Component (\S+) is (running|finished)\.")


@contextlib.contextmanager
def narrated(log_file: Path) -> Iterator[dict[str, float]]:
    """Tells of each step as LocalDagRunner comes to it, and logs everything to `log_file`.

    Yields:
      the seconds of each step, filled in as steps end.
    """
    seconds: dict[str, float] = {}
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    to_file = logging.FileHandler(log_file, mode="a")
    to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    absl_logger = logging.getLogger("absl")
    absl_propagate, absl_handlers = absl_logger.propagate, list(absl_logger.handlers)
    # absl's own handler writes to stderr whatever the root logger does.
    absl_logger.handlers, absl_logger.propagate = [], True
    root.handlers = [to_file, _Narrator(seconds)]
    root.setLevel(logging.INFO)
    try:
        with warnings.catch_warnings():
            logging.captureWarnings(True)
            yield seconds
    finally:
        logging.captureWarnings(False)
        absl_logger.handlers, absl_logger.propagate = absl_handlers, absl_propagate
        root.handlers, root.level = handlers, level
        to_file.close()


class _Narrator(logging.Handler):
    """Prints a line for each step from the runner's own log messages."""

    def __init__(self, seconds: dict[str, float]):
        super().__init__(logging.INFO)
        self._seconds = seconds
        self._started: dict[str, float] = {}
        self._console = Console(file=sys.stderr)

    def emit(self, record: logging.LogRecord) -> None:
        found = _MESSAGE.fullmatch(record.getMessage())
        if not found:
            return
        step, event = found.groups()
        if event == "running":
            self._started[step] = time.monotonic()
            self._console.print(f"[bold]{step}[/bold] ...", highlight=False)
            return
        self._seconds[step] = round(time.monotonic() - self._started[step], 1)
        self._console.print(f"  {step} took {self._seconds[step]:.1f} s", highlight=False)

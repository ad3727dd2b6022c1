"""What a terminal shows of a run: its steps, their times, a failure; the rest goes to a log."""

import contextlib
import logging
import os
import re
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from serving.errors import UserError
from serving.files.unreadable import printable

BLESSED, FAILED, WRONG_INPUT, NOT_BLESSED, STOPPED = 0, 1, 2, 3, 130
"""Exit statuses of the program."""

_MESSAGE = re.compile(r"Component (\S+) is (running|finished)\.")


@contextlib.contextmanager
def console_session(activity: str, log_file: Path) -> Iterator[dict[str, float]]:
    """Prints a line when LocalDagRunner begins and ends a step, and logs the rest to `log_file`.

    A failure is printed as one sentence with its trace in the log, and the program ends with status
    1; after Ctrl-C with 130, as shells do.

    Args:
      activity: a noun for the messages, as "run".
      log_file: path in the output folder.

    Yields:
      The seconds of each step by its name, filled in as steps end.

    Raises:
      UserError: the output folder cannot be written, or the body of the session raises it.
    """
    seconds: dict[str, float] = {}
    try:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        log_file.touch()
    except OSError as error:
        raise UserError(
            f"`--output-dir` must be a folder that can be written: {log_file.parent} "
            f"({error.strerror}). Choose another."
        ) from None
    with _native_messages_to(log_file), _python_messages_to(log_file, seconds):
        try:
            yield seconds
        except UserError:
            raise
        except KeyboardInterrupt:
            _print_error(f"stopped: the same command continues the {activity}")
            sys.exit(STOPPED)
        except Exception as error:
            logging.exception("the %s failed", activity)
            sentence = f"{type(error).__name__}: {error}".strip().splitlines()[0]
            _print_error(f"failed: {sentence}\nsee {log_file}")
            sys.exit(FAILED)


def plain_console(*, stderr: bool = False, width: int | None = None) -> Console:
    """A console that prints texts as they are: people's words are no markup.

    A class may be called "[music]" or ":smile:"; what is to be bold is a `rich.text.Text`.
    """
    file = sys.stderr if stderr else None
    return Console(file=file, width=width, markup=False, emoji=False, highlight=False)


def bold(word: str, rest: str) -> Text:
    """A word in bold, and what follows it."""
    return Text.assemble((printable(word), "bold"), rest)


def _print_error(text: str) -> None:
    plain_console(stderr=True).print(text, soft_wrap=True)


@contextlib.contextmanager
def _native_messages_to(log_file: Path) -> Iterator[None]:
    """Sends what C++ writes to file descriptor 2 to the log; Python's stderr stays the terminal.

    XLA's start-up notices obey no log level.
    """
    sys.stderr.flush()
    terminal, python_stderr = os.dup(2), sys.stderr
    with open(log_file, "ab") as log:
        os.dup2(log.fileno(), 2)
    sys.stderr = os.fdopen(terminal, "w", buffering=1)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(terminal, 2)
        sys.stderr.close()
        sys.stderr = python_stderr


@contextlib.contextmanager
def without_notices() -> Iterator[None]:
    """Hides what libraries log that is no error, in a command without a log."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with _native_messages_to(Path(os.devnull)):
            yield
    finally:
        logging.disable(before)


@contextlib.contextmanager
def _python_messages_to(log_file: Path, seconds: dict[str, float]) -> Iterator[None]:
    """Sends Python's log messages and warnings to the log, and prints a line for each step."""
    import absl.logging

    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    to_file = _LogFile(log_file, mode="a")
    to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    absl_logger = logging.getLogger("absl")
    absl_propagate, absl_handlers = absl_logger.propagate, list(absl_logger.handlers)
    # absl's own handler writes to stderr whatever the root logger does.
    absl_logger.handlers, absl_logger.propagate = [], True
    root.handlers = [to_file, _StepPrinter(seconds)]
    root.setLevel(logging.INFO)
    # Set explicitly, or absl falls back to WARNING when a step makes it parse its flags.
    verbosity = absl.logging.get_verbosity()
    absl.logging.set_verbosity(absl.logging.INFO)
    try:
        with warnings.catch_warnings():
            logging.captureWarnings(True)
            yield
    finally:
        logging.captureWarnings(False)
        absl.logging.set_verbosity(verbosity)
        absl_logger.handlers, absl_logger.propagate = absl_handlers, absl_propagate
        root.handlers, root.level = handlers, level
        with contextlib.suppress(OSError):
            to_file.close()


class _LogFile(logging.FileHandler):
    """The log file. A full disk is reported once, by the step that fails for it."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass


class _StepPrinter(logging.Handler):
    """Prints a line for each step from the runner's own log messages."""

    def __init__(self, seconds: dict[str, float]):
        super().__init__(logging.INFO)
        self._seconds = seconds
        self._started: dict[str, float] = {}
        self._console = plain_console(stderr=True)

    def emit(self, record: logging.LogRecord) -> None:
        found = _MESSAGE.fullmatch(record.getMessage())
        if not found:
            return
        step, event = found.groups()
        if event == "running":
            self._started[step] = time.monotonic()
            self._console.print(bold(step, " ..."))
            return
        self._seconds[step] = round(time.monotonic() - self._started[step], 1)
        self._console.print(f"  {step} took {self._seconds[step]:.1f} s")

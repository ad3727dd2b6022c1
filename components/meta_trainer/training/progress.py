"""What a user sees of meta-training: a line that moves on a terminal, plain lines elsewhere."""

import math
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

PLAIN_EVERY_SECONDS = 30.0


class TimedIterator:
    """An iterator that measures which share of the time is spent waiting for it."""

    def __init__(self, iterator: Iterator[Any]):
        self._iterator = iterator
        self.restart()

    def __iter__(self) -> "TimedIterator":
        return self

    def __next__(self) -> Any:
        before = time.monotonic()
        element = next(self._iterator)
        self._waited += time.monotonic() - before
        return element

    def wait_share(self) -> float:
        """The share of the time since the (re)start spent waiting, 0..1."""
        return self._waited / max(time.monotonic() - self._started, 1e-9)

    def restart(self) -> None:
        """Counts from now on."""
        self._waited, self._started = 0.0, time.monotonic()


class MetaTrainingProgress:
    """A context in which `update` shows steps, loss, accuracies, episodes/s and the time left.

    `first_step` meta-steps were done before; `seconds` limits the time that this run may take.
    """

    def __init__(
        self,
        *,
        total_steps: int,
        first_step: int,
        episodes_per_step: int,
        seconds: float = math.inf,
    ):
        self._total, self._first, self._seconds = total_steps, first_step, seconds
        self._episodes_per_step = episodes_per_step
        self._console = Console(file=sys.stderr)
        self._bar = Progress(
            TextColumn("meta-training"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total} steps, {task.fields[text]}"),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=total_steps, completed=first_step, text="")
        self._validation = ""
        self._started = self._printed = time.monotonic()
        # Step and time of the first update, by when all is compiled.
        self._compiled: tuple[int, float] | None = None

    def __enter__(self) -> "MetaTrainingProgress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show_validation(self, entry: Mapping[str, float]) -> None:
        """Shows an evaluation's score on meta-validation episodes and its wait for input."""
        self._validation = (
            f"meta-validation {entry['eval_score']:.3f} ± {entry['eval_ci95']:.3f}, "
            f"input wait {entry['wait_share']:.0%}, "
        )

    def show_plateau(self, step: int, *, ends: bool) -> None:
        """Says what a plateau does: meta-training ends before its budget is used up, or slows."""
        what = f"ends at step {step}" if ends else f"goes on at a lower rate from step {step}"
        self._console.print(
            f"meta-training {what}: meta-validation no longer rises", highlight=False
        )

    def update(self, step: int, loss: float, score: float, *, last: bool = False) -> None:
        """Shows the query loss and score of a meta-step; off a terminal every half minute."""
        elapsed = max(time.monotonic() - self._started, 1e-9)
        speed = (step - self._first) * self._episodes_per_step / elapsed
        left = 0.0 if last else self._left(step, elapsed)
        text = (
            f"loss {loss:.3f}, query score {score:.3f}, {self._validation}{speed:.0f} episodes/s, "
            f"{left:.0f} s left"
        )
        self._bar.update(self._task, completed=step, text=text)
        due = time.monotonic() - self._printed > PLAIN_EVERY_SECONDS
        if not self._console.is_terminal and (due or last):
            self._printed = time.monotonic()
            print(f"meta-training {step}/{self._total}: {text}", file=sys.stderr)

    def _left(self, step: int, elapsed: float) -> float:
        """Seconds until the steps are done or the time is up, whichever comes first."""
        if self._compiled is None:
            self._compiled = step, elapsed
        steps, seconds = step - self._compiled[0], elapsed - self._compiled[1]
        if not steps:
            steps, seconds = max(step - self._first, 1), elapsed
        of_steps = (self._total - step) / steps * seconds
        return max(min(of_steps, self._seconds - elapsed), 0.0)

"""How much of a loop's time its input costs."""

import pytest

from components.meta_trainer import progress
from components.meta_trainer.progress import TimedIterator


class Clock:
    """Time that passes only when told to."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def slow(clock: Clock, seconds: float):
    while True:
        clock.now += seconds
        yield clock.now


def test_wait_share_is_the_time_within_next(clock):
    timed = TimedIterator(slow(clock, 1.0))
    for _ in range(5):
        next(timed)
        clock.now += 3.0  # the meta-step
    assert timed.wait_share() == pytest.approx(0.25)


def test_restart_forgets_what_was_waited(clock):
    timed = TimedIterator(slow(clock, 1.0))
    next(timed)
    timed.restart()
    clock.now += 2.0
    assert timed.wait_share() == 0


def test_elements_and_their_end_are_those_of_the_iterator(clock):
    assert list(TimedIterator(iter([1, 2, 3]))) == [1, 2, 3]

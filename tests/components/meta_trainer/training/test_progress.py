"""How much of a loop's time its input costs, and how much time is left."""

import pytest

from components.meta_trainer.training import progress
from components.meta_trainer.training.progress import MetaTrainingProgress, TimedIterator


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


@pytest.mark.parametrize(("seconds", "left"), [(1000.0, 360), (100.0, 60), (30.0, 0)])
def test_what_is_left_ends_with_the_steps_or_with_the_time(clock, capsys, seconds, left):
    shown = MetaTrainingProgress(
        total_steps=100, first_step=0, episodes_per_step=4, seconds=seconds
    )
    clock.now += 40.0
    shown.update(10, 0.5, 0.9)
    assert f"meta-training 10/100: loss 0.500, query score 0.900, 1 episodes/s, {left} s left" in (
        capsys.readouterr().err
    )


def test_the_last_step_is_always_shown(clock, capsys):
    shown = MetaTrainingProgress(total_steps=100, first_step=0, episodes_per_step=4)
    clock.now += 1.0
    shown.update(10, 0.5, 0.9)
    assert capsys.readouterr().err == ""
    shown.update(11, 0.5, 0.9, last=True)
    assert "11/100" in (text := capsys.readouterr().err) and "0 s left" in text


def test_compilation_counts_for_no_step_that_is_left(clock, capsys):
    shown = MetaTrainingProgress(total_steps=100, first_step=0, episodes_per_step=4)
    with shown:
        clock.now = 100.0  # the first step is compiled
        shown.update(1, 0.5, 0.5)
        clock.now = 140.0
        shown.update(11, 0.5, 0.5)
    assert "356 s left" in capsys.readouterr().err  # 89 steps of 4 s

import pytest

from serving.client import retry
from serving.client.retry import with_retries
from serving.protocol import status
from serving.protocol.status import StatusError


@pytest.fixture
def clock(monkeypatch):
    """A clock that only sleeping moves; gives the pauses slept."""
    pauses = []
    monkeypatch.setattr(retry.time, "monotonic", lambda: sum(pauses))
    monkeypatch.setattr(retry.time, "sleep", pauses.append)
    return pauses


def failing(codes):
    """Fails with each code, one after the other, then returns its timeout."""
    codes = iter(codes)

    def call(remaining):
        for code in codes:
            raise StatusError(code, "")
        return remaining

    return call


def test_unavailable_is_tried_again_with_what_is_left_of_the_time(clock):
    remaining = with_retries(failing([status.UNAVAILABLE] * 8), timeout=30)
    assert remaining == pytest.approx(30 - sum(clock))
    assert len(clock) == 8 and max(clock) <= 1.0
    assert clock[3] > clock[0]


@pytest.mark.parametrize(
    "code", [code for code in status.NAMES if code not in (status.OK, status.UNAVAILABLE)]
)
def test_nothing_else_is_tried_again(clock, code):
    with pytest.raises(StatusError) as error:
        with_retries(failing([code]), timeout=30)
    assert error.value.code == code and not clock


def test_the_deadline_ends_the_attempts(clock):
    with pytest.raises(StatusError) as error:
        with_retries(failing([status.UNAVAILABLE] * 1000), timeout=5)
    assert error.value.code == status.UNAVAILABLE
    assert sum(clock) < 5


def test_no_time_at_all_is_a_deadline_exceeded(clock):
    with pytest.raises(StatusError) as error:
        with_retries(failing([]), timeout=0)
    assert error.value.code == status.DEADLINE_EXCEEDED

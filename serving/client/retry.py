"""Trying again what is safe to try again, within the caller's deadline."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from serving.protocol.status import DEADLINE_EXCEEDED, UNAVAILABLE, StatusError

_Result = TypeVar("_Result")

_FIRST_PAUSE = 0.05  # seconds
_LONGEST_PAUSE = 1.0


def with_retries(call: Callable[[float], _Result], timeout: float) -> _Result:
    """Calls until it succeeds, the fault is not a passing one, or the time is up.

    Only UNAVAILABLE is tried again: the server is starting, gone or full. Answering changes
    nothing on a server, so a request that it had already received may be sent twice. Every other
    fault would come back the same.

    Args:
      call: takes the seconds that are left.
      timeout: seconds for all attempts together.

    Raises:
      StatusError: the last attempt's.
    """
    deadline = time.monotonic() + timeout
    pause = _FIRST_PAUSE
    while True:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise StatusError(DEADLINE_EXCEEDED, f"No answer within {timeout:g} s")
        try:
            return call(remaining)
        except StatusError as error:
            # Jitter, so that clients cut off together do not come back together.
            wait = pause * random.uniform(0.5, 1.0)
            if error.code != UNAVAILABLE or time.monotonic() + wait >= deadline:
                raise
        time.sleep(wait)
        pause = min(2 * pause, _LONGEST_PAUSE)

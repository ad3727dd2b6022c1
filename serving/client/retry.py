"""Retries requests that are safe to send again, within the caller's deadline."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from serving.protocol.status import DEADLINE_EXCEEDED, UNAVAILABLE, StatusError

_Result = TypeVar("_Result")

_FIRST_PAUSE = 0.05  # seconds
_LONGEST_PAUSE = 1.0


def with_retries(call: Callable[[float], _Result], timeout: float) -> _Result:
    """Calls until it succeeds, fails with an error that will not pass, or the time is up.

    Only UNAVAILABLE is retried: the server is starting, stopped or overloaded. A prediction changes
    nothing on the server, so it is safe to send a request twice. Every other error would be the
    same again. `call` is given the remaining seconds of `timeout`, which is for all attempts
    together.
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
            # Jitter: clients disconnected together must not reconnect together.
            wait = pause * random.uniform(0.5, 1.0)
            if error.code != UNAVAILABLE or time.monotonic() + wait >= deadline:
                raise
        time.sleep(wait)
        pause = min(2 * pause, _LONGEST_PAUSE)

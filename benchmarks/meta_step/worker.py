"""The side of an implementation: compile, then take meta-steps whenever the driver says so.

Line by line on standard input and output, as JSON. Only one worker computes at a time.
"""

import json
import resource
import sys
import time
from collections.abc import Callable

CHECKED_STEPS = 3


def serve(step: Callable[[], float], versions: dict[str, str]) -> None:
    """Answers the driver until it closes the input.

    Args:
      step: takes one meta-step from where the last one left and returns the mean query loss
        before it, once all is computed.
      versions: of the packages that do the work.
    """
    started = time.perf_counter()
    losses = [step()]
    compile_seconds = time.perf_counter() - started
    losses += [step() for _ in range(CHECKED_STEPS - 1)]
    _say({"losses": losses, "compile_seconds": compile_seconds, "versions": versions})
    for line in sys.stdin:
        end = time.perf_counter() + float(line)
        taken = []
        while not taken or time.perf_counter() < end:
            before = time.perf_counter()
            step()
            taken.append(time.perf_counter() - before)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        _say({"seconds": taken, "peak_mb": peak})


def _say(message: dict) -> None:
    # The only lines that begin so: libraries print notices of their own.
    print("::" + json.dumps(message), flush=True)

"""The worker of an implementation: it compiles, then takes meta-steps on the driver's request.

Requests and replies are lines of JSON on standard input and output. Only one worker computes at a
time.
"""

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.meta_step.problem import CHECKED, TIMED, Outer


def serve(
    step: Callable[[Outer], float],
    weights: Callable[[], dict[str, np.ndarray]],
    versions: dict[str, str],
    **more: Any,
) -> None:
    """Answers the driver until it closes the input.

    Args:
      step: takes the next meta-step with these options of the outer update, and returns the mean
        query loss before it, once all is computed.
      weights: returns the present weights, laid out as `problem.weights`.
      versions: versions of the packages that do the work.
      more: what else the driver shall record.
    """
    before = weights()
    started = time.perf_counter()
    loss = step(CHECKED)
    compile_seconds = time.perf_counter() - started
    change = {name: after - before[name] for name, after in weights().items()}
    with tempfile.NamedTemporaryFile(suffix=".npz", delete=False) as file:
        np.savez(file, **change)
    first = {"loss": loss, "change": file.name}
    _say(first | {"compile_seconds": compile_seconds, "versions": versions, "more": more})
    for line in sys.stdin:
        end = time.perf_counter() + float(line)
        durations = []
        while not durations or time.perf_counter() < end:
            before = time.perf_counter()
            step(TIMED)
            durations.append(time.perf_counter() - before)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        _say({"seconds": durations, "peak_mb": peak})


def _say(message: dict) -> None:
    # The only lines that begin so: libraries print notices of their own.
    print("::" + json.dumps(message), flush=True)

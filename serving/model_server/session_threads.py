"""How many threads an operation of a model gets: what its own warm-up requests take less time with.

A thread for each core speeds up large operations, and slows down small ones, whose threads wait for
one another longer than they compute. Which a model has, its size does not tell; both are measured.
"""

import logging
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import exp, log

from serving.model_server.servable import Parallelism, Servable

_LOG = logging.getLogger(__name__)
_SECONDS = 0.1  # for which each request is repeated, in turns
_RUNS = 3  # at least
_LONGEST = 3.0  # seconds, after which no further request is timed
_REQUESTS = 8  # most that are timed
_LARGER = 4  # times the warm-up requests' bytes; a run of fewer is short, too

Run = Callable[[Servable], object]
"""Answers one warm-up request with a version."""


def with_fastest_threads(
    load: Callable[[Parallelism], Servable],
    inter_op: int,
    requests: Sequence[Run],
    request_bytes: int = 0,
) -> Servable:
    """Loads a version with one thread an operation or one a core, whichever answers faster.

    Both are loaded at the same time, so the choice takes little longer than one of them, and twice
    the memory. With one thread an operation, short runs stay in the thread that calls them, unless
    `inter_op` is given.

    Args:
      load: loads the version, for these threads.
      inter_op: operations at once; 0 means one per core.
      requests: the version's warm-up requests, the smallest first. Without any it is a thread a
        core; so it is on a single core.
      request_bytes: of the largest one.
    """
    many_threads = Parallelism(0, inter_op)
    if not requests or (os.cpu_count() or 1) == 1:
        return load(many_threads)
    with ThreadPoolExecutor(2) as pool:
        loading = [
            pool.submit(load, threads) for threads in (Parallelism(1, inter_op), many_threads)
        ]
        loaded = [future.result() for future in loading if not future.exception()]
        try:
            one, many = (future.result() for future in loading)
            one.short_run_bytes = 0 if inter_op else _LARGER * request_bytes
            list(pool.map(_answer_all(requests), loaded))
            ratio = _ratio(one, many, requests)
        except BaseException:
            for servable in loaded:
                servable.close()
            raise
    text = "%s version %d takes %.2f times as long with one thread an operation as with one a core"
    _LOG.info(text, many.name, many.version, ratio)
    chosen, other = (one, many) if ratio < 1 else (many, one)
    other.close()
    return chosen


def _answer_all(requests: Sequence[Run]) -> Run:
    """Answers all requests once: each pays for its graph."""
    return lambda servable: [run(servable) for run in requests]


def _ratio(one: Servable, other: Servable, requests: Sequence[Run]) -> float:
    """How much longer `one` takes than `other`: the geometric mean over the requests."""
    logs = []
    start = time.monotonic()
    for run in requests[:_REQUESTS]:
        best = [float("inf"), float("inf")]
        end = time.monotonic() + _SECONDS
        runs = 0
        while runs < _RUNS or time.monotonic() < end:
            best = [min(b, _timed(s, run)) for b, s in zip(best, (one, other))]
            runs += 1
        logs.append(log(best[0] / best[1]))
        if time.monotonic() - start > _LONGEST:
            break
    return exp(sum(logs) / len(logs))


def _timed(servable: Servable, run: Run) -> float:
    start = time.perf_counter()
    run(servable)
    return time.perf_counter() - start

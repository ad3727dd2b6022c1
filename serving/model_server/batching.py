"""Joins the episodes of concurrent requests into one run of the graph.

Requests are joined if they are for the same version, signature and outputs and if their tensors
agree in dtype and in every dimension but the first; others wait for a run of their own. (There
TensorFlow Serving, with one queue for all shapes, answers FAILED_PRECONDITION.)
"""

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from serving.model_server.options import BatchingOptions
from serving.model_server.servable import Servable
from serving.protocol import status
from serving.protocol.status import StatusError, invalid_argument


@dataclass
class _Task:
    """One request that waits for its run."""

    servable: Servable
    feeds: Mapping[str, np.ndarray]
    fetches: Sequence[str]
    deadline: float | None
    episodes: int
    enqueued: float = field(default_factory=time.monotonic)
    result: Future = field(default_factory=Future)

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for the tasks that may be joined into one run."""
        shapes = [(name, array.dtype.str, array.shape[1:]) for name, array in self.feeds.items()]
        return (id(self.servable), tuple(self.fetches), tuple(sorted(shapes)))


class Batcher:
    """A `predict.Runner` that joins requests, in threads of its own.

    The oldest request decides which run is next. The run joins the requests that fit it, and waits
    up to the timeout for more if there is room; it never waits while another run is full.
    """

    def __init__(self, options: BatchingOptions):
        self._options = options
        self._queues: dict[tuple[Any, ...], deque[_Task]] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"batching-{n}", daemon=True)
            for n in range(options.num_batch_threads)
        ]
        for thread in self._threads:
            thread.start()

    def __call__(
        self,
        servable: Servable,
        feeds: Mapping[str, np.ndarray],
        fetches: Sequence[str],
        deadline: float | None,
    ) -> list[np.ndarray]:
        """Runs the request together with others and returns its own rows.

        StatusError: the graph's; INVALID_ARGUMENT for tensors that cannot be joined, UNAVAILABLE if
        the queue is full, DEADLINE_EXCEEDED if the deadline passed in it.
        """
        task = _Task(servable, feeds, fetches, deadline, self._count_episodes(feeds))
        with self._changed:
            self._check_room(task)
            self._queues.setdefault(task.key, deque()).append(task)
            self._changed.notify_all()
        return task.result.result()

    def close(self) -> None:
        """Runs the tasks in the queues, then ends the threads."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _count_episodes(self, feeds: Mapping[str, np.ndarray]) -> int:
        if any(not array.ndim for array in feeds.values()):
            raise invalid_argument("Batching Run() input tensors must have at least one dimension")
        sizes = {len(array) for array in feeds.values()}
        if len(sizes) != 1:
            raise invalid_argument(
                "Batching Run() input tensors must have equal 0th-dimension size"
            )
        (episodes,) = sizes
        limit = self._options.max_batch_size
        if episodes > limit:
            raise invalid_argument(
                f"Task size {episodes} is larger than maximum input batch size {limit}"
            )
        return episodes

    def _check_room(self, task: _Task) -> None:
        if self._closed:
            raise StatusError(status.UNAVAILABLE, "The server is shutting down")
        in_queue = sum(other.episodes for other in self._queues.get(task.key, ()))
        room = self._options.max_batch_size * self._options.max_enqueued_batches
        if in_queue + task.episodes > room:
            message = "The batch scheduling queue to which this task was submitted is full"
            raise StatusError(status.UNAVAILABLE, message)

    def _work(self) -> None:
        while self._run_next():
            pass  # and refers to no version while it waits for the next requests

    def _run_next(self) -> bool:
        tasks = self._next_run()
        alive = [task for task in tasks or () if not _expire(task)]
        if alive:
            self._run(alive)
        return tasks is not None

    def _next_run(self) -> list[_Task] | None:
        """Removes the tasks of one run from their queue; None when closed and empty."""
        with self._changed:
            while True:
                now = time.monotonic()
                due = {key: self._due(queue) for key, queue in self._queues.items()}
                key = min(due, key=due.__getitem__, default=None)
                if key is not None and (due[key] <= now or self._closed):
                    return self._take(key)
                if self._closed:
                    return None
                self._changed.wait(None if key is None else due[key] - now)

    def _due(self, queue: deque[_Task]) -> float:
        """The time at which the first run of a queue starts: at once if it is full."""
        if sum(task.episodes for task in queue) >= self._options.max_batch_size:
            return queue[0].enqueued
        return queue[0].enqueued + self._options.batch_timeout_micros / 1e6

    def _take(self, key: tuple[Any, ...]) -> list[_Task]:
        queue, tasks, episodes = self._queues[key], [], 0
        while queue and episodes + queue[0].episodes <= self._options.max_batch_size:
            tasks.append(queue.popleft())
            episodes += tasks[-1].episodes
        if not queue:
            del self._queues[key]  # so that shapes seen once do not accumulate
        return tasks

    def _run(self, tasks: list[_Task]) -> None:
        first = tasks[0]
        deadlines = [task.deadline for task in tasks]
        # The last deadline: a short one must not end the run of the others.
        latest = None if None in deadlines else max(d for d in deadlines if d is not None)
        episodes = sum(task.episodes for task in tasks)
        padding = self._padding(episodes)
        try:
            feeds = {
                name: _join([task.feeds[name] for task in tasks], padding) for name in first.feeds
            }
            outputs = first.servable.run(feeds, first.fetches, latest)
            if any(not out.ndim or len(out) != episodes + padding for out in outputs):
                raise invalid_argument(
                    "Batched output tensor's 0th dimension does not equal the sum of the 0th "
                    "dimension sizes of the input tensors"
                )
        except Exception as error:
            if len(tasks) == 1:
                first.result.set_exception(_as_status(error))
                return
            for task in tasks:  # one bad request must not fail the others
                self._run([task])
            return
        start = 0
        for task in tasks:
            rows = slice(start, start + task.episodes)
            task.result.set_result([output[rows] for output in outputs])
            start += task.episodes

    def _padding(self, episodes: int) -> int:
        sizes = self._options.allowed_batch_sizes
        return next((size for size in sizes if size >= episodes), episodes) - episodes


def _join(arrays: list[np.ndarray], padding: int) -> np.ndarray:
    """Stacks along the episodes; padding repeats the last request's first episode."""
    if padding:
        arrays = [*arrays, np.repeat(arrays[-1][:1], padding, axis=0)]
    return np.concatenate(arrays) if len(arrays) > 1 else arrays[0]


def _expire(task: _Task) -> bool:
    late = task.deadline is not None and task.deadline <= time.monotonic()
    if late:
        message = "Deadline Exceeded while waiting for a batch"
        task.result.set_exception(StatusError(status.DEADLINE_EXCEEDED, message))
    return late


def _as_status(error: Exception) -> StatusError:
    if isinstance(error, StatusError):
        return error
    return StatusError(status.INTERNAL, f"{type(error).__name__}: {error}")

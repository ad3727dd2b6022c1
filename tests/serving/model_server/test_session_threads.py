"""A model gets the threads with which its own warm-up requests are answered faster."""

import time
from types import SimpleNamespace

import numpy as np
import pytest

from serving.model_server import loading, session_threads
from serving.model_server.predict import predict
from serving.model_server.servable import Parallelism, Servable
from serving.protocol.status import DEADLINE_EXCEEDED, StatusError
from tests.serving.model_server.endpoints import predict_request
from tests.serving.nearest_centroid import episode


class Clock:
    """Time that passes only while requests are answered."""

    now = 0.0

    def perf_counter(self):
        return self.now

    monotonic = perf_counter


class Model:
    """Takes so many seconds for each request, by its threads."""

    name, version, closed = "few_shot", 1, False

    def __init__(self, seconds):
        self.seconds = seconds

    def close(self):
        self.closed = True


@pytest.fixture
def choose(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(session_threads, "time", clock)
    monkeypatch.setattr(session_threads.os, "cpu_count", lambda: 2)

    def answer(number):
        def run(model):
            clock.now += model.seconds[number]

        return run

    def choose(one, many, fails=False):
        loaded = {}

        def load(threads: Parallelism):
            assert threads.inter_op == 3
            if fails and threads.intra_op:
                raise OSError("no memory")
            loaded[threads.intra_op] = Model(one if threads.intra_op else many)
            return loaded[threads.intra_op]

        requests = [answer(number) for number in range(len(many))]
        return loaded, lambda: session_threads.with_fastest_threads(load, 3, requests)

    return choose


@pytest.mark.parametrize("one, many, chosen", [
    ([0.001, 0.08], [0.004, 0.08], 1),
    ([0.004, 0.08], [0.004, 0.06], 0),
    ([0.002, 0.08], [0.004, 0.06], 1),  # the geometric mean of 1/2 and 4/3
])  # fmt: skip
def test_the_faster_over_all_requests_is_kept_and_the_other_closed(choose, one, many, chosen):
    loaded, run = choose(one, many)
    assert run() is loaded[chosen]
    assert [model.closed for _, model in sorted(loaded.items())] == [chosen == 1, chosen == 0]


def test_without_requests_a_model_is_loaded_once(choose):
    loaded, run = choose([], [])
    assert run() is loaded[0] and list(loaded) == [0]


def test_long_runs_are_not_timed_for_every_request(choose):
    clock_before = session_threads.time.now
    _, run = choose([0.5] * 8, [0.4] * 8)
    run()
    # Once to warm up, then three times for as many requests as exceed three seconds.
    assert session_threads.time.now - clock_before == pytest.approx(8 * 0.9 + 2 * 3 * 0.9)


def test_what_was_loaded_is_closed_where_the_other_fails(choose):
    loaded, run = choose([0.001], [0.001], fails=True)
    with pytest.raises(OSError, match="no memory"):
        run()
    assert loaded[0].closed


def test_both_are_closed_where_a_request_fails():
    loaded = []

    def load(threads):
        loaded.append(Model([]))
        return loaded[-1]

    def fails(model):
        raise OSError("damaged")

    with pytest.raises(OSError, match="damaged"):
        session_threads.with_fastest_threads(load, 0, [fails])
    assert [model.closed for model in loaded] == [True, True]


@pytest.mark.parametrize("inter_op, bytes_in_caller", [(0, 400), (3, 0)])
def test_short_runs_of_the_one_with_one_thread_stay_in_their_caller(inter_op, bytes_in_caller):
    loaded = {}

    def load(threads):
        loaded[threads.intra_op] = SimpleNamespace(name="m", version=1, close=lambda: None)
        return loaded[threads.intra_op]

    session_threads.with_fastest_threads(load, inter_op, [lambda model: None], 100)
    assert loaded[1].short_run_bytes == bytes_in_caller
    assert not hasattr(loaded[0], "short_run_bytes")


def test_a_short_run_gives_the_same_answers_and_does_not_begin_after_its_deadline(model):
    servable = Servable("m", 1, model, Parallelism(1, 0))
    inputs = {name: lambda array=array: array for name, array in episode().items()}
    expected = predict(servable, "", inputs)
    servable.short_run_bytes = 2**20
    for deadline in (None, time.monotonic() + 60):
        found = predict(servable, "", inputs, deadline=deadline)
        for name, array in expected.items():
            np.testing.assert_array_equal(found[name], array)
    with pytest.raises(StatusError) as raised:
        predict(servable, "", inputs, deadline=time.monotonic() - 1)
    assert raised.value.code == DEADLINE_EXCEEDED
    servable.close()


@pytest.mark.parametrize("large, sessions", [(2**30, 2), (0, 1)])
def test_a_large_model_is_not_in_memory_twice(model, monkeypatch, large, sessions):
    threads = []

    def count(name, version, folder, parallelism):
        threads.append(parallelism)
        return Servable(name, version, folder, parallelism)

    monkeypatch.setattr(loading, "Servable", count)
    monkeypatch.setattr(loading, "_LARGE", large)
    monkeypatch.setattr(loading, "read_warmup", lambda folder: [predict_request(episode())])
    load = loading.make_loader(parallelism=Parallelism(), warmup=True, measure_threads=True)
    load("m", 1, model).close()
    assert len(threads) == sessions and Parallelism(0, 0) in threads

"""Joining requests: with a graph that is a Python function, so that every run can be seen."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from serving.errors import UserError
from serving.model_server.batching import Batcher
from serving.model_server.options import BatchingOptions, read_batching_options
from serving.protocol import status
from serving.protocol.status import StatusError
from tests.serving.model_server.endpoints import endpoint, outputs, predict_request
from tests.serving.nearest_centroid import episode, expected


class Doubler:
    """Answers `2 x`, refuses negative numbers, and waits for `go` before the first run."""

    def __init__(self):
        self.runs = []
        self.go = threading.Event()

    def run(self, feeds, fetches, deadline):
        self.go.wait(10)
        self.runs.append(len(feeds["x"]))
        if (feeds["x"] < 0).any():
            raise StatusError(status.INVALID_ARGUMENT, "`x` must not be negative.")
        return [2 * feeds["x"]]


@pytest.fixture
def join(request):
    """Asks for all the arrays at once while the graph is busy; gives answers and runs."""

    def join_all(arrays, deadline=None, **options):
        batcher = Batcher(BatchingOptions(**{"num_batch_threads": 1} | options))
        request.addfinalizer(batcher.close)
        graph = Doubler()
        with ThreadPoolExecutor(len(arrays) + 1) as pool:
            first = pool.submit(batcher, graph, {"x": np.zeros(1)}, ["y"], None)
            while batcher._queues:
                time.sleep(0.001)
            futures = []
            for array in arrays:
                futures.append(pool.submit(batcher, graph, {"x": array}, ["y"], deadline))
                while not futures[-1].done() and not _queued(batcher, array):
                    time.sleep(0.001)
            graph.go.set()
            first.result()
            answers = [future.exception() or future.result()[0] for future in futures]
        return answers, graph.runs[1:]

    return join_all


def _queued(batcher, array):
    waiting = [task for queue in list(batcher._queues.values()) for task in list(queue)]
    return any(task.feeds["x"] is array for task in waiting)


def test_requests_of_one_shape_share_a_run_and_get_their_own_rows(join):
    arrays = [np.full((n, 3), n) for n in (1, 2, 3)]
    answers, runs = join(arrays)
    assert runs == [6]
    for array, answer in zip(arrays, answers):
        np.testing.assert_array_equal(answer, 2 * array)


def test_requests_of_other_shapes_or_dtypes_wait_for_a_run_of_their_own(join):
    arrays = [np.ones((1, 3)), np.ones((1, 4)), np.ones((1, 3), np.float32)]
    answers, runs = join(arrays)
    assert runs == [1, 1, 1]
    assert [answer.dtype for answer in answers] == [array.dtype for array in arrays]


def test_a_run_holds_no_more_than_the_maximum(join):
    _, runs = join([np.ones((2, 1)) for _ in range(4)], max_batch_size=5)
    assert runs == [4, 4]


def test_a_bad_request_fails_alone(join):
    good, bad = np.ones((1, 1)), np.full((1, 1), -1.0)
    answers, _ = join([good, bad, good])
    assert isinstance(answers[1], StatusError) and "negative" in answers[1].message
    np.testing.assert_array_equal(answers[0], 2 * good)
    np.testing.assert_array_equal(answers[2], 2 * good)


def test_runs_are_padded_to_an_allowed_size_and_padding_is_not_seen(join):
    answers, runs = join([np.ones((2, 1)), np.ones((1, 1))], allowed_batch_sizes=(4, 1000))
    assert runs == [4]
    assert [len(answer) for answer in answers] == [2, 1]


def test_a_full_queue_refuses(join):
    full = {"max_batch_size": 2, "max_enqueued_batches": 1}
    answers, _ = join([np.ones((2, 1)), np.ones((2, 1))], **full)
    assert answers[1].code == status.UNAVAILABLE


def test_a_request_whose_deadline_passed_in_the_queue_is_not_run(join):
    answers, runs = join([np.ones((1, 1))], deadline=time.monotonic() - 1)
    assert answers[0].code == status.DEADLINE_EXCEEDED and runs == []


@pytest.mark.parametrize(
    "feeds, message",
    [
        (
            {"x": np.ones((2, 1)), "z": np.ones((3, 1))},
            "Batching Run() input tensors must have equal 0th-dimension size",
        ),
        (
            {"x": np.array(1.0)},
            "Batching Run() input tensors must have at least one dimension",
        ),
        ({"x": np.ones((9, 1))}, "Task size 9 is larger than maximum input batch size 4"),
    ],
)
def test_what_cannot_be_joined(request, feeds, message):
    batcher = Batcher(BatchingOptions(max_batch_size=4))
    request.addfinalizer(batcher.close)
    with pytest.raises(StatusError) as error:
        batcher(Doubler(), feeds, ["y"], None)
    assert error.value.message == message


def test_an_incomplete_run_waits_for_the_timeout(request):
    batcher = Batcher(BatchingOptions(num_batch_threads=1, batch_timeout_micros=10**9))
    graph = Doubler()
    graph.go.set()
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(batcher, graph, {"x": np.ones((1, 1))}, ["y"], None) for _ in "ab"]
        while sum(len(queue) for queue in list(batcher._queues.values())) < 2:
            time.sleep(0.001)
        assert not graph.runs
        batcher.close()  # finishes what is queued
        assert [future.result()[0].tolist() for future in futures] == [[[2.0]], [[2.0]]]
    assert graph.runs == [2]


def test_the_parameters_file_is_read(tmp_path):
    path = tmp_path / "batching.config"
    path.write_text(
        "max_batch_size { value: 8 } batch_timeout_micros { value: 500 }\n"
        "num_batch_threads { value: 3 } max_enqueued_batches { value: 4 }\n"
        "allowed_batch_sizes: 4 allowed_batch_sizes: 8"
    )
    assert read_batching_options(str(path)) == BatchingOptions(8, 500, 3, 4, (4, 8))
    assert read_batching_options("") == BatchingOptions()


@pytest.mark.parametrize(
    "text, message",
    [
        ("pad_variable_length_inputs: true", "false examples to support sets"),
        ("max_batch_size { value: 0 }", "`max_batch_size` must be at least 1"),
        ("allowed_batch_sizes: 4", "must rise and end with `max_batch_size`"),
        ("no_such_field: 1", "must be a BatchingParameters in text format"),
    ],
)
def test_parameters_that_are_wrong(tmp_path, text, message):
    path = tmp_path / "batching.config"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_batching_options(str(path))


def test_a_batching_server_gives_every_client_its_own_answer(start, base_path, tmp_path):
    """Episodes of two shapes and a bad one, from many clients at once."""
    parameters = tmp_path / "batching.config"
    parameters.write_text("batch_timeout_micros { value: 5000 } num_batch_threads { value: 1 }")
    server = start(
        model_base_path=str(base_path),
        model_name="m",
        enable_batching=True,
        batching_parameters_file=str(parameters),
    )

    def send(seed):
        inputs = episode(ways=3, shots=1 + seed % 2, seed=seed, episodes=1 + seed % 3)
        if seed % 7 == 0:
            inputs["support_y"][:] = -2
            with pytest.raises(Exception, match="`support_y` must lie in"):
                endpoint(server).predict(predict_request(inputs, model="m"))
            return
        reply = endpoint(server).predict(predict_request(inputs, model="m"))
        answer = outputs(reply)["probabilities"]
        np.testing.assert_allclose(answer, expected(inputs), atol=1e-4)

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(send, range(60)))

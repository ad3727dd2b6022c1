"""The memory of runs is predicted from shapes and bounded; pictures count by their headers."""

import threading
import time

import numpy as np
import pytest

from benchmarks.serving.attacks import png
from serving.model_server.picture_cost import picture_bytes
from serving.model_server.request_cost import json_bytes, predict_request_bytes
from serving.model_server.request_memory import TooLarge
from serving.model_server.run_memory import RunCosts, RunRoom
from serving.model_server.servable import Parallelism, Servable
from serving.protocol.status import RESOURCE_EXHAUSTED, StatusError
from serving.saved_model import signatures as names
from tests.serving.model_server.endpoints import predict_request
from tests.serving.nearest_centroid import episode


@pytest.fixture(scope="module")
def servable(model):
    loaded = Servable("m", 1, model, Parallelism())
    request = predict_request(episode(queries=5), signature=names.ADAPT_AND_PREDICT)
    RunCosts().measure(loaded, [request])
    yield loaded
    loaded.close()


def feeds(servable, **shape) -> dict[str, np.ndarray]:
    signature = servable.signature_defs[names.ADAPT_AND_PREDICT]
    return {signature.inputs[name].name: array for name, array in episode(**shape).items()}


def test_the_predicted_memory_is_that_of_a_run_and_not_much_more(servable):
    signature = servable.signature_defs[names.ADAPT_AND_PREDICT]
    fetches = [info.name for info in signature.outputs.values()]
    for shape in ({"shots": 100}, {"queries": 500}, {"episodes": 50}, {"episodes": 8, "shots": 20}):
        inputs = feeds(servable, **shape)
        measured = servable.peak_bytes(inputs, fetches)
        assert 0.5 * measured < servable.run_bytes(inputs) < 5 * measured, shape


def test_a_run_that_is_too_large_is_refused_and_one_too_many_waits(servable):
    inputs = feeds(servable, shots=100)
    size = servable.run_bytes(inputs)
    with (
        pytest.raises(TooLarge, match="--max-requests-memory-bytes"),
        RunRoom(size - 1, 1, 1.0).reserve(servable, inputs, None),
    ):
        pass
    room, ended = RunRoom(size + 1, 1, 10.0), threading.Event()
    with room.reserve(servable, inputs, None):
        with (
            pytest.raises(StatusError, match="try again later") as error,
            room.reserve(servable, inputs, time.monotonic() + 0.01),
        ):
            pass
        assert error.value.code == RESOURCE_EXHAUSTED

        def wait():
            with room.reserve(servable, inputs, None):
                ended.set()

        thread = threading.Thread(target=wait)
        thread.start()
        assert not ended.wait(0.05)
    thread.join()
    assert ended.is_set()


def test_a_signature_without_a_warmup_request_is_not_bounded():
    assert RunCosts().of({"x": np.zeros(3)}) == 0


def test_many_pictures_are_too_many_though_each_is_allowed():
    files = np.array([png(1000)] * 6 + [b"a text"], object)
    assert picture_bytes([files], 6_000_000) == 4 * 4 * 10**6  # four at a time
    with pytest.raises(TooLarge, match=r"5,999,999 pixels in all; 6 with 6,000,000 came"):
        picture_bytes([files, np.zeros(3)], 5_999_999)


def test_costs_of_bodies_are_upper_bounds():
    """Of Python's objects, counted here by hand."""
    assert json_bytes(b"[" + b"1.5," * 1000 + b"1]") > 1000 * (24 + 8 + 8 + 4)
    assert json_bytes(b"[" + b"[]," * 1000 + b"1]") > 1000 * (56 + 16 + 8)
    request = predict_request(episode(queries=10_000))
    payload = request.SerializeToString()
    assert 4 * len(payload) <= predict_request_bytes(payload) < 5 * len(payload)
    labels = predict_request({"x": np.array([b""] * 100_000, object)}).SerializeToString()
    assert predict_request_bytes(labels) > 25 * len(labels)

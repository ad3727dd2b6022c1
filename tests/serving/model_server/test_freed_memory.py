"""A version that is unloaded leaves nothing behind, whoever still refers to it."""

import gc
import threading
import time
import weakref

import numpy as np
import pytest
import tensorflow as tf

from serving.model_server import freed_memory
from serving.model_server.batching import Batcher
from serving.model_server.options import BatchingOptions
from serving.model_server.servable import Parallelism, Servable
from serving.protocol.status import UNAVAILABLE, StatusError


@pytest.fixture
def made(monkeypatch):
    """Weak references to the graphs that are made."""
    graphs = []

    class Watched(tf.Graph):
        def __init__(self):
            super().__init__()
            graphs.append(weakref.ref(self))

    monkeypatch.setattr(tf, "Graph", Watched)
    return graphs


def test_the_graph_goes_while_somebody_refers_to_the_version(model, made):
    """So it was with a version that was frozen for the collector while a thread referred to it."""
    gc.collect()
    gc.disable()
    try:
        servable = Servable("m", 1, model, Parallelism())
        (graph,) = made
        assert graph() is not None
        servable.close()
        assert graph() is None
    finally:
        gc.enable()
    freed_memory.settle()
    with pytest.raises(StatusError, match="Version 1 of m is unloaded") as raised:
        servable.run({}, [])
    assert raised.value.code == UNAVAILABLE
    servable.close()  # a second time does nothing


def test_a_loaded_version_keeps_no_functions_of_the_graph_in_python(model, made):
    servable = Servable("m", 1, model, Parallelism())
    (graph,) = made
    assert not graph()._functions
    servable.close()


def test_threads_that_wait_for_requests_refer_to_no_version():
    class Version:
        def run(self, feeds, fetches, deadline):
            return [feeds["x"]]

    batcher = Batcher(BatchingOptions(num_batch_threads=2))
    version = Version()
    for _ in range(20):
        batcher(version, {"x": np.zeros(1)}, ["y"], None)
    gone = threading.Event()
    weakref.finalize(version, gone.set)
    time.sleep(0.1)  # the last run ends after its answer
    del version
    assert gone.wait(10)
    batcher.close()

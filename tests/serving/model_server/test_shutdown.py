"""The end of a server: what is in flight is answered first."""

import gc
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.serving.running import MODEL_NAME, serving
from serving.client import FewShotClient
from serving.saved_model import signatures as names
from tests.serving.model_server.endpoints import as_lists, endpoint, outputs, predict_request
from tests.serving.nearest_centroid import episode, expected

EPISODE = episode()
REQUEST = predict_request(EPISODE, model="m")


def test_stop_finishes_what_is_in_flight(start, base_path, monkeypatch):
    """Slow runs are in flight over both protocols when the server gets the order to stop."""
    server = start(model_base_path=str(base_path), model_name="m")
    running = threading.Semaphore(0)
    with server.manager.versions.servable("m") as servable:
        run = servable.run

    def slow_run(*arguments):
        running.release()
        time.sleep(0.3)
        return run(*arguments)

    monkeypatch.setattr(servable, "run", slow_run)
    answers = []

    def send_grpc():
        answers.append(outputs(endpoint(server).predict(REQUEST))["probabilities"])

    def send_rest():
        _, body = endpoint(server).post("/v1/models/m:predict", {"inputs": as_lists(EPISODE)})
        answers.append(body["outputs"]["probabilities"])

    threads = [threading.Thread(target=send) for send in (send_grpc, send_rest)]
    for thread in threads:
        thread.start()
    for _ in threads:
        running.acquire()
    server.stop()
    for thread in threads:
        thread.join()
    assert len(answers) == 2
    for answer in answers:
        np.testing.assert_allclose(answer, expected(EPISODE), atol=1e-5)


def test_sigterm_ends_the_command_once_requests_in_flight_are_answered(base_path, tmp_path):
    """The request waits for others to join when the signal comes."""
    parameters = tmp_path / "batching.config"
    parameters.write_text("batch_timeout_micros { value: 3000000 }")
    flags = ["--rest_api_port=0", "--enable_batching", f"--batching_parameters_file={parameters}"]
    with (
        serving(base_path, *flags, log=tmp_path / "log") as (address, process),
        FewShotClient.connect(address, MODEL_NAME) as client,
        ThreadPoolExecutor() as threads,
    ):
        assert client.signatures
        reply = threads.submit(client.run, names.ADAPT_AND_PREDICT, EPISODE)
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        answer = reply.result().outputs[names.PROBABILITIES]
        assert process.wait(timeout=30) == 0
    np.testing.assert_allclose(answer, expected(EPISODE), atol=1e-5)


def test_a_refused_upload_leaves_no_trace_in_the_log_at_the_end(start, base_path, caplog):
    server = start(model_base_path=str(base_path), model_name="m", max_message_bytes=1000)
    head = b"POST /v1/models/m:predict HTTP/1.1\r\nHost: m\r\nContent-Length: 100000000\r\n"
    with socket.create_connection(("localhost", server.rest_port), timeout=30) as client:
        client.sendall(head + b"Expect: 100-continue\r\n\r\n")
        replies = b""
        while b" 413 " not in replies:
            replies += client.recv(4096)
    time.sleep(0.3)
    server.stop()
    gc.collect()  # asyncio tells of tasks that were dropped when they are deleted
    assert "destroyed" not in caplog.text

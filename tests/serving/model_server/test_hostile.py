"""Hostile clients: the server stays up, answers others, and gives its memory back.

One server in a process of its own; each attack runs while a good client goes on. Memory is watched,
not capped: TensorFlow reserves far more addresses than it uses, so `ulimit -v` would say nothing.
"""

import gzip
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import requests

from benchmarks.serving import attacks
from benchmarks.serving.attack_target import Target, answer, http_head
from benchmarks.serving.running import MODEL_NAME, free_port, resident_bytes, serving
from serving.client import FewShotClient
from serving.saved_model import signatures as names
from tests.serving.nearest_centroid import episode, expected

EPISODE = episode()
CAP = 2 * 2**30
CLIENT_SECONDS = 2


class GoodClient:
    """Asks on and checks each answer; `peak` is the server's memory meanwhile."""

    def __init__(self, address: str, pid: int):
        self.faults: list[str] = []
        self.answers = self.peak = 0
        self._pid, self._stop = pid, threading.Event()
        self._thread = threading.Thread(target=self._ask, args=(address,))

    def __enter__(self) -> "GoodClient":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self, address: str) -> None:
        right = expected(EPISODE)
        with FewShotClient.connect(address, MODEL_NAME) as client:
            while not self._stop.wait(0.01):
                self.peak = max(self.peak, resident_bytes(self._pid))
                try:
                    reply = client.run(names.ADAPT_AND_PREDICT, EPISODE)
                except Exception as error:
                    self.faults.append(f"{type(error).__name__}: {error}")
                    continue
                if not np.allclose(reply.outputs[names.PROBABILITIES], right, atol=1e-5):
                    self.faults.append("a wrong answer")
                self.answers += 1


@pytest.fixture(scope="module")
def attacked(model, tmp_path_factory):
    """A target, the server's gRPC address, its process and its log."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "models").mkdir()
    (folder / "models" / "1").symlink_to(model)
    port, log = free_port(), folder / "log"
    flags = [f"--rest_api_port={port}", f"--client_timeout_seconds={CLIENT_SECONDS}"]
    with serving(folder / "models", *flags, log=log) as (address, process):
        target = Target(int(address.rpartition(":")[2]), port)
        yield target, address, process, log
        target.close()


REFUSED = ("413", "429", "400", "RESOURCE_EXHAUSTED", "INVALID_ARGUMENT", "NOT_FOUND")
QUICK = {
    attacks.half_headers: {"count": 100},
    attacks.half_bodies: {"count": 40, "size": 8 * 2**20},
    attacks.aborted_uploads: {"count": 5},
    attacks.deep_json: {},
    attacks.unread_pipeline: {"count": 3},
    attacks.unknown_names: {"count": 100},
    attacks.idle_channels: {"count": 200},
    attacks.half_messages: {"count": 400},
    attacks.cancelled_calls: {"count": 200},
    attacks.odd_reloads: {"paths": ["/proc/self/fd/0", "/a/../b"]},
}
SHORT_GZIP = b'{"instances": [' + b"[0,0,0,0]," * 1_000_000 + b"0]}"


@pytest.mark.parametrize("attack", QUICK, ids=lambda attack: attack.__name__)
def test_good_clients_are_answered_meanwhile(attacked, attack):
    target, address, process, _ = attacked
    with GoodClient(address, process.pid) as good:
        answers = attack(target, **QUICK[attack])
        end = time.monotonic() + 20
        while not good.answers and time.monotonic() < end:
            time.sleep(0.01)
    target.close()
    assert good.faults == []
    assert good.answers
    assert good.peak < CAP
    assert process.poll() is None
    if attack in (attacks.deep_json, attacks.odd_reloads):
        assert all(answer.startswith(REFUSED) for answer in answers), answers


def test_headers_and_bodies_that_never_end_are_ended(attacked):
    target, *_ = attacked
    attacks.half_headers(target, 20)
    attacks.half_bodies(target, 5, 1000)
    attacks.half_messages(target, 20)
    end = time.monotonic() + 5 * CLIENT_SECONDS
    # HTTP/2 connections stay: their calls are ended, and others may follow.
    while target.count_open() > 1 and time.monotonic() < end:
        time.sleep(0.1)
    left = target.count_open()
    target.close()
    assert left == 1


def test_calls_whose_message_is_on_its_way_take_no_thread(attacked):
    target, address, process, _ = attacked
    tasks = Path(f"/proc/{process.pid}/task")
    with GoodClient(address, process.pid):
        before = len(list(tasks.iterdir()))
        attacks.half_messages(target, 600)
        time.sleep(0.5)
        during = len(list(tasks.iterdir()))
    target.close()
    assert during < before + 40


def test_what_is_too_large_is_refused_in_a_sentence(attacked):
    target, *_ = attacked
    packed = gzip.compress(SHORT_GZIP, 9)
    bomb = target.post(packed, headers="Content-Encoding: gzip\r\n")
    assert bomb.startswith("413 Received message larger than max: ")
    assert "send the body uncompressed" in bomb
    wide = target.post(b'{"instances": [' + b"0," * 10_000_000 + b"0]}")
    assert wide.startswith("413 Received message larger than max: it would take ")
    assert "--max-requests-memory-bytes" in wide
    declared = answer(target.connect(target.rest_port, http_head(10**12)))
    assert declared.startswith("413 Received message larger than max (67108864 bytes")
    target.close()


def test_an_aborted_upload_is_one_line_in_the_log(attacked):
    target, _, _, log = attacked
    before = len(log.read_text().splitlines())
    attacks.aborted_uploads(target, 1)
    end = time.monotonic() + 10
    while len(log.read_text().splitlines()) == before and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.2)
    lines = log.read_text().splitlines()[before:]
    assert len(lines) == 1
    assert "An upload from " in lines[0]
    assert "ended after 1000 of 1000000 bytes" in lines[0]


def test_unknown_names_do_not_fill_the_metrics(attacked):
    target, *_ = attacked
    url = f"http://localhost:{target.rest_port}/monitoring/prometheus/metrics"
    attacks.unknown_names(target, 5)
    before = len(requests.get(url, timeout=30).text)
    attacks.unknown_names(target, 200)
    target.close()
    assert len(requests.get(url, timeout=30).text) < before + 1000


def test_memory_returns(attacked):
    target, _, process, log = attacked
    before = resident_bytes(process.pid)
    attacks.half_bodies(target, 20, 8 * 2**20)
    target.close()
    end = time.monotonic() + 20
    while resident_bytes(process.pid) > before + 100 * 2**20 and time.monotonic() < end:
        time.sleep(0.1)
    assert resident_bytes(process.pid) < before + 100 * 2**20
    assert "Traceback" not in log.read_text()


def test_a_hangup_does_not_end_the_server(attacked):
    _, address, process, _ = attacked
    process.send_signal(signal.SIGHUP)
    with GoodClient(address, process.pid) as good:
        end = time.monotonic() + 20
        while not good.answers and time.monotonic() < end:
            time.sleep(0.01)
    assert good.answers
    assert process.poll() is None

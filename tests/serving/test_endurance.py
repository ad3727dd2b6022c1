"""Short versions of the measurements in benchmarks/serving, on the small model."""

import os

import pytest

from benchmarks.serving.fuzz import fuzz
from benchmarks.serving.malformed import KINDS
from benchmarks.serving.restart import kill_and_restart
from benchmarks.serving.running import MODEL_NAME
from benchmarks.serving.soak import soak
from tests.serving.nearest_centroid import episode, expected


def test_fuzz_every_malformed_request_is_refused_with_a_message(start, base_path):
    server = start(model_base_path=str(base_path), model_name=MODEL_NAME)
    good = episode()
    result = fuzz(
        f"localhost:{server.port}",
        f"http://localhost:{server.rest_port}",
        os.getpid(),
        good,
        expected(good),
        count=20 * len(KINDS),
        seed=1,
    )
    assert result["not_refused"] == {}
    assert result["refused_without_a_word"] == {}
    assert result["wrong_answers_to_good_requests"] == 0
    assert result["megabytes_at_the_end"] < result["megabytes_after_a_fifth"] + 100


@pytest.mark.e2e
def test_soak_without_a_failed_or_wrong_answer(model, other_model, tmp_path):
    episodes = [episode(seed=seed, ways=2 + seed, shots=1 + seed) for seed in range(3)]
    flags = ["--enable_batching"]
    result = soak(
        [model, other_model], episodes, tmp_path, seconds=6, push_every=1.5, clients=4, flags=flags
    )
    assert result["faults"] == 0, result["first_faults"]
    assert len(result["answers_by_version"]) >= 3


@pytest.mark.e2e
def test_kill_in_mid_load_is_not_noticed_by_clients_that_retry(model, tmp_path):
    result = kill_and_restart(model, episode(), tmp_path, kills=1, clients=2)
    assert result["faults"] == 0, result["first_faults"]
    assert result["answers"] > 0

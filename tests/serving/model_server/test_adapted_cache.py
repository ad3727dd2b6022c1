"""Adapted weights that the server keeps: by handle, within bounds, for one version."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import requests

from serving.client import FewShotClient, StatusError
from serving.errors import UserError
from serving.model_server.adapted_cache import AdaptedCache
from serving.protocol.status import FAILED_PRECONDITION, INVALID_ARGUMENT, RESOURCE_EXHAUSTED
from serving.saved_model import signatures as names
from tests.serving.model_server.endpoints import endpoint, predict_request
from tests.serving.model_server.watching import until
from tests.serving.nearest_centroid import episode

VERSION = "m", 1
WEIGHTS = {"w": np.zeros([1, 25], np.float32)}  # 100 bytes
SUPPORT = {"fox": list(episode()["support_x"][0, :2]), "owl": list(episode()["support_x"][0, 2:4])}
SUPPORT_INPUTS = names.SUPPORT_X, names.SUPPORT_Y
QUERIES = list(episode()["query_x"][0])


@pytest.fixture
def keeping(start, base_path):
    return start(model_base_path=str(base_path), model_name="m", adapted_cache_bytes=10_000)


def targets(server):
    return f"localhost:{server.port}", f"http://localhost:{server.rest_port}"


def test_the_least_recently_used_weights_make_room():
    cache = AdaptedCache(max_bytes=250, max_entries=10)
    first, second = (cache.add(VERSION, WEIGHTS) for _ in range(2))
    cache.get(VERSION, [first])
    third = cache.add(VERSION, WEIGHTS)
    assert len(cache.get(VERSION, [first, third])) == 2
    with pytest.raises(StatusError) as refusal:
        cache.get(VERSION, [second])
    assert refusal.value.code == FAILED_PRECONDITION
    assert cache.counts == {"hits": 3, "misses": 1, "evictions": 1, "entries": 2, "bytes": 200}


def test_entries_are_counted_and_too_large_weights_are_refused():
    cache = AdaptedCache(max_bytes=250, max_entries=1)
    for _ in range(3):
        cache.add(VERSION, WEIGHTS)
    assert cache.counts["entries"] == 1
    with pytest.raises(StatusError) as refusal:
        cache.add(VERSION, {"w": np.zeros([1, 100], np.float32)})
    assert refusal.value.code == RESOURCE_EXHAUSTED
    assert cache.counts["bytes"] == 100


def test_a_handle_is_for_its_version_alone_and_goes_with_it():
    cache = AdaptedCache(max_bytes=1000, max_entries=10)
    handle, other = cache.add(VERSION, WEIGHTS), cache.add(("n", 1), WEIGHTS)
    for version in ("m", 2), ("n", 1):
        with pytest.raises(StatusError, match="`adapted_handle` must be one that the server keeps"):
            cache.get(version, [handle])
    cache.drop(VERSION)
    assert cache.counts["bytes"] == 100
    assert cache.get(("n", 1), [other])


def test_a_part_of_a_stack_does_not_keep_the_stack():
    cache = AdaptedCache(max_bytes=1000, max_entries=10)
    stack = np.zeros([50, 25], np.float32)
    handle = cache.add(VERSION, {"w": stack[:1]})
    assert cache.get(VERSION, [handle])[0]["w"].base is None


def test_many_threads_at_once_leave_the_bounds_kept():
    cache = AdaptedCache(max_bytes=1000, max_entries=7)

    def use(number):
        handle = cache.add(VERSION, {"w": np.full([1, 25], number, np.float32)})
        try:
            return float(cache.get(VERSION, [handle])[0]["w"][0, 0]) == number
        except StatusError:
            return True  # made room for others

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(500)))
    assert cache.counts["entries"] <= 7 and cache.counts["bytes"] == 100 * cache.counts["entries"]


def test_predictions_by_handle_are_those_by_weights(keeping):
    for target in targets(keeping):
        with FewShotClient.connect(target, "m") as client:
            here, there = client.adapt(SUPPORT), client.adapt(SUPPORT, on_server=True)
            assert not there.weights
            expected, got = here.classify(QUERIES), there.classify(QUERIES)
            np.testing.assert_array_equal(got.probabilities, expected.probabilities)
            assert got.class_names == expected.class_names
    text = requests.get(endpoint(keeping).url + "/monitoring/prometheus/metrics").text
    assert ":fewshot:serving:adapted_cache_hits 2\n" in text
    assert ":fewshot:serving:adapted_cache_entries 2\n" in text


def test_several_handles_are_a_stack_of_episodes(keeping):
    stack = episode(episodes=3)
    support = {name: stack[name] for name in (names.SUPPORT_X, names.SUPPORT_Y)}
    with FewShotClient.connect(targets(keeping)[0], "m") as client:
        handles = client.run(names.ADAPT_ON_SERVER, support).outputs[names.ADAPTED_HANDLE]
        assert len(set(handles)) == 3
        reply = client.run(
            names.PREDICT_ON_SERVER,
            {names.ADAPTED_HANDLE: handles[::-1], names.QUERY_X: stack[names.QUERY_X][::-1]},
        )
        expected = client.run(names.ADAPT_AND_PREDICT, stack).outputs[names.PROBABILITIES]
    np.testing.assert_array_equal(reply.outputs[names.PROBABILITIES], expected[::-1])


def test_a_handle_that_is_not_kept_is_refused_in_a_sentence(keeping):
    queries = episode()[names.QUERY_X]
    with FewShotClient.connect(targets(keeping)[0], "m") as client:
        with pytest.raises(StatusError) as refusal:
            inputs = {names.ADAPTED_HANDLE: [b"guessed"], names.QUERY_X: queries}
            client.run(names.PREDICT_ON_SERVER, inputs)
        assert refusal.value.code == FAILED_PRECONDITION
        assert refusal.value.message.endswith("adapt again.")
    inputs = {names.ADAPTED_HANDLE: [[b"a"]], names.QUERY_X: queries}
    request = predict_request(inputs, model="m", signature=names.PREDICT_ON_SERVER)
    with pytest.raises(Exception, match=r"must be strings of shape \[E\].*\[1, 1\]") as refusal:
        endpoint(keeping).predict(request)
    assert refusal.value.code().value[0] == INVALID_ARGUMENT


@pytest.mark.parametrize("over", [0, 1], ids=["grpc", "rest"])
def test_the_client_adapts_again_after_eviction_and_after_a_restart(start, base_path, over):
    options = {"model_base_path": str(base_path), "model_name": "m"}
    options |= {"adapted_cache_bytes": 10_000, "adapted_cache_entries": 1}
    server = start(**options)
    with FewShotClient.connect(targets(server)[over], "m") as client:
        one, two = (client.adapt(SUPPORT, on_server=True) for _ in range(2))
        expected = client.classify(SUPPORT, QUERIES).probabilities
        for adapted in (one, two, one):  # each needs the only place
            np.testing.assert_array_equal(adapted.classify(QUERIES).probabilities, expected)
        ports = {"port": server.port, "rest_api_port": server.rest_port}
        server.stop()
        start(**options | ports)
        np.testing.assert_array_equal(one.classify(QUERIES).probabilities, expected)


def test_threads_share_an_adapted_model_that_is_lost_meanwhile(start, base_path):
    server = start(
        model_base_path=str(base_path),
        model_name="m",
        adapted_cache_bytes=10_000,
        enable_batching=True,
    )
    with FewShotClient.connect(targets(server)[0], "m") as client:
        adapted = client.adapt(SUPPORT, on_server=True)
        expected = client.classify(SUPPORT, QUERIES).probabilities
        done = threading.Event()

        def crowd_out():
            while not done.is_set():
                client.run(names.ADAPT_ON_SERVER, {k: episode()[k] for k in SUPPORT_INPUTS})

        crowd = threading.Thread(target=crowd_out)
        crowd.start()
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: adapted.classify(QUERIES).probabilities, range(40)))
        done.set()
        crowd.join()
    for answer in answers:
        np.testing.assert_allclose(answer, expected, atol=1e-6)


def test_a_new_version_drops_the_handles_of_the_old(start, base_path, other_model):
    options = {"model_base_path": str(base_path), "model_name": "m"}
    server = start(**options, adapted_cache_bytes=10_000)
    with FewShotClient.connect(targets(server)[0], "m") as client:
        adapted = client.adapt(SUPPORT, on_server=True)
        before = adapted.classify(QUERIES)
        shutil.copytree(other_model, base_path / ".2")
        (base_path / ".2").rename(base_path / "2")
        url = targets(server)[1] + "/monitoring/prometheus/metrics"
        until(lambda: ":fewshot:serving:adapted_cache_bytes 0\n" in requests.get(url).text)
        after = adapted.classify(QUERIES)
        expected = client.classify(SUPPORT, QUERIES)
    assert (before.version, after.version) == (1, 2)
    np.testing.assert_array_equal(after.probabilities, expected.probabilities)


def test_without_the_option_nothing_is_offered_and_clients_keep_the_weights(server):
    with FewShotClient.connect(targets(server)[0], "few_shot") as client:
        assert names.ADAPT_ON_SERVER not in client.signatures
        assert client.adapt(SUPPORT, on_server=True).weights


def test_a_wrong_bound_is_a_users_mistake(start, base_path):
    with pytest.raises(UserError, match="`--adapted-cache-entries` at least 1; got 5 and 0"):
        start(model_base_path=str(base_path), adapted_cache_bytes=5, adapted_cache_entries=0)

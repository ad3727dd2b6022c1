"""Versions that come, go and fail while requests are answered."""

import shutil
import threading

import numpy as np
import pytest
from tensorflow_serving.apis import get_model_status_pb2

from serving.model_versions.folders import publish
from serving.protocol.tensors import read_tensor
from serving.saved_model import signatures as names
from serving.saved_model.warmup import WarmupRequest, write_warmup
from tests.serving.model_server.endpoints import endpoint, outputs, predict_request
from tests.serving.model_server.watching import served_version, states, until
from tests.serving.nearest_centroid import episode, expected

EPISODE = episode()
PREDICT = "/v1/models/m:predict"


def test_a_new_version_takes_over_without_a_lost_or_wrong_answer(start, base_path, other_model):
    server = start(model_base_path=str(base_path), model_name="m")
    scales, seen, stop = {1: 4.0, 2: 8.0, 3: 8.0}, set(), threading.Event()

    def send_requests():
        try:
            while not stop.is_set():
                reply = endpoint(server).predict(predict_request(EPISODE, model="m"))
                version = reply.model_spec.version.value
                answer = outputs(reply)[names.PROBABILITIES]
                right = expected(EPISODE, scale=scales[version])
                np.testing.assert_allclose(answer, right, atol=1e-5)
                seen.add(version)
        except Exception as error:
            faults.append(error)

    faults: list[Exception] = []
    threads = [threading.Thread(target=send_requests) for _ in range(3)]
    for thread in threads:
        thread.start()
    for version in (2, 3):
        publish(other_model, base_path, now=version)
        until(lambda version=version: version in seen or faults)
    stop.set()
    for thread in threads:
        thread.join()
    assert not faults
    until(lambda: states(server) == {3: 30, 2: 50, 1: 50})


def test_a_deleted_version_is_unloaded(start, base_path, other_model):
    publish(other_model, base_path, now=2)
    server = start(model_base_path=str(base_path), model_name="m")
    assert served_version(server) == 2
    shutil.rmtree(base_path / "2")
    until(lambda: states(server).get(1) == 30 and states(server)[2] == 50)
    assert served_version(server) == 1


def truncate_variables(folder):
    shard = next((folder / "variables").glob("*.data-*"))
    shard.write_bytes(shard.read_bytes()[:1])


def damage_graph(folder):
    (folder / "saved_model.pb").write_bytes(b"\xff not a graph")


def empty_folder(folder):
    shutil.rmtree(folder)
    folder.mkdir()


def damage_warmup(folder):
    path = folder / names.WARMUP_FILE
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"\x1f\x8b not a TFRecord, twelve bytes and more")


def refused_warmup(folder):
    flat = EPISODE | {names.SUPPORT_X: EPISODE[names.SUPPORT_X][0]}
    write_warmup(folder, "m", [WarmupRequest(names.ADAPT_AND_PREDICT, flat)])


@pytest.mark.parametrize(
    "damage, why",
    [
        (truncate_variables, "RestoreV2"),
        (damage_graph, "saved_model.pb"),
        (empty_folder, "SavedModel file does not exist"),
        (damage_warmup, "corrupted record at 0"),
        (refused_warmup, "`support_x` must have shape"),
    ],
)
def test_a_corrupt_version_is_never_served(start, base_path, model, damage, why):
    server = start(model_base_path=str(base_path), model_name="m")
    elsewhere = base_path.parent / "elsewhere"
    shutil.copytree(model, elsewhere)
    damage(elsewhere)
    elsewhere.rename(base_path / "2")
    until(lambda: server.manager.versions.statuses("m").get(2, (0, 0, ""))[1] != 0)
    assert why in server.manager.versions.statuses("m")[2].message
    assert served_version(server) == 1
    assert states(server) == {2: 50, 1: 30}


def test_a_failed_version_is_tried_again_when_its_files_change(start, base_path, other_model):
    server = start(model_base_path=str(base_path), model_name="m")
    (base_path / "2").mkdir()
    until(lambda: states(server).get(2) == 50)
    shutil.copytree(other_model, base_path / "2", dirs_exist_ok=True)
    until(lambda: states(server).get(2) == 30)


def test_what_fails_for_a_while_is_loaded_in_the_end(start, base_path, monkeypatch):
    """As when there is no memory, or a network's disk is away: the files are the same."""
    server = start(
        model_base_path=str(base_path), model_name="m", load_retry_interval_micros=50_000
    )
    load, failures = server.manager._load, iter(range(2))

    def fails_twice(name, version, folder):
        for _ in failures:
            raise OSError("not now")
        return load(name, version, folder)

    monkeypatch.setattr(server.manager, "_load", fails_twice)
    publish(base_path / "1", base_path, now=2)
    until(lambda: states(server).get(2) == 30)
    assert next(failures, None) is None


def test_a_server_that_starts_on_a_corrupt_version_serves_the_one_before(start, base_path):
    (base_path / "2").mkdir()
    server = start(model_base_path=str(base_path), model_name="m")
    assert served_version(server) == 1


def test_an_empty_base_path_waits_for_its_first_version(start, tmp_path, model):
    base_path = tmp_path / "models"
    base_path.mkdir()
    server = start(model_base_path=str(base_path), model_name="m")
    assert endpoint(server).post(PREDICT, {"inputs": {}})[0] == 404
    publish(model, base_path, now=5)
    until(lambda: states(server).get(5) == 30)
    assert served_version(server) == 5


def test_grpc_status_lists_every_version(server):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "few_shot"
    reply = endpoint(server).call("ModelService/GetModelStatus", request.SerializeToString())
    response = get_model_status_pb2.GetModelStatusResponse.FromString(reply)
    assert {entry.version for entry in response.model_version_status} == {1, 2}


def test_warm_up_leaves_the_answers_as_they_are(start, base_path, model):
    elsewhere = base_path.parent / "elsewhere"
    shutil.copytree(model, elsewhere)
    requests = [WarmupRequest(names.ADAPT_AND_PREDICT, e) for e in (EPISODE, episode(ways=5))]
    write_warmup(elsewhere, "m", requests)
    publish(elsewhere, base_path, now=2)
    server = start(model_base_path=str(base_path), model_name="m")
    reply = endpoint(server).predict(predict_request(EPISODE, model="m"))
    assert reply.model_spec.version.value == 2
    answer = read_tensor(reply.outputs[names.PROBABILITIES])
    np.testing.assert_allclose(answer, expected(EPISODE), atol=1e-5)

"""Ports, sockets, limits, deadlines, health and metrics."""

import gzip
import json
import shutil
import time

import grpc
import numpy as np
import pytest
import requests
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.client import FewShotClient
from serving.errors import UserError
from serving.protocol.tensors import write_tensor
from tests.serving.model_server.endpoints import as_lists, endpoint, predict_request
from tests.serving.nearest_centroid import episode, expected

EPISODE = episode()
REQUEST = predict_request(EPISODE, model="m")


def test_unix_socket(start, base_path, tmp_path):
    socket = tmp_path / "grpc.sock"
    start(model_base_path=str(base_path), model_name="m", port=0, grpc_socket_path=str(socket))
    with FewShotClient.connect(f"unix:{socket}", "m") as client:
        assert client.run("serving_default", EPISODE).version == 1


def test_a_port_in_use_is_a_users_mistake(start, server, base_path):
    with pytest.raises(UserError, match="`--port` must be a free port"):
        start(model_base_path=str(base_path), port=server.port)
    with pytest.raises(UserError, match="`--rest-api-port` must be a free port"):
        start(model_base_path=str(base_path), rest_api_port=server.rest_port)


def test_health_follows_the_models(start, tmp_path, model):
    (tmp_path / "models").mkdir()
    server = start(model_base_path=str(tmp_path / "models"), model_name="m")
    with grpc.insecure_channel(f"localhost:{server.port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)

        def status(service):
            return stub.Check(health_pb2.HealthCheckRequest(service=service)).status

        assert status("") == health_pb2.HealthCheckResponse.NOT_SERVING
        shutil.copytree(model, tmp_path / "models" / ".1")
        (tmp_path / "models" / ".1").rename(tmp_path / "models" / "1")
        end = time.monotonic() + 20
        while status("PredictionService") != health_pb2.HealthCheckResponse.SERVING:
            assert time.monotonic() < end
            time.sleep(0.02)


def test_messages_beyond_the_limit_are_refused(start, base_path):
    server = start(model_base_path=str(base_path), model_name="m", max_message_bytes=20_000)
    big = episode(queries=2000)
    with pytest.raises(grpc.RpcError) as error:
        endpoint(server).predict(predict_request(big, model="m"))
    assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    code, body = endpoint(server).post("/v1/models/m:predict", {"inputs": as_lists(big)})
    assert (code, body["error"][:29]) == (413, "Received message larger than ")
    packed = gzip.compress(b" " * 10_000_000)
    code, body = endpoint(server).post(
        "/v1/models/m:predict", packed, **{"Content-Encoding": "gzip"}
    )
    assert (code, body["error"][:29]) == (413, "Received message larger than ")


def test_a_small_message_that_unpacks_to_a_huge_tensor_is_refused(start, base_path):
    server = start(model_base_path=str(base_path), model_name="m", max_message_bytes=20_000)
    request = predict_request(EPISODE, model="m")
    labels = request.inputs["support_y"]
    labels.Clear()
    write_tensor(np.zeros((1, 1), np.int32), labels, typed=True)
    labels.tensor_shape.dim[1].size = 2**40
    with pytest.raises(grpc.RpcError) as error:
        endpoint(server).predict(request)
    assert error.value.details() == "tensor parsing error: support_y"


def test_a_deadline_that_has_passed_is_honoured(server):
    with pytest.raises(grpc.RpcError) as error:
        endpoint(server).predict(predict_request(EPISODE), timeout=1e-4)
    assert error.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_the_rest_timeout_is_a_deadline(start, base_path):
    server = start(model_base_path=str(base_path), model_name="m", rest_api_timeout_in_ms=0)
    answer = endpoint(server).post("/v1/models/m:predict", {"inputs": as_lists(EPISODE)})
    assert answer == (504, {"error": "Deadline Exceeded"})


def test_gzip_both_ways(server):
    url = f"http://localhost:{server.rest_port}/v1/models/few_shot:predict"
    inputs = episode(queries=1000)
    body = gzip.compress(json.dumps({"inputs": as_lists(inputs)}).encode())
    headers = {"Content-Encoding": "gzip", "Accept-Encoding": "gzip"}
    response = requests.post(url, data=body, headers=headers, timeout=30)
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Content-Type"].startswith("application/json")
    answer = response.json()["outputs"]["probabilities"]
    np.testing.assert_allclose(answer, expected(inputs, scale=8.0), atol=1e-5)
    code, _ = endpoint(server).post(
        "/v1/models/few_shot:predict", b"not gzip", **{"Content-Encoding": "gzip"}
    )
    assert code == 400


def test_cors_headers_only_when_asked_for(start, server, base_path):
    preflight = {"Origin": "https://example.org"}
    with_cors = start(model_base_path=str(base_path), rest_api_enable_cors_support=True)
    for running, expected_header in [(with_cors, "*"), (server, None)]:
        url = f"http://localhost:{running.rest_port}/v1/models/m"
        response = requests.get(url, headers=preflight, timeout=30)
        assert response.headers.get("Access-Control-Allow-Origin") == expected_header
    url = f"http://localhost:{with_cors.rest_port}/v1/models/m"
    assert requests.options(url, headers=preflight, timeout=30).status_code == 200
    refused = requests.options(url, timeout=30)
    assert refused.json() == {"error": "Origin header is missing in CORS preflight"}


def test_metrics_at_tensorflow_servings_path_under_its_names(start, base_path):
    server = start(model_base_path=str(base_path), model_name="m")
    endpoint(server).predict(REQUEST)
    endpoint(server).post("/v1/models/m:predict", b"")
    endpoint(server).post("/v1/models/made-up:predict", b"{}")
    url = f"http://localhost:{server.rest_port}/monitoring/prometheus/metrics"
    text = requests.get(url, timeout=30).text
    assert ':tensorflow:serving:request_count{model_name="m",status="OK"} 1' in text
    assert ':tensorflow:serving:request_count{model_name="m",status="INVALID_ARGUMENT"} 1' in text
    labels = 'model_name="m",API="Predict",entrypoint="GRPC"'
    assert f":tensorflow:serving:request_latency_count{{{labels}}} 1" in text
    assert f':tensorflow:serving:request_latency_bucket{{{labels},le="+Inf"}} 1' in text
    assert ':tensorflow:serving:runtime_latency_count{model_name="m"' in text
    assert "made-up" not in text

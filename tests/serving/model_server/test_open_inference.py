"""The Open Inference Protocol over REST: by plain requests, and by KServe's own client."""

import asyncio
import json
from typing import Any

import numpy as np
import pytest
import requests

from tests.serving.nearest_centroid import episode, expected, png

EPISODE = episode()
DATATYPES = {"uint8": "UINT8", "int32": "INT32", "object": "BYTES"}
LENGTH = "Inference-Header-Content-Length"


@pytest.fixture
def url(server) -> str:
    return f"http://localhost:{server.rest_port}/v2"


def tensor(name: str, array: np.ndarray, **more: Any) -> dict:
    return {
        "name": name,
        "shape": list(array.shape),
        "datatype": DATATYPES[str(array.dtype)],
    } | more


def in_json(inputs) -> dict:
    return {"inputs": [tensor(n, a, data=a.ravel().tolist()) for n, a in inputs.items()]}


def by_name(reply: dict) -> dict:
    return {
        entry["name"]: np.reshape(entry["data"], entry["shape"])
        for entry in reply["outputs"]
        if "data" in entry
    }


def test_health_and_metadata(url):
    assert requests.get(f"{url}/health/live").json() == {"live": True}
    assert requests.get(f"{url}/health/ready").json() == {"ready": True}
    about = requests.get(url).json()
    assert about["name"] == "fewshot serve" and about["extensions"] == ["binary_tensor_data"]
    ready = requests.get(f"{url}/models/few_shot/ready")
    assert ready.json() == {"name": "few_shot", "ready": True}
    model = requests.get(f"{url}/models/few_shot").json()
    assert (model["platform"], model["versions"]) == ("tensorflow_savedmodel", ["1", "2"])
    inputs = {entry.pop("name"): entry for entry in model["inputs"]}
    assert inputs["support_y"] == {"datatype": "INT32", "shape": [-1, -1]}
    assert inputs["query_x"]["datatype"] == "UINT8"
    assert {entry["name"] for entry in model["outputs"]} >= {"probabilities", "predictions"}


@pytest.mark.parametrize("nested", [False, True])
def test_infer_in_json(url, nested):
    body = in_json(EPISODE) | {"id": "7"}
    if nested:
        for entry in body["inputs"]:
            entry["data"] = EPISODE[entry["name"]].tolist()
    reply = requests.post(f"{url}/models/few_shot/versions/1/infer", json=body).json()
    assert (reply["model_name"], reply["model_version"], reply["id"]) == ("few_shot", "1", "7")
    outputs = by_name(reply)
    np.testing.assert_allclose(outputs["probabilities"], expected(EPISODE), atol=1e-5)
    datatypes = {entry["name"]: entry["datatype"] for entry in reply["outputs"]}
    assert datatypes["predictions"] == "INT32" and datatypes["probabilities"] == "FP32"


def test_infer_with_files_as_bytes_after_the_json(url):
    def files(images):
        return np.array([[png(image) for image in images[0]]], object)

    labels = np.array([[f"class-{label}".encode() for label in EPISODE["support_y"][0]]], object)
    columns = {"support_x": files(EPISODE["support_x"]), "support_labels": labels}
    columns["query_x"] = files(EPISODE["query_x"])
    entries, tail = [], b""
    for name, array in columns.items():
        piece = b"".join(len(v).to_bytes(4, "little") + v for v in array.ravel())
        entries.append(tensor(name, array, parameters={"binary_data_size": len(piece)}))
        tail += piece
    head = json.dumps(
        {
            "inputs": entries,
            "parameters": {"signature_name": "adapt_and_predict_encoded"},
            "outputs": [
                {"name": "probabilities", "parameters": {"binary_data": True}},
                {"name": "class_names", "parameters": {"binary_data": True}},
                {"name": "predicted_labels"},
            ],
        }
    ).encode()
    answer = requests.post(
        f"{url}/models/few_shot/versions/1/infer", head + tail, headers={LENGTH: str(len(head))}
    )
    assert answer.headers["Content-Type"] == "application/octet-stream"
    end = int(answer.headers[LENGTH])
    first, second, third = json.loads(answer.content[:end])["outputs"]
    size = first["parameters"]["binary_data_size"]
    given = np.frombuffer(answer.content[end : end + size], np.float32).reshape(first["shape"])
    names = answer.content[end + size :]
    assert len(names) == second["parameters"]["binary_data_size"]
    found = []
    while names:
        stop = 4 + int.from_bytes(names[:4], "little")
        found.append(names[4:stop].decode())
        names = names[stop:]
    order = [found.index(f"class-{label}") for label in range(len(found))]
    np.testing.assert_allclose(given[..., order], expected(EPISODE), atol=1e-5)
    assert set(third["data"]) <= set(found)


def changed(name: str, **values: Any) -> dict:
    body = in_json(EPISODE)
    for entry in body["inputs"]:
        entry.update(values if entry["name"] == name else {})
    return body


@pytest.mark.parametrize(
    "body, message",
    [
        (changed("support_y", datatype="INT64"), "Input support_y has the datatype INT32; got"),
        (changed("support_y", datatype="int32"), "`datatype` of input support_y must be one of"),
        (changed("support_y", shape=[1, 7]), "Input support_y must have 7 elements"),
        (changed("support_y", shape=[1, -6]), "`shape` of input support_y must be a list of whole"),
        (changed("support_y", data=[0.5] * 6), "JSON Value: 0.5 Type: Number is not of expected"),
        (
            changed("support_y", parameters={"binary_data_size": 4}),
            "`binary_data_size` of input support_y must be at most 0 bytes",
        ),
        ({"inputs": in_json(EPISODE)["inputs"][:1]}, "input size does not match signature: 1!=3"),
        ({"inputs": {}}, "`inputs` must be a list of objects, each with a `name`"),
        (
            in_json(EPISODE) | {"parameters": {"signature_name": "x"}},
            "The parameter `signature_name` must be one of adapt, adapt_and_predict_encoded",
        ),
        (
            in_json(EPISODE) | {"outputs": [{"name": "x"}]},
            "output tensor alias not found in signature: x",
        ),
    ],
)
def test_requests_that_are_wrong(url, body, message):
    answer = requests.post(f"{url}/models/few_shot/infer", json=body)
    assert answer.status_code == 400 and answer.json()["error"].startswith(message)


@pytest.mark.parametrize(
    "method, path, message",
    [
        ("GET", "/models/none", "Servable not found for request: Latest(none)"),
        ("GET", "/models/few_shot/versions/9/ready", "Servable not found for request: Specific("),
        ("POST", "/models/none/infer", "Servable not found for request: Latest(none)"),
        ("GET", "/models/few_shot/infer", "The Open Inference Protocol has no GET /v2/models"),
        ("PUT", "/health/live", "The Open Inference Protocol has no PUT /v2/health/live"),
    ],
)
def test_paths_that_are_none(url, method, path, message):
    answer = requests.request(method, url + path, json={"inputs": []})
    assert answer.status_code == 404 and answer.json()["error"].startswith(message)


@pytest.mark.parametrize("binary", [False, True])
def test_kserves_own_client(url, binary):
    kserve = pytest.importorskip("kserve", reason="needs kserve's InferenceRESTClient")
    base = url.removesuffix("/v2")

    async def converse():
        async with kserve.InferenceRESTClient(kserve.RESTConfig(protocol="v2")) as client:
            states = [
                await client.is_server_live(base),
                await client.is_server_ready(base),
                await client.is_model_ready(base, "few_shot"),
            ]
            inputs = []
            for name, array in EPISODE.items():
                added = kserve.InferInput(name, list(array.shape), DATATYPES[str(array.dtype)])
                added.set_data_from_numpy(array, binary_data=binary)
                inputs.append(added)
            request = kserve.InferRequest(
                "few_shot",
                inputs,
                request_id="1",
                parameters={"binary_data_output": binary},
            )
            return states, await client.infer(base, request, model_name="few_shot/versions/1")

    states, reply = asyncio.run(converse())
    assert states == [True, True, True] and reply.id == "1"
    outputs = {output.name: output.as_numpy() for output in reply.outputs}
    np.testing.assert_allclose(outputs["probabilities"], expected(EPISODE), atol=1e-5)
    assert outputs["predictions"].dtype == np.int32

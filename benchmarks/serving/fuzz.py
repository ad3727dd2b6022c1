"""Malformed requests over REST and gRPC: each is answered with an error that names the fault.

    python -m benchmarks.serving.fuzz [--requests 10000] [--seed 0]

Good requests in between must be answered rightly, and the server must not grow.
"""

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import numpy as np
import requests

from benchmarks.serving.models import export_maml, random_episode
from benchmarks.serving.running import (
    MODEL_NAME,
    free_port,
    predict_request,
    resident_bytes,
    serving,
    write_result,
)
from benchmarks.serving.soak import TOLERANCE, known_answers
from serving import signatures as names
from serving.client import FewShotClient
from serving.versions import publish

TIMEOUT = 20.0  # seconds without an answer are a hang
GOOD_EVERY = 50
MEASURE_AFTER = 0.2  # of the requests: by then every buffer and pool has been filled once


class Refusal(NamedTuple):
    """How a server answered: whether it was an error, and what it said."""

    is_error: bool
    message: str


class Server(NamedTuple):
    """A server to be fuzzed, and the inputs of a request that it answers."""

    channel: grpc.Channel
    url: str
    good: dict[str, np.ndarray]

    def post(self, body: bytes, path: str = f"/v1/models/{MODEL_NAME}:predict") -> Refusal:
        response = requests.post(self.url + path, data=body, timeout=TIMEOUT)
        return Refusal(response.status_code != 200, response.json().get("error", ""))

    def call(self, payload: bytes, method: str = "PredictionService/Predict") -> Refusal:
        try:
            self.channel.unary_unary(f"/tensorflow.serving.{method}")(payload, timeout=TIMEOUT)
        except grpc.RpcError as error:
            hung = error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            return Refusal(not hung, error.details() or "")
        return Refusal(False, "")


def _columns(inputs: dict) -> dict[str, Any]:
    return {name: array.tolist() for name, array in inputs.items()}


def _pick(rng: np.random.Generator, good: dict) -> str:
    return str(rng.choice(sorted(good)))


# Each takes a server and random numbers, and sends one request that cannot be answered.


def truncated_grpc(server: Server, rng: np.random.Generator) -> Refusal:
    payload = predict_request(server.good).SerializeToString()
    return server.call(payload[: rng.integers(1, len(payload) - 1)])


def random_bytes_grpc(server: Server, rng: np.random.Generator) -> Refusal:
    return server.call(b"\xff" + rng.bytes(rng.integers(1, 200)))


def truncated_rest(server: Server, rng: np.random.Generator) -> Refusal:
    body = json.dumps({"inputs": _columns(server.good)}).encode()
    return server.post(body[: rng.integers(0, len(body) - 1)])


def random_bytes_rest(server: Server, rng: np.random.Generator) -> Refusal:
    return server.post(rng.bytes(rng.integers(0, 200)))


def wrong_dtype(server: Server, rng: np.random.Generator) -> Refusal:
    name = _pick(rng, server.good)
    wrong = np.dtype(rng.choice(["float32", "float64", "int64", "int16"]))
    return server.call(
        predict_request(server.good | {name: server.good[name].astype(wrong)}).SerializeToString()
    )


def wrong_rank(server: Server, rng: np.random.Generator) -> Refusal:
    name = _pick(rng, server.good)
    array = server.good[name]
    wrong = array[0] if rng.random() < 0.5 else array[None]
    return server.call(predict_request(server.good | {name: wrong}).SerializeToString())


def wrong_example_shape(server: Server, rng: np.random.Generator) -> Refusal:
    name = str(rng.choice([names.SUPPORT_X, names.QUERY_X]))
    wrong = server.good[name][:, :, : rng.integers(1, server.good[name].shape[2])]
    return server.call(predict_request(server.good | {name: wrong}).SerializeToString())


def scalar(server: Server, rng: np.random.Generator) -> Refusal:
    name = _pick(rng, server.good)
    wrong = server.good[name].ravel()[:1].reshape(())
    return server.call(predict_request(server.good | {name: wrong}).SerializeToString())


def huge_shape(server: Server, rng: np.random.Generator) -> Refusal:
    request = predict_request(server.good)
    tensor = request.inputs[_pick(rng, server.good)]
    tensor.tensor_shape.dim[0].size = int(rng.integers(2**40, 2**62))
    if rng.random() < 0.5:
        tensor.tensor_content = b""  # absent values would be filled in
    return server.call(request.SerializeToString())


def negative_shape(server: Server, rng: np.random.Generator) -> Refusal:
    request = predict_request(server.good)
    request.inputs[_pick(rng, server.good)].tensor_shape.dim[0].size = -int(rng.integers(1, 9))
    return server.call(request.SerializeToString())


def unknown_type(server: Server, rng: np.random.Generator) -> Refusal:
    request = predict_request(server.good)
    request.inputs[_pick(rng, server.good)].dtype = int(rng.choice([0, 8, 20, 21, 99, 101]))
    return server.call(request.SerializeToString())


def episodes_that_differ(server: Server, rng: np.random.Generator) -> Refusal:
    name = _pick(rng, server.good)
    wrong = np.repeat(server.good[name], rng.integers(2, 5), axis=0)
    return server.call(predict_request(server.good | {name: wrong}).SerializeToString())


def empty_support(server: Server, rng: np.random.Generator) -> Refusal:
    del rng
    empty = {k: server.good[k][:, :0] for k in (names.SUPPORT_X, names.SUPPORT_Y)}
    return server.call(predict_request(server.good | empty).SerializeToString())


def labels_out_of_range(server: Server, rng: np.random.Generator) -> Refusal:
    labels = server.good[names.SUPPORT_Y].copy()
    labels[0, rng.integers(labels.shape[1])] = rng.choice([-2, -(2**31), 1000, 2**31 - 1])
    return server.call(predict_request(server.good | {names.SUPPORT_Y: labels}).SerializeToString())


def not_a_number(server: Server, rng: np.random.Generator) -> Refusal:
    columns = _columns(server.good)
    columns[_pick(rng, server.good)] = [[float(rng.choice([np.nan, np.inf, -np.inf]))]]
    return server.post(json.dumps({"inputs": columns}).encode())


def unknown_signature(server: Server, rng: np.random.Generator) -> Refusal:
    name = f"signature-{rng.integers(1000)}"
    if rng.random() < 0.5:
        return server.call(predict_request(server.good, name).SerializeToString())
    return server.post(json.dumps({"signature_name": name, "inputs": {}}).encode())


def unknown_model(server: Server, rng: np.random.Generator) -> Refusal:
    return server.post(b'{"inputs": {}}', f"/v1/models/model-{rng.integers(10**9)}:predict")


def bad_path(server: Server, rng: np.random.Generator) -> Refusal:
    return server.post(b"{}", f"/v1/{rng.bytes(6).hex()}/%ff%00/:predict")


def bad_utf8(server: Server, rng: np.random.Generator) -> Refusal:
    return server.post(b'{"inputs": {"\xff' + rng.bytes(4).hex().encode() + b'": 1}}')


def nested_json(server: Server, rng: np.random.Generator) -> Refusal:
    depth = int(rng.integers(40, 20_000))
    opening = b"[" * depth + b"]" * depth if rng.random() < 0.5 else b"[" * depth
    return server.post(b'{"inputs": {"support_x": ' + opening + b"}}")


def ragged_json(server: Server, rng: np.random.Generator) -> Refusal:
    columns = _columns(server.good)
    columns[names.SUPPORT_Y][0] = [0, [1], 2] if rng.random() < 0.5 else [[0, 1], [2]]
    return server.post(json.dumps({"inputs": columns}).encode())


def wrong_json_type(server: Server, rng: np.random.Generator) -> Refusal:
    columns = _columns(server.good)
    wrong: list[Any] = ["x", None, True, 0.5, 10**30, {"a": 1}, {"b64": "eA=="}]
    columns[names.SUPPORT_Y][0][0] = wrong[rng.integers(len(wrong))]
    return server.post(json.dumps({"inputs": columns}).encode())


def missing_input(server: Server, rng: np.random.Generator) -> Refusal:
    without = {k: v for k, v in server.good.items() if k != _pick(rng, server.good)}
    if len(without) == len(server.good):
        without.popitem()
    if rng.random() < 0.5:
        return server.call(predict_request(without).SerializeToString())
    return server.post(json.dumps({"inputs": _columns(without)}).encode())


def no_picture(server: Server, rng: np.random.Generator) -> Refusal:
    strings = np.array([[rng.bytes(20), b""]], object)
    labels = np.array([[b"a", b"b"]], object)
    inputs = {names.SUPPORT_X: strings, names.SUPPORT_LABELS: labels, names.QUERY_X: strings}
    return server.call(predict_request(inputs, names.ENCODED).SerializeToString())


KINDS: list[Callable[[Server, np.random.Generator], Refusal]] = [
    truncated_grpc,
    random_bytes_grpc,
    truncated_rest,
    random_bytes_rest,
    wrong_dtype,
    wrong_rank,
    wrong_example_shape,
    scalar,
    huge_shape,
    negative_shape,
    unknown_type,
    episodes_that_differ,
    empty_support,
    labels_out_of_range,
    not_a_number,
    unknown_signature,
    unknown_model,
    bad_path,
    bad_utf8,
    nested_json,
    ragged_json,
    wrong_json_type,
    missing_input,
    no_picture,
]


def fuzz(
    address: str, url: str, pid: int, good: dict, right: np.ndarray, *, count: int, seed: int
) -> dict[str, Any]:
    """Sends `count` malformed requests of all kinds, and good ones in between.

    Args:
      address, url: the server's, of gRPC and of REST.
      pid: of the server's process.
      good: the inputs of one good request.
      right: its probabilities.
    """
    rng = np.random.default_rng(seed)
    accepted: Counter[str] = Counter()
    silent: Counter[str] = Counter()
    messages_seen: set[str] = set()
    wrong_answers, memory = 0, 0
    with (
        grpc.insecure_channel(address) as channel,
        FewShotClient.connect(address, MODEL_NAME) as client,
    ):
        server = Server(channel, url, good)
        for number in range(count):
            kind = KINDS[number % len(KINDS)]
            refusal = kind(server, rng)
            accepted[kind.__name__] += not refusal.is_error
            silent[kind.__name__] += refusal.is_error and not refusal.message
            messages_seen.add(refusal.message[:40])
            if number % GOOD_EVERY == 0:
                reply = client.run(names.ADAPT_AND_PREDICT, good)
                given = reply.outputs[names.PROBABILITIES]
                wrong_answers += not np.allclose(given, right, atol=TOLERANCE)
            if number == int(count * MEASURE_AFTER):
                memory = resident_bytes(pid)
    return {
        "requests": count,
        "not_refused": +accepted,
        "refused_without_a_word": +silent,
        "wrong_answers_to_good_requests": wrong_answers,
        "good_requests": -(-count // GOOD_EVERY),
        "different_messages": len(messages_seen),
        "megabytes_after_a_fifth": memory >> 20,
        "megabytes_at_the_end": resident_bytes(pid) >> 20,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = export_maml(folder / "exported")
        with FewShotClient.connect(str(model)) as client:
            signature = client.signatures[names.ADAPT_AND_PREDICT]
        good = random_episode(signature, queries=3)
        ((right,),) = known_answers([model], [good])
        publish(model, folder / "models", now=1)
        port = free_port()
        flags = [f"--rest_api_port={port}"]
        with serving(folder / "models", *flags, log=folder / "log") as (address, process):
            result = fuzz(
                address,
                f"http://localhost:{port}",
                process.pid,
                good,
                right,
                count=arguments.requests,
                seed=arguments.seed,
            )
            result["still_running"] = process.poll() is None
    print(write_result("serving_fuzz", vars(arguments), result))
    print(result)


if __name__ == "__main__":
    main()

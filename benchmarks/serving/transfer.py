"""Measures what gRPC in Python alone costs for a request and its reply, without our server.

    python -m benchmarks.serving.transfer VERSION_FOLDER PORT

No server in Python can reply over gRPC in less time. The handler reads the inputs of the first
request only. It replies to later ones with the bytes of the first reply, directly or after running
the model on the first request's inputs. So a later one may have a handle in place of the weights.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from benchmarks.serving.running import free_port, predict_request
from serving.model_server.options import ServerOptions
from serving.protocol import messages
from serving.protocol.tensors import read_tensor, write_tensor
from serving.saved_model.signatures import PREDICT, PREDICT_ON_SERVER
from serving.start_up import give_each_session_its_threads

BYTES = "grpc, same bytes, no model"
AROUND_CALL = "grpc, same bytes, around the pure call"
_METHODS = {BYTES: "bytes", AROUND_CALL: "call"}


@contextmanager
def transfer_calls(
    model: Path,
    inputs: Mapping[str, dict[str, np.ndarray]],
    by_handle: dict[str, np.ndarray],
    *,
    log: Path,
) -> Iterator[dict[str, Callable[[], Any]]]:
    """Yields calls by measurement and signature, all to one process.

    Args:
      model: a version folder.
      inputs: inputs of each signature.
      by_handle: inputs of `predict_on_server`, for which the model runs `predict`.
      log: file for the output of that process.
    """
    port = free_port()
    first = {name: predict_request(arrays, name) for name, arrays in inputs.items()}
    later = first | {PREDICT_ON_SERVER: predict_request(by_handle, PREDICT_ON_SERVER)}
    first[PREDICT_ON_SERVER] = first[PREDICT]
    with open(log, "ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(model), str(port)], stdout=output, stderr=output
        )
    try:
        with grpc.insecure_channel(f"localhost:{port}") as channel:
            grpc.channel_ready_future(channel).result(timeout=60)
            calls = {}
            for name, request in later.items():
                for kind, method in _METHODS.items():
                    send = channel.unary_unary(f"/{method}/{name}")
                    send(first[name].SerializeToString(), timeout=60.0)
                    payload = request.SerializeToString()
                    calls[f"{kind}: {name}"] = partial(send, payload, timeout=60.0)
            yield calls
    finally:
        process.terminate()
        process.wait(timeout=60)


class _Handlers(grpc.GenericRpcHandler):
    """Answers `/bytes/NAME` and `/call/NAME`, with the signature of NAME's first request."""

    def __init__(self, servable: Any):
        self._servable = servable
        self._prepared: dict[str, tuple[Callable[[], Any], bytes]] = {}

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        """Gives the handler for the path of a call."""
        _, method, name = details.method.split("/")
        return grpc.unary_unary_rpc_method_handler(partial(self._answer, method, name))

    def _answer(self, method: str, name: str, payload: bytes, _: Any) -> bytes:
        if name not in self._prepared:
            self._prepared[name] = self._prepare(payload)
        call, answer = self._prepared[name]
        if method == _METHODS[AROUND_CALL]:
            call()
        return answer

    def _prepare(self, payload: bytes) -> tuple[Callable[[], Any], bytes]:
        request: Any = messages.PredictRequest.FromString(payload)
        response: Any = messages.PredictResponse()
        signature = self._servable.signature_defs[request.model_spec.signature_name]
        feeds = {signature.inputs[k].name: read_tensor(v) for k, v in request.inputs.items()}
        fetches = [info.name for info in signature.outputs.values()]
        call = partial(self._servable.run, feeds, fetches)
        for name, array in zip(signature.outputs, call()):
            write_tensor(array, response.outputs[name], typed=True)
        return call, response.SerializeToString()


def main(model: Path, port: int) -> None:
    """Serves the handlers for a version folder."""
    give_each_session_its_threads()
    from serving.model_server.loading import make_loader
    from serving.model_server.servable import Parallelism

    options = ServerOptions()
    load = make_loader(parallelism=Parallelism(0, 0), warmup=True, measure_threads=True)
    server = grpc.server(
        ThreadPoolExecutor(options.grpc_max_threads),
        options=[("grpc.max_receive_message_length", options.max_message_bytes)],
    )
    server.add_generic_rpc_handlers((_Handlers(load("", 0, model)),))
    server.add_insecure_port(f"localhost:{port}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

"""What travels over gRPC, without a server."""

import numpy as np

from serving.client.grpc_transport import GrpcTransport
from serving.protocol import messages
from serving.protocol.model_spec import ModelSpec
from serving.protocol.tensors import read_tensor

INPUTS = {
    "weights": np.arange(6, dtype=np.float32).reshape(1, 2, 3),
    "texts": np.array([[b"a", b""]], object),
    "query_x": np.arange(4, dtype=np.uint8).reshape(1, 4),
}


def sent(shared: set[str]) -> messages.PredictRequest:
    """The request that a server would read, some of its inputs encoded beforehand."""
    transport, seen = GrpcTransport("localhost:1", ModelSpec("m", 7)), []

    def call(payload, timeout):
        seen.append(payload)
        return messages.PredictResponse()

    transport._predict = call
    given = {name: INPUTS[name] for name in shared}
    rest = {name: array for name, array in INPUTS.items() if name not in shared}
    send = transport.bind("predict", given)
    send(rest, 1.0)
    send(rest, 1.0)
    first, second = map(messages.PredictRequest.FromString, seen)
    assert first == second
    return first


def test_a_request_put_together_is_the_request_made_at_once():
    whole = sent(set())
    assert whole.model_spec.signature_name == "predict"
    assert whole.model_spec.version.value == 7
    for name, array in INPUTS.items():
        np.testing.assert_array_equal(read_tensor(whole.inputs[name]), array)
    assert sent({"weights", "texts"}) == sent(set(INPUTS)) == whole

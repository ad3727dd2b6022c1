"""What a Predict request means, for gRPC, REST and warm-up alike.

The checks are those of TensorFlow Serving, with its codes, its messages and its order; shapes and
values are left to the graph's own checks.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from serving.model_server.servable import Servable
from serving.protocol.status import FAILED_PRECONDITION, StatusError, invalid_argument
from serving.protocol.tensors import unpack_or_invalid
from serving.saved_model.signatures import ADAPT_AND_PREDICT

# Runs a graph: (servable, feeds by tensor name, fetches, deadline) -> arrays.
Runner = Callable[
    [Servable, Mapping[str, np.ndarray], Sequence[str], float | None], list[np.ndarray]
]

# The inputs by name, each unpacked when it is asked for.
Inputs = Mapping[str, Callable[[], np.ndarray]]


def run_alone(
    servable: Servable,
    feeds: Mapping[str, np.ndarray],
    fetches: Sequence[str],
    deadline: float | None,
) -> list[np.ndarray]:
    """The Runner that joins nothing."""
    return servable.run(feeds, fetches, deadline)


def proto_inputs(inputs: Mapping[str, Any], *, max_bytes: int | None) -> Inputs:
    """The inputs of a PredictRequest (TensorProto by name)."""

    def unpacker(name: str) -> Callable[[], np.ndarray]:
        return lambda: unpack_or_invalid(name, inputs[name], max_bytes)

    return {name: unpacker(name) for name in inputs}


def predict(
    servable: Servable,
    signature_name: str,
    inputs: Inputs,
    output_filter: Sequence[str] = (),
    *,
    run: Runner = run_alone,
    deadline: float | None = None,
) -> dict[str, np.ndarray]:
    """Answers one request.

    Args:
      servable: the version that answers.
      signature_name: the empty string means `serving_default`.
      inputs: the request's tensors.
      output_filter: the outputs wanted; all if empty.
      run: how the graph is run, alone or joined with other requests.
      deadline: on `time.monotonic`'s clock.

    Returns:
      The outputs by name.

    Raises:
      StatusError: as TensorFlow Serving answers.
    """
    signature_name = signature_name or ADAPT_AND_PREDICT
    signature = servable.signature_defs.get(signature_name)
    if signature is None:
        raise StatusError(
            FAILED_PRECONDITION, f'Serving signature key "{signature_name}" not found.'
        )
    _check_input_count(signature.inputs, inputs)
    feeds = _feeds(signature.inputs, inputs)
    aliases = _outputs(signature.outputs, output_filter)
    fetches = [signature.outputs[alias].name for alias in aliases]
    return dict(zip(aliases, run(servable, feeds, fetches, deadline)))


def wrong_method(servable: Servable, verb: str, signature_name: str) -> StatusError:
    """What a few-shot model, whose signatures are all for predict, says to classify and regress."""
    signature_name = signature_name or ADAPT_AND_PREDICT
    signature = servable.signature_defs.get(signature_name)
    if signature is None:
        return invalid_argument(f"No signature was found with the name: {signature_name}")
    kind = {"classify": "classification", "regress": "regression"}[verb]
    return invalid_argument(
        f"Expected {kind} signature method_name to be tensorflow/serving/{verb}. "
        f"Was: {signature.method_name}"
    )


def _check_input_count(expected: Mapping[str, Any], inputs: Inputs) -> None:
    if len(inputs) == len(expected):
        return
    extra, missing = set(inputs) - set(expected), set(expected) - set(inputs)
    raise invalid_argument(
        f"input size does not match signature: {len(inputs)}!={len(expected)} "
        f"len({_braced(inputs)}) != len({_braced(expected)}). "
        f"Sent extra: {_braced(extra)}. Missing but required: {_braced(missing)}."
    )


def _feeds(expected: Mapping[str, Any], inputs: Inputs) -> dict[str, np.ndarray]:
    feeds = {}
    for alias in sorted(expected):
        if alias not in inputs:
            raise invalid_argument(
                f"Signature input alias: {alias}(feed name: {expected[alias].name}) not found in "
                f"request and no default value provided. Inputs expected to be in the request "
                f"{_braced(inputs)}, or default input alias set: "
            )
        feeds[expected[alias].name] = inputs[alias]()
    return feeds


def _outputs(available: Mapping[str, Any], output_filter: Sequence[str]) -> list[str]:
    seen: list[str] = []
    for alias in output_filter:
        if alias not in available:
            raise invalid_argument(
                f"output tensor alias not found in signature: {alias} Outputs expected to be in "
                f"the set {_braced(available)}."
            )
        if alias in seen:
            raise invalid_argument(f"duplicate output tensor alias: {alias}")
        seen.append(alias)
    return seen or sorted(available)


def _braced(names: Any) -> str:
    return "{" + ",".join(sorted(names)) + "}"

"""Handles Predict requests of gRPC, REST and warm-up.

The checks have the codes, messages and order of TensorFlow Serving's; the checks in the graph
test shapes and values.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from serving.model_server.servable import Servable
from serving.protocol.status import FAILED_PRECONDITION, INTERNAL, StatusError, invalid_argument
from serving.protocol.tensors import unpack_or_invalid
from serving.saved_model.signatures import ADAPT_AND_PREDICT

_METHODS = tuple(f"tensorflow/serving/{verb}" for verb in ("predict", "classify", "regress"))

# Runs a graph: (servable, feeds by tensor name, fetches, deadline) -> arrays.
Runner = Callable[
    [Servable, Mapping[str, np.ndarray], Sequence[str], float | None], list[np.ndarray]
]

# A function for each input by name that unpacks the input when it is called.
InputReaders = Mapping[str, Callable[[], np.ndarray]]


def run_alone(servable: Servable, *request: Any) -> list[np.ndarray]:
    """Runs a request by itself: the Runner without batching."""
    return servable.run(*request)


def proto_inputs(inputs: Mapping[str, Any], *, max_bytes: int | None) -> InputReaders:
    """Makes the readers of a PredictRequest's inputs (TensorProto by name)."""

    def reader(name: str) -> Callable[[], np.ndarray]:
        return lambda: unpack_or_invalid(name, inputs[name], max_bytes)

    return {name: reader(name) for name in inputs}


def predict(
    servable: Servable,
    signature_name: str,
    inputs: InputReaders,
    output_filter: Sequence[str] = (),
    *,
    run: Runner = run_alone,
    deadline: float | None = None,
) -> dict[str, np.ndarray]:
    """Runs one request and returns the outputs by name.

    An empty `signature_name` is `serving_default`, an empty `output_filter` all outputs; `deadline`
    is on `time.monotonic`'s clock. A StatusError has TensorFlow Serving's code.
    """
    signature_name = signature_name or ADAPT_AND_PREDICT
    signature = servable.signature_defs.get(signature_name)
    if signature is None:
        message = f'Serving signature key "{signature_name}" not found.'
        raise StatusError(FAILED_PRECONDITION, message)
    _check_method(signature)
    _check_input_count(signature, inputs)
    feeds = _feeds(signature, inputs)
    aliases = _outputs(signature.outputs, output_filter)
    fetches = [signature.outputs[alias].name for alias in aliases]
    return dict(zip(aliases, run(servable, feeds, fetches, deadline)))


def _check_method(signature: Any) -> None:
    if signature.method_name not in _METHODS:
        raise StatusError(
            INTERNAL,
            "Expected prediction signature method_name to be one of "
            f"{{{', '.join(_METHODS)}}}. Was: {signature.method_name}",
        )


def _check_input_count(signature: Any, inputs: InputReaders) -> None:
    expected = signature.inputs
    if len(inputs) == len(expected) or (len(inputs) < len(expected) and signature.defaults):
        return
    extra, missing = set(inputs) - set(expected), set(expected) - set(inputs)
    raise invalid_argument(
        f"input size does not match signature: {len(inputs)}!={len(expected)} "
        f"len({_set_text(inputs)}) != len({_set_text(expected)}). "
        f"Sent extra: {_set_text(extra)}. Missing but required: {_set_text(missing)}."
    )


def _feeds(signature: Any, inputs: InputReaders) -> dict[str, np.ndarray]:
    """Reads the inputs by tensor name; one that is not sent has the signature's default."""
    feeds, defaults = {}, signature.defaults
    for alias, info in sorted(signature.inputs.items()):
        if alias in inputs:
            feeds[info.name] = inputs[alias]()
        elif alias in defaults:
            feeds[info.name] = unpack_or_invalid(alias, defaults[alias], None)
        else:
            raise invalid_argument(
                f"Signature input alias: {alias}(feed name: {info.name}) not found in "
                f"request and no default value provided. Inputs expected to be in the request "
                f"{_set_text(inputs)}, or default input alias set: {','.join(sorted(defaults))}"
            )
    used = set(inputs) & set(signature.inputs)
    if len(used) < len(inputs):
        named = ",".join(sorted(used))
        raise invalid_argument(f"Inputs contains invalid name. Used request inputs: {named}")
    return feeds


def _outputs(available: Mapping[str, Any], output_filter: Sequence[str]) -> list[str]:
    aliases: list[str] = []
    for alias in output_filter:
        if alias not in available:
            raise invalid_argument(
                f"output tensor alias not found in signature: {alias} Outputs expected to be in "
                f"the set {_set_text(available)}."
            )
        if alias in aliases:
            raise invalid_argument(f"duplicate output tensor alias: {alias}")
        aliases.append(alias)
    return aliases or sorted(available)


def _set_text(names: Any) -> str:
    return "{" + ",".join(sorted(names)) + "}"

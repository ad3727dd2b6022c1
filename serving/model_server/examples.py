"""Handles Classify, Regress and MultiInference: requests of tf.train.Example records.

A few-shot model has no signature for them, but a model of another project may. The checks have the
codes, messages and order of TensorFlow Serving's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import classification_pb2, inference_pb2, regression_pb2

from serving.model_server.predict import Runner
from serving.model_server.servable import Servable
from serving.protocol.status import (
    FAILED_PRECONDITION,
    UNIMPLEMENTED,
    StatusError,
    invalid_argument,
)
from serving.saved_model.signatures import ADAPT_AND_PREDICT

_METHOD = "tensorflow/serving/"
CLASSIFY, REGRESS = f"{_METHOD}classify", f"{_METHOD}regress"
_NOUNS = {CLASSIFY: "classification", REGRESS: "regression"}
_INPUTS, _CLASSES, _SCORES, _OUTPUTS = "inputs", "classes", "scores", "outputs"

Outputs = Mapping[str, np.ndarray]  # by tensor name


def classify(
    servable: Servable, signature_name: str, request: Any, run: Runner, deadline: float | None
) -> Any:
    """Runs a classification signature on an Input message; returns a ClassificationResult."""
    signature = _signature(servable, signature_name, CLASSIFY)
    input_name, fetches = _tensor_names(signature, CLASSIFY)
    examples = _serialized(request)
    outputs = dict(zip(fetches, run(servable, {input_name: examples}, fetches, deadline)))
    return _classifications(signature, len(examples), outputs)


def regress(
    servable: Servable, signature_name: str, request: Any, run: Runner, deadline: float | None
) -> Any:
    """Runs a regression signature on an Input message; returns a RegressionResult."""
    signature = _signature(servable, signature_name, REGRESS)
    input_name, fetches = _tensor_names(signature, REGRESS)
    examples = _serialized(request)
    outputs = dict(zip(fetches, run(servable, {input_name: examples}, fetches, deadline)))
    return _regressions(signature, len(examples), outputs)


def infer_all(servable: Servable, request: Any, run: Runner, deadline: float | None) -> Any:
    """Runs the tasks of a MultiInferenceRequest at once, on one and the same input."""
    signatures: dict[str, Any] = {}
    inputs: set[str] = set()
    fetches: set[str] = set()
    for task in request.tasks:
        name = task.model_spec.signature_name or ADAPT_AND_PREDICT
        _check_task(task, request.tasks[0], name, signatures)
        if name not in servable.signature_defs:
            raise invalid_argument(f"Requested signature not found in model graph: {name}")
        signatures[name] = servable.signature_defs[name]
        if task.method_name not in _NOUNS:
            message = f"Unsupported signature method_name: {task.method_name}"
            raise StatusError(UNIMPLEMENTED, message)
        input_name, names = _tensor_names(signatures[name], task.method_name)
        inputs.add(input_name)
        fetches.update(names)
        if len(inputs) > 1:
            raise invalid_argument("Input tensor must be the same for all Signatures.")
    examples = _serialized(request.input)
    ordered = sorted(fetches)
    arrays = run(servable, {inputs.pop(): examples}, ordered, deadline)
    outputs = dict(zip(ordered, arrays))
    response = inference_pb2.MultiInferenceResponse()
    for (name, signature), task in zip(signatures.items(), request.tasks):
        result = response.results.add()
        if task.method_name == CLASSIFY:
            found = _classifications(signature, len(examples), outputs)
            result.classification_result.CopyFrom(found)
        else:
            result.regression_result.CopyFrom(_regressions(signature, len(examples), outputs))
        fill_model_spec(result.model_spec, servable, name)
    return response


def fill_model_spec(message: Any, servable: Servable, signature_name: str) -> None:
    """Fills the ModelSpec of a response: what was served."""
    message.name = servable.name
    message.version.value = servable.version
    message.signature_name = signature_name or ADAPT_AND_PREDICT


def _check_task(task: Any, first: Any, name: str, seen: Mapping[str, Any]) -> None:
    if not task.model_spec.name:
        raise invalid_argument("Found ModelSpec with an empty model name.")
    if task.model_spec.name != first.model_spec.name:
        raise invalid_argument(
            "All ModelSpecs in a MultiInferenceRequest must access the same model name."
        )
    if name in seen:
        raise invalid_argument(f"Duplicate evaluation of signature: {name}")


def _signature(servable: Servable, name: str, method: str) -> Any:
    signature = servable.signature_defs.get(name or ADAPT_AND_PREDICT)
    if signature is None:
        raise invalid_argument(f"No signature was found with the name: {name or ADAPT_AND_PREDICT}")
    _check_method(signature, method)
    return signature


def _check_method(signature: Any, method: str) -> None:
    if signature.method_name != method:
        raise invalid_argument(
            f"Expected {_NOUNS[method]} signature method_name to be {method}. "
            f"Was: {signature.method_name}"
        )


def _tensor_names(signature: Any, method: str) -> tuple[str, list[str]]:
    """Gives the names of the input tensor and of the output tensors."""
    _check_method(signature, method)
    noun, outputs = _NOUNS[method], signature.outputs
    if len(signature.inputs) != 1:
        raise invalid_argument("Expected one input Tensor.")
    if method == CLASSIFY and len(outputs) not in (1, 2):
        raise invalid_argument(f"Expected one or two output Tensors, found {len(outputs)}")
    if method == REGRESS and len(outputs) != 1:
        raise invalid_argument("Expected one output Tensor.")
    if _INPUTS not in signature.inputs:
        message = f"No {noun} inputs found in SignatureDef: {signature}"
        raise StatusError(FAILED_PRECONDITION, message)
    wanted = [_CLASSES, _SCORES] if method == CLASSIFY else [_OUTPUTS]
    names = [outputs[alias].name for alias in wanted if alias in outputs]
    if not names and method == CLASSIFY:
        message = (
            f'Expected classification signature outputs to contain at least one of "{_CLASSES}" '
            f'or "{_SCORES}". Signature was: {signature}'
        )
        raise StatusError(FAILED_PRECONDITION, message)
    if not names:
        message = f"No regression outputs found in SignatureDef: {signature}"
        raise StatusError(FAILED_PRECONDITION, message)
    return signature.inputs[_INPUTS].name, names


def _serialized(request: Any) -> np.ndarray:
    """Gives the records of an Input message, a context joined to each, as string [examples]."""
    kind = request.WhichOneof("kind")
    examples = getattr(request, kind).examples if kind else []
    if not examples:
        raise invalid_argument("Input is empty.")
    shared = b""
    if kind == "example_list_with_context":
        shared = request.example_list_with_context.context.SerializeToString()
    array = np.empty(len(examples), object)
    array[:] = [shared + example.SerializeToString() for example in examples]
    return array


def _classifications(signature: Any, count: int, outputs: Outputs) -> Any:
    found = {
        alias: outputs[signature.outputs[alias].name]
        for alias in (_CLASSES, _SCORES)
        if alias in signature.outputs
    }
    for alias, array in found.items():
        _check_output(alias, array, count)
    widths = [array.shape[1] for array in found.values()]
    if len(set(widths)) > 1:
        raise invalid_argument(
            f"Tensors class and score should match in dim_size(1). Got {widths[0]} vs. {widths[1]}"
        )
    result = classification_pb2.ClassificationResult()
    for row in range(count):
        added = result.classifications.add()
        for column in range(widths[0]):
            entry = added.classes.add()
            if _CLASSES in found:
                entry.label = found[_CLASSES][row, column]
            if _SCORES in found:
                entry.score = found[_SCORES][row, column]
    return result


def _check_output(alias: str, array: np.ndarray, count: int) -> None:
    if array.ndim != 2:
        raise invalid_argument(
            f"Expected Tensor shape: [batch_size num_classes] but got {_shape(array.shape)}"
        )
    wanted = object if alias == _CLASSES else np.float32
    if array.dtype != wanted:
        expected = "DT_STRING" if alias == _CLASSES else "DT_FLOAT"
        raise invalid_argument(f"Expected {alias} Tensor of {expected}. Got: {_type(array)}")
    if len(array) != count:
        raise invalid_argument(f"Expected {alias} output batch size of {count}. Got: {len(array)}")


def _regressions(signature: Any, count: int, outputs: Outputs) -> Any:
    array = outputs[signature.outputs[_OUTPUTS].name]
    if not (array.ndim == 1 or (array.ndim == 2 and array.shape[1] == 1)):
        raise invalid_argument(
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got "
            f"{_shape(array.shape)}"
        )
    if len(array) != count:
        raise invalid_argument(
            f"Input batch size did not match output batch size: {count} vs. {len(array)}"
        )
    if array.dtype != np.float32:
        raise invalid_argument(f"Expected output Tensor of DT_FLOAT.  Got: {_type(array)}")
    result = regression_pb2.RegressionResult()
    for value in array.ravel().tolist():
        result.regressions.add(value=value)
    return result


def _shape(shape: Sequence[int]) -> str:
    return f"[{','.join(map(str, shape))}]"


def _type(array: np.ndarray) -> str:
    return types_pb2.DataType.Name(tf.dtypes.as_dtype(array.dtype).as_datatype_enum)

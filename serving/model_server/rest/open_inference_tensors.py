"""The tensors of the Open Inference Protocol: in JSON, or as bytes that follow it."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from serving.model_server.rest.json_tensors import array_from_json, array_to_json, tensor_type
from serving.model_server.rest.json_text import read_body
from serving.model_server.rest.predict_json import check_infinities
from serving.protocol.status import invalid_argument
from serving.protocol.tensors import BY_NUMBER
from serving.saved_model.signatures import ADAPT_AND_PREDICT

_NAMES = {"string": "BYTES", "bool": "BOOL", "half": "FP16", "float": "FP32", "double": "FP64"}
_DATATYPES = {kind.number: _NAMES.get(kind.name, kind.name.upper()) for kind in BY_NUMBER.values()}
_BY_DATATYPE = {name: BY_NUMBER[number] for number, name in _DATATYPES.items()}
_BY_NUMPY = {kind.numpy: _DATATYPES[kind.number] for kind in BY_NUMBER.values()}


def describe(infos: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Describes tensors of a signature (TensorInfo by name) as a model's metadata does."""
    return [
        {
            "name": name,
            "datatype": _DATATYPES.get(info.dtype, tensor_type(info.dtype).name.upper()),
            "shape": [dim.size for dim in info.tensor_shape.dim],
        }
        for name, info in sorted(infos.items())
    ]


def read_request(
    text: bytes, raw: bytes, signatures: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Reads an inference request: the document without its inputs, and these by name.

    Args:
      text: the JSON.
      raw: the bytes after it.
      signatures: inputs (TensorInfo by name) by name of the signature.
    """

    def read(document: dict[str, Any], exact: bool) -> tuple[dict, dict]:
        name = signature_name(document) or ADAPT_AND_PREDICT
        if name not in signatures:
            known = sorted(name for name in signatures if not name.startswith("__"))
            raise invalid_argument(
                f"The parameter `signature_name` must be one of {', '.join(known)}; got {name}"
            )
        arrays = read_inputs(document, signatures[name], raw)
        if not exact:
            check_infinities(arrays)
        return {key: value for key, value in document.items() if key != "inputs"}, arrays

    return read_body(text, read)


def signature_name(document: Mapping[str, Any]) -> str:
    """Gives the name of the signature that a request asks for; empty for the default."""
    name = parameters(document).get("signature_name", "")
    if not isinstance(name, str):
        raise invalid_argument("The parameter `signature_name` must be a string")
    return name


def parameters(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    """Gives the `parameters` of a request, an input or an output."""
    found = holder.get("parameters", {})
    if not isinstance(found, dict):
        raise invalid_argument("`parameters` must be an object")
    return found


def entries(document: Mapping[str, Any], key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yields the names and objects of the list `inputs` or `outputs`."""
    found = document.get(key, [])
    if not isinstance(found, list):
        raise invalid_argument(f"`{key}` must be a list of objects, each with a `name`")
    for entry in found:
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise invalid_argument(f"`{key}` must be a list of objects, each with a `name`")
        yield entry["name"], entry


def read_inputs(
    document: Mapping[str, Any], infos: Mapping[str, Any], raw: bytes
) -> dict[str, np.ndarray]:
    """Reads the inputs of a request, whose signature has `infos` (TensorInfo by name)."""
    arrays, start = {}, 0
    for name, entry in entries(document, "inputs"):
        datatype, shape = entry.get("datatype"), entry.get("shape")
        if not isinstance(datatype, str) or datatype not in _BY_DATATYPE:
            raise invalid_argument(
                f"`datatype` of input {name} must be one of {', '.join(_BY_DATATYPE)}"
            )
        wanted = _DATATYPES.get(infos[name].dtype, "") if name in infos else datatype
        if datatype != wanted:
            raise invalid_argument(f"Input {name} has the datatype {wanted}; got {datatype}")
        if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
            raise invalid_argument(f"`shape` of input {name} must be a list of whole numbers")
        size = parameters(entry).get("binary_data_size")
        kind = _BY_DATATYPE[datatype]
        if size is None:
            flat = array_from_json(entry.get("data"), kind).ravel()
        elif type(size) is not int or not 0 <= size <= len(raw) - start:
            raise invalid_argument(
                f"`binary_data_size` of input {name} must be at most {len(raw) - start} bytes, "
                f"those that follow the JSON"
            )
        else:
            piece = raw[start : start + size]
            flat = _strings(name, piece) if datatype == "BYTES" else _numbers(name, piece, kind)
            start += size
        if flat.size != math.prod(shape) or len(shape) > 32:
            raise invalid_argument(
                f"Input {name} must have {math.prod(shape)} elements, its shape being {shape}; "
                f"got {flat.size}"
            )
        arrays[name] = flat.reshape(shape)
    return arrays


def _numbers(name: str, piece: bytes, kind: Any) -> np.ndarray:
    if len(piece) % kind.numpy.itemsize:
        raise invalid_argument(f"The {len(piece)} bytes of input {name} are not {kind.name} values")
    return np.frombuffer(piece, kind.numpy)


def _strings(name: str, piece: bytes) -> np.ndarray:
    """Reads strings, each after its length in four bytes, little-endian."""
    found, start = [], 0
    while start < len(piece):
        size = int.from_bytes(piece[start : start + 4], "little")
        if start + 4 + size > len(piece):
            raise invalid_argument(f"The strings of input {name} are longer than its bytes")
        found.append(piece[start + 4 : start + 4 + size])
        start += 4 + size
    flat = np.empty(len(found), object)
    flat[:] = found
    return flat


def write_output(name: str, array: np.ndarray, *, binary: bool) -> tuple[dict[str, Any], bytes]:
    """Describes an output with its data, or with the bytes to append; empty bytes if none."""
    if array.dtype not in _BY_NUMPY:
        raise invalid_argument(f"Output {name} has the type {array.dtype}, which has no datatype")
    entry = {"name": name, "datatype": _BY_NUMPY[array.dtype], "shape": list(array.shape)}
    if not binary:
        return entry | {"data": array_to_json(array.ravel(), as_bytes=False)}, b""
    piece = _bytes(array)
    return entry | {"parameters": {"binary_data_size": len(piece)}}, piece


def _bytes(array: np.ndarray) -> bytes:
    if array.dtype != object:
        return array.tobytes()
    return b"".join(len(text).to_bytes(4, "little") + text for text in array.ravel().tolist())

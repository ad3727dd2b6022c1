"""A model of another project: a signature for each type, and ones to classify and to regress."""

from pathlib import Path

import tensorflow as tf

TYPES = ["float", "double", "int32", "int16", "int8", "uint8", "string", "int64", "bool"]
TYPES += ["uint32", "uint64", "half", "uint16", "bfloat16", "complex64"]

_v1 = tf.compat.v1
_signatures = _v1.saved_model.signature_def_utils
_info = _v1.saved_model.utils.build_tensor_info


def export(folder: Path) -> Path:
    """Writes the SavedModel: `float`, ... answer with their input `x`, whatever its shape."""
    with tf.Graph().as_default(), _v1.Session() as session:
        table = {name: _echo(name) for name in TYPES}
        table |= _pairs() | _for_examples()
        builder = _v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(session, ["serve"], signature_def_map=table)
        builder.save()
    return folder


def _signature(inputs: dict, outputs: dict, method: str = "tensorflow/serving/predict"):
    return _signatures.build_signature_def(
        {name: _info(tensor) for name, tensor in inputs.items()},
        {name: _info(tensor) for name, tensor in outputs.items()},
        method,
    )


def _echo(name: str):
    tensor = _v1.placeholder(tf.as_dtype(name), None, name=name)
    return _signature({"x": tensor}, {"y": tf.identity(tensor)})


def _pairs() -> dict:
    number = _v1.placeholder(tf.int32, None, name="number")
    text = _v1.placeholder(tf.string, None, name="text")
    whole = {"number": tf.identity(number), "text": tf.identity(text)}
    uneven = {"a": tf.identity(number), "b": tf.concat([number, number], 0)}
    nowhere = _signature({}, {"y": tf.constant(1.0)})
    optional = _signature({"number": number, "text": text}, whole)
    optional.defaults["text"].CopyFrom(tf.make_tensor_proto("default"))
    return {
        "pair": _signature({"number": number, "text": text}, whole),
        "bytes": _signature({"x": text}, {"y_bytes": tf.identity(text)}),
        "one_string": _signature({"x": number}, {"y": tf.constant(b"caf\xc3\xa9 \xff")}),
        "uneven": _signature({"x": number}, uneven),
        "no_inputs": nowhere,
        "optional": optional,
        "to_half": _signature({"x": number}, {"y": tf.cast(number, tf.half)}),
        "no_method": _signature({"x": number}, {"y": tf.identity(number)}, ""),
    }


def _for_examples() -> dict:
    records = _v1.placeholder(tf.string, [None], name="records")
    other = _v1.placeholder(tf.string, [None], name="other")
    spec = {
        "v": tf.io.FixedLenFeature([], tf.float32, 0.0),
        "n": tf.io.FixedLenFeature([], tf.int64, 0),
        "s": tf.io.FixedLenFeature([], tf.string, "none"),
    }
    read = tf.io.parse_example(records, spec)
    value = read["v"] + tf.cast(read["n"], tf.float32)
    scores = tf.stack([value, 1.0 - value], 1)
    labels = tf.stack([read["s"], tf.fill(tf.shape(read["s"]), "other")], 1)
    classify, regress = "tensorflow/serving/classify", "tensorflow/serving/regress"

    def of(outputs: dict, method: str, **inputs):
        return _signature(inputs or {"inputs": records}, outputs, method)

    return {
        "classify": of({"classes": labels, "scores": scores}, classify),
        "scores": of({"scores": scores}, classify),
        "flat_scores": of({"scores": value}, classify),
        "wrong_scores": of({"scores": tf.cast(scores, tf.float64)}, classify),
        "no_scores": of({"other": scores}, classify),
        "named_x": of({"scores": scores}, classify, x=records),
        "two_inputs": of({"scores": scores}, classify, inputs=records, other=other),
        "one_score": of({"scores": scores[:1]}, classify),
        "regress": of({"outputs": value}, regress),
        "column": of({"outputs": value[:, None]}, regress),
        "wide": of({"outputs": scores}, regress),
        "whole_numbers": of({"outputs": read["n"]}, regress),
        "no_outputs": of({"y": value}, regress),
        "elsewhere": of({"outputs": tf.strings.to_number(other)}, regress, inputs=other),
    }

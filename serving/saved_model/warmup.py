"""The warm-up file of a SavedModel: requests that a server runs before a version is available.

The first request to each signature pays for the optimisation of its graph, seconds instead of
milliseconds, and the first of each shape for allocation; the file lets the server pay instead. It
is an uncompressed TFRecord of PredictionLog, at most 1000 of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from serving import atomic
from serving.errors import UserError
from serving.protocol.tensors import as_array, write_tensor
from serving.saved_model.signatures import WARMUP_FILE

MAX_RECORDS = 1000  # TensorFlow Serving refuses a model with more


class WarmupRequest(NamedTuple):
    """One request of a warm-up file: the signature to run, and the tensors by name."""

    signature_name: str
    inputs: Mapping[str, np.ndarray]


def write_warmup(saved_model: Path, model_name: str, requests: Sequence[WarmupRequest]) -> Path:
    """Writes a SavedModel's `assets.extra/tf_serving_warmup_requests` and returns the file.

    There should be a request for every signature that clients use, and for every common shape;
    UserError for more than 1000.
    """
    if len(requests) > MAX_RECORDS:
        raise UserError(
            f"`requests` must be at most {MAX_RECORDS} warm-up requests, the most that "
            f"TensorFlow Serving reads; got {len(requests)}."
        )
    path = saved_model / WARMUP_FILE
    with atomic.replacement(path) as temporary, tf.io.TFRecordWriter(temporary) as writer:
        for signature_name, inputs in requests:
            log = prediction_log_pb2.PredictionLog()
            request = log.predict_log.request
            request.model_spec.name = model_name
            request.model_spec.signature_name = signature_name
            for name, values in inputs.items():
                write_tensor(as_array(values), request.inputs[name])
            writer.write(log.SerializeToString())
    return path


def read_warmup(saved_model: Path) -> Iterator[predict_pb2.PredictRequest]:
    """Yields a warm-up file's requests, none without a file; DataLossError if it is damaged."""
    path = saved_model / WARMUP_FILE
    if not path.exists():
        return
    records = tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    for number, record in enumerate(records):
        if number >= MAX_RECORDS:
            rule = f"Number of warmup records exceeds the maximum ({MAX_RECORDS}) at {path}"
            raise tf.errors.InvalidArgumentError(None, None, rule)
        try:
            log = prediction_log_pb2.PredictionLog.FromString(record)
        except Exception as error:
            rule = f"Failed to parse warmup record {number} of {path}"
            raise tf.errors.DataLossError(None, None, rule) from error
        if log.WhichOneof("log_type") == "predict_log":
            yield log.predict_log.request

import gzip

import numpy as np
import pytest
import tensorflow as tf

from serving.errors import UserError
from serving.protocol.tensors import read_tensor
from serving.saved_model import signatures as names
from serving.saved_model.warmup import WarmupRequest, read_warmup, write_warmup


def test_what_is_written_is_read_back(tmp_path):
    inputs = {"support_x": np.zeros((1, 2, 4), np.uint8), "support_y": [[0, 1]], "t": ["a"]}
    requests = [WarmupRequest(name, inputs) for name in (names.ADAPT_AND_PREDICT, names.ADAPT)]
    path = write_warmup(tmp_path, "m", requests)
    assert path == tmp_path / names.WARMUP_FILE
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    first, second = read_warmup(tmp_path)
    assert first.model_spec.name == "m"
    assert first.model_spec.signature_name == "serving_default"
    assert second.model_spec.signature_name == "adapt"
    np.testing.assert_array_equal(read_tensor(first.inputs["support_x"]), inputs["support_x"])


def test_a_model_without_the_file_has_no_requests(tmp_path):
    assert list(read_warmup(tmp_path)) == []


def test_a_compressed_file_is_data_loss_as_in_tensorflow_serving(tmp_path):
    path = write_warmup(tmp_path, "m", [WarmupRequest("s", {"x": np.zeros(3, np.float32)})])
    path.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(tf.errors.DataLossError):
        list(read_warmup(tmp_path))


def test_more_than_a_thousand_requests_are_refused(tmp_path):
    with pytest.raises(UserError, match="at most 1000"):
        write_warmup(tmp_path, "m", [WarmupRequest("s", {})] * 1001)
    path = write_warmup(tmp_path, "m", [WarmupRequest("s", {})] * 600)
    path.write_bytes(path.read_bytes() * 2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="exceeds the maximum"):
        list(read_warmup(tmp_path))

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from serving.protocol import messages
from serving.protocol.tensors import as_array, read_tensor, write_tensor

NUMBERS = ["float32", "float64", "float16", "int8", "int16", "int32", "int64"]
NUMBERS += ["uint8", "uint16", "uint32", "uint64"]
ARRAYS = [np.arange(6).reshape(2, 3).astype(dtype) for dtype in [*NUMBERS, "bool"]] + [
    np.array(2.5, np.float32),
    np.zeros((0, 3), np.uint8),
    np.array([-1, 2**31 - 1], np.int32),
    np.array([np.nan, np.inf], np.float32),
    np.zeros((300, 200), np.float32),
    np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
    as_array([["a", "é"], [b"\xff\0", ""]]),
]


@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize("array", ARRAYS, ids=str)
def test_what_is_written_is_read_back_and_is_what_tensorflow_reads(array, typed):
    proto = messages.TensorProto()
    write_tensor(array, proto, typed=typed)
    back = read_tensor(proto)
    assert back.dtype == array.dtype and back.shape == array.shape
    np.testing.assert_array_equal(back, array)
    theirs = tf.make_ndarray(tensor_pb2.TensorProto.FromString(proto.SerializeToString()))
    assert theirs.shape == array.shape
    np.testing.assert_array_equal(theirs, array)


@pytest.mark.parametrize("array", ARRAYS, ids=str)
def test_what_tensorflow_writes_is_read(array):
    theirs = tf.make_tensor_proto(array)
    np.testing.assert_array_equal(read_tensor(theirs), array)


def test_the_last_of_too_few_values_is_repeated_and_absent_ones_are_zero():
    proto = messages.TensorProto(dtype=3, int_val=[1, 7])
    proto.tensor_shape.dim.add().size = 4
    np.testing.assert_array_equal(read_tensor(proto), [1, 7, 7, 7])
    del proto.int_val[:]
    np.testing.assert_array_equal(read_tensor(proto), [0, 0, 0, 0])


def broken(**changes):
    proto = messages.TensorProto(dtype=1, tensor_content=b"\0" * 8)
    proto.tensor_shape.dim.add().size = 2
    for name, value in changes.items():
        setattr(proto, name, value)
    return proto


def huge():
    proto = broken(tensor_content=b"")
    proto.tensor_shape.dim[0].size = 2**62
    proto.tensor_shape.dim.add().size = 2**62
    return proto


@pytest.mark.parametrize(
    "proto",
    [
        broken(dtype=0),
        broken(dtype=99),
        broken(tensor_content=b"123"),
        broken(tensor_content=b"", dtype=3, version_number=0).__class__(
            dtype=1, float_val=[1.0, 2.0]
        ),
        huge(),
    ],
)
def test_what_is_no_tensor_is_a_value_error(proto):
    with pytest.raises(ValueError):
        read_tensor(proto, max_bytes=1000)


def test_negative_and_too_many_dimensions_are_refused():
    negative, deep = broken(), broken()
    negative.tensor_shape.dim[0].size = -1
    for _ in range(40):
        deep.tensor_shape.dim.add().size = 1
    for proto in (negative, deep):
        with pytest.raises(ValueError, match="dimension"):
            read_tensor(proto)

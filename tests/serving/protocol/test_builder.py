"""The home-made messages against the generated ones: the same bytes."""

import pytest
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, model_pb2, predict_pb2

from serving.protocol import messages
from serving.protocol.builder import build_messages


@pytest.mark.parametrize(
    "ours, theirs",
    [
        (messages.PredictRequest, predict_pb2.PredictRequest),
        (messages.PredictResponse, predict_pb2.PredictResponse),
        (messages.TensorProto, tensor_pb2.TensorProto),
        (messages._API["ModelSpec"], model_pb2.ModelSpec),
        (messages.GetModelMetadataRequest, get_model_metadata_pb2.GetModelMetadataRequest),
        (messages.SignatureDefMap, get_model_metadata_pb2.SignatureDefMap),
    ],
)
def test_every_field_has_the_number_and_kind_of_the_generated_one(ours, theirs):
    generated = theirs.DESCRIPTOR.fields_by_name
    for field in ours.DESCRIPTOR.fields:
        twin = generated[field.name]
        same_wire = {twin.type, field.type} == {twin.TYPE_ENUM, field.TYPE_INT32}
        assert field.number == twin.number and field.label == twin.label
        assert field.type == twin.type or same_wire


def test_bytes_are_read_by_the_generated_message():
    ours = messages.PredictRequest(output_filter=["predictions"])
    ours.model_spec.name = "m"
    ours.model_spec.version.value = 3
    ours.inputs["x"].float_val.extend([1.0, 2.0])
    theirs = predict_pb2.PredictRequest.FromString(ours.SerializeToString())
    assert theirs.model_spec.name == "m" and theirs.model_spec.version.value == 3
    assert list(theirs.inputs["x"].float_val) == [1.0, 2.0]


def test_a_line_that_is_no_field_is_refused():
    with pytest.raises(ValueError, match="not a field"):
        build_messages("test.broken", "A { optional int64 x }")

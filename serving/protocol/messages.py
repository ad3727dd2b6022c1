"""The messages that the client exchanges with TensorFlow Serving, and the server's text files.

Field names and numbers are those of tensorflow/core and tensorflow_serving/apis. Only the fields in
use are declared: parsers of protocol buffers skip unknown fields.
"""

from serving.protocol.builder import build_messages

_API = build_messages(
    "fewshot.tensorflow_serving",
    """
    Int64Value { int64 value = 1 }
    Any { string type_url = 1; bytes value = 2 }
    Dim { int64 size = 1; string name = 2 }
    TensorShapeProto { repeated Dim dim = 2; bool unknown_rank = 3 }
    TensorProto {
      int32 dtype = 1; TensorShapeProto tensor_shape = 2; int32 version_number = 3;
      bytes tensor_content = 4; repeated int32 half_val = 13; repeated float float_val = 5;
      repeated double double_val = 6; repeated int32 int_val = 7; repeated bytes string_val = 8;
      repeated int64 int64_val = 10; repeated bool bool_val = 11; repeated uint32 uint32_val = 16;
      repeated uint64 uint64_val = 17
    }
    TensorInfo { string name = 1; int32 dtype = 2; TensorShapeProto tensor_shape = 3 }
    SignatureDef {
      map<string, TensorInfo> inputs = 1; map<string, TensorInfo> outputs = 2;
      string method_name = 3
    }
    SignatureDefMap { map<string, SignatureDef> signature_def = 1 }
    ModelSpec {
      string name = 1; Int64Value version = 2; string signature_name = 3; string version_label = 4
    }
    PredictRequest {
      ModelSpec model_spec = 1; map<string, TensorProto> inputs = 2;
      repeated string output_filter = 3
    }
    PredictResponse { map<string, TensorProto> outputs = 1; ModelSpec model_spec = 2 }
    GetModelMetadataRequest { ModelSpec model_spec = 1; repeated string metadata_field = 2 }
    GetModelMetadataResponse { ModelSpec model_spec = 1; map<string, Any> metadata = 2 }
    BytesList { repeated bytes value = 1 }
    FloatList { repeated float value = 1 }
    Int64List { repeated int64 value = 1 }
    Feature { BytesList bytes_list = 1; FloatList float_list = 2; Int64List int64_list = 3 }
    Features { map<string, Feature> feature = 1 }
    Example { Features features = 1 }
    ExampleList { repeated Example examples = 1 }
    ExampleListWithContext { repeated Example examples = 1; Example context = 2 }
    Input { ExampleList example_list = 1; ExampleListWithContext example_list_with_context = 2 }
    """,
)

TensorProto = _API["TensorProto"]
SignatureDefMap = _API["SignatureDefMap"]
PredictRequest = _API["PredictRequest"]
PredictResponse = _API["PredictResponse"]
GetModelMetadataRequest = _API["GetModelMetadataRequest"]
GetModelMetadataResponse = _API["GetModelMetadataResponse"]
Input = _API["Input"]
Feature = _API["Feature"]

_FILES = build_messages(
    "fewshot.server_files",
    """
    Int64Value { int64 value = 1 }
    StringValue { string value = 1 }
    BoolValue { bool value = 1 }
    BatchingParameters {
      Int64Value max_batch_size = 1; Int64Value batch_timeout_micros = 2;
      Int64Value max_enqueued_batches = 3; Int64Value num_batch_threads = 4;
      StringValue thread_pool_name = 5; repeated int64 allowed_batch_sizes = 6;
      bool pad_variable_length_inputs = 7; BoolValue enable_large_batch_splitting = 8;
      Int64Value max_execution_batch_size = 9
    }
    SSLConfig {
      string server_key = 1; string server_cert = 2; string custom_ca = 3; bool client_verify = 4
    }
    PrometheusConfig { bool enable = 1; string path = 2 }
    MonitoringConfig { PrometheusConfig prometheus_config = 1 }
    """,
)

BatchingParameters = _FILES["BatchingParameters"]
SSLConfig = _FILES["SSLConfig"]
MonitoringConfig = _FILES["MonitoringConfig"]

"""The log of requests: what is written of which requests, for which models."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import requests
from tensorflow_serving.apis import classification_pb2, inference_pb2

from components.episode_gen.options import DataOptions
from components.episode_gen.sources import open_source
from serving.client import FewShotClient
from serving.errors import UserError
from serving.model_server.model_config import parse_config, read_config_file
from serving.model_server.options import ServerOptions, read_text_proto
from serving.model_server.request_log.target import folder_target
from serving.protocol.status import StatusError
from serving.protocol.tensors import read_tensor
from serving.request_log.files import find_log_files, read_records
from serving.saved_model import signatures as names
from tests.serving.model_server import foreign_model
from tests.serving.model_server.endpoints import as_lists, endpoint, predict_request
from tests.serving.nearest_centroid import episode, png

EPISODE = episode()


def records(folder: Path) -> list:
    return [record for path in find_log_files(folder) for record in read_records(path)]


def inputs(record) -> dict:
    tensors = record.predict_log.request.inputs
    return {name: read_tensor(tensor) for name, tensor in tensors.items()}


def test_nothing_is_logged_by_default(start, base_path, tmp_path):
    assert ServerOptions().log_requests == ""
    server = start(model_base_path=str(base_path), model_name="m")
    endpoint(server).predict(predict_request(EPISODE, model="m"))
    server.stop()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["models"]


def test_grpc_rest_and_open_inference_are_logged_alike(start, base_path, tmp_path):
    folder = tmp_path / "log"
    server = start(model_base_path=str(base_path), model_name="m", log_requests=str(folder))
    served = endpoint(server)
    reply = served.predict(predict_request(EPISODE, model="m"))
    served.post("/v1/models/m:predict", {"inputs": as_lists(EPISODE)})
    tensors = [
        {"name": name, "shape": array.shape, "datatype": kind, "data": array.ravel().tolist()}
        for (name, array), kind in zip(sorted(EPISODE.items()), ("UINT8", "UINT8", "INT32"))
    ]
    status, _ = served.post("/v2/models/m/infer", {"inputs": tensors})
    assert status == 200
    assert served.post("/v1/models/m:predict", {"inputs": {}})[0] == 400  # no answer, no log
    metrics = requests.get(f"{served.url}/monitoring/prometheus/metrics", timeout=30).text
    assert ":fewshot:serving:request_log_dropped_queue_full 0\n" in metrics
    files = [[png(image) for image in EPISODE[names.SUPPORT_X][0, :2]]]
    strings = {names.SUPPORT_X: files, names.SUPPORT_LABELS: [["a", "ü"]], names.QUERY_X: files}
    served.predict(predict_request(strings, model="m", signature=names.ENCODED))
    server.stop()
    *logged, encoded = records(folder)
    assert len(logged) == 3
    assert encoded.log_metadata.model_spec.signature_name == names.ENCODED
    assert inputs(encoded)[names.SUPPORT_X].tolist() == files
    assert inputs(encoded)[names.SUPPORT_LABELS].tolist() == [[b"a", "ü".encode()]]
    for record in logged:
        assert record.WhichOneof("log_type") == "predict_log"
        assert record.log_metadata.model_spec == reply.model_spec
        assert record.log_metadata.sampling_config.sampling_rate == 1.0
        assert list(record.log_metadata.saved_model_tags) == ["serve"]
        assert record.predict_log.response.model_spec == reply.model_spec
        for name, array in inputs(record).items():
            np.testing.assert_array_equal(array, EPISODE[name])
        given = read_tensor(record.predict_log.response.outputs[names.PROBABILITIES])
        np.testing.assert_array_equal(given, read_tensor(reply.outputs[names.PROBABILITIES]))
    (path,) = find_log_files(folder)
    assert path.parent.name == "m" and not path.name.startswith(".")
    assert path.stat().st_mode & 0o77 == 0 and folder.stat().st_mode & 0o77 == 0


def test_requests_of_examples_are_logged(start, tmp_path):
    foreign_model.export(tmp_path / "models" / "3")
    folder = tmp_path / "log"
    server = start(
        model_base_path=str(tmp_path / "models"), model_name="m", log_requests=str(folder)
    )
    served, example = endpoint(server), {"v": 2.5}
    for verb in ("classify", "regress"):
        body = {"signature_name": verb, "examples": [example]}
        assert served.post(f"/v1/models/m:{verb}", body)[0] == 200
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name, request.model_spec.signature_name = "m", "classify"
    record = request.input.example_list.examples.add()
    record.features.feature["v"].float_list.value.append(2.5)
    served.call("PredictionService/Classify", request.SerializeToString())
    several = inference_pb2.MultiInferenceRequest(input=request.input)
    several.tasks.add(method_name="tensorflow/serving/regress").model_spec.name = "m"
    several.tasks[0].model_spec.signature_name = "regress"
    served.call("PredictionService/MultiInference", several.SerializeToString())
    server.stop()
    logged = records(folder)
    kinds = ["classify_log", "regress_log", "classify_log", "multi_inference_log"]
    assert [record.WhichOneof("log_type") for record in logged] == kinds
    assert logged[0].classify_log == logged[2].classify_log
    assert logged[1].regress_log.response.result.regressions[0].value == 2.5
    assert logged[3].multi_inference_log.request == several
    assert {record.log_metadata.model_spec.version.value for record in logged} == {3}


def test_the_support_sets_of_a_log_are_class_data(start, base_path, tmp_path):
    folder = tmp_path / "log"
    server = start(model_base_path=str(base_path), model_name="m", log_requests=str(folder))
    x, y = EPISODE[names.SUPPORT_X][0], EPISODE[names.SUPPORT_Y][0]
    named = {f"class {label}": list(x[y == label]) for label in sorted(set(y.tolist()))}
    for address in (f"localhost:{server.port}", f"http://localhost:{server.rest_port}"):
        with FewShotClient.connect(address, "m") as client:
            client.classify(named, list(EPISODE[names.QUERY_X][0]))
    server.stop()
    source = open_source(DataOptions(source="served", path=str(folder), image_size=4))
    classes = defaultdict(set)
    stored = {one.example_id: one.content for part in source.parts() for one in source.read(part)}
    for entry in source.catalogue():
        classes[entry.class_name].add(stored[entry.example_id])
    assert sorted(map(sorted, classes.values())) == sorted(
        sorted(example.tobytes() for example in examples) for examples in named.values()
    )


def config(base_path, *logging_config):
    return (
        "model_config_list { "
        + " ".join(
            f"config {{ name: '{name}' base_path: '{base_path}' model_platform: 'tensorflow' "
            f"{text} }}"
            for name, text in zip("ab", logging_config)
        )
        + " }"
    )


def test_each_model_has_the_log_of_its_configuration(start, base_path, tmp_path):
    def of(name, rate):
        return (
            f"logging_config {{ log_collector_config {{ type: 'tfrecord' filename_prefix: "
            f"'{tmp_path}/{name}' }} sampling_config {{ sampling_rate: {rate} }} }}"
        )

    file = tmp_path / "models.config"
    file.write_text(config(base_path, of("own/a", 1.0), ""))
    server = start(model_config_file=str(file), log_requests=str(tmp_path / "others"))
    for name in "ab":
        endpoint(server).predict(predict_request(EPISODE, model=name))
    file.write_text(config(base_path, of("own/a", 0.0), ""))
    server.manager.configure(read_config_file(str(file)))
    endpoint(server).predict(predict_request(EPISODE, model="a"))
    server.stop()
    (own,) = find_log_files(tmp_path / "own")
    assert len(records(tmp_path / "own")) == 1
    (other,) = find_log_files(tmp_path / "others")
    assert own.name.startswith("a-2") and other.parent.name == "b"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("log_collector_config { type: 'x' filename_prefix: '/a' }", "Factory for type: x"),
        ("log_collector_config { filename_prefix: 'gs://a/b' }", "absolute path of this machine"),
        ("sampling_config { sampling_rate: 1 }", "as filename_prefix; got ''"),
        (
            "log_collector_config { filename_prefix: '/a' } sampling_config { sampling_rate: 50 }",
            "from 0 to 1; got 50",
        ),
    ],
)
def test_a_logging_config_that_cannot_be_followed(tmp_path, text, sentence):
    from tensorflow_serving.config import model_server_config_pb2

    path = tmp_path / "models.config"
    path.write_text(config("/m", f"logging_config {{ {text} }}"))
    empty = model_server_config_pb2.ModelServerConfig()
    with pytest.raises(StatusError, match=sentence):
        parse_config(read_text_proto(str(path), empty, "model_config_file"))


def test_wrong_options_are_refused(start, base_path, tmp_path):
    for rate in (-0.1, 1.1, float("nan")):
        with pytest.raises(UserError, match="`--log-sampling-rate` must be the share"):
            ServerOptions(log_sampling_rate=rate)
    with pytest.raises(UserError, match="`--log-max-bytes` must be more than 0"):
        ServerOptions(log_max_bytes=0)
    with pytest.raises(UserError, match="must be a folder of this machine"):
        ServerOptions(log_requests="gs://a/b")
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="must be a folder that the server may write to"):
        start(model_base_path=str(base_path), log_requests=str(tmp_path / "file"))


@pytest.mark.parametrize("model", ["..", "a/b", ".", "../x"])
def test_no_name_of_a_model_leads_out_of_the_folder(model, tmp_path):
    prefix = folder_target(str(tmp_path), model, 1.0).prefix
    assert prefix.parent.parent == tmp_path and prefix.parent.resolve().parent == tmp_path

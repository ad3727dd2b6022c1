"""What the backend drops or adds is converted before TFX reads it."""

import pytest

from pipeline.kubeflow.executor_input import ROOT_VARIABLE, from_tfx, local_path, to_tfx
from serving.errors import UserError

TYPE = {"instanceSchema": "title: tfx.Model\ntype: object\n"}
LOG = {"uri": "s3://bucket/log", "type": {"schemaTitle": "system.Artifact"}}
INPUTS_SPEC = {"artifacts": {"model": {"artifactType": TYPE}}}


def executor_input(**parameters):
    return {
        "inputs": {
            "parameterValues": parameters,
            "artifacts": {
                "model": {
                    "artifacts": [
                        {
                            "name": "12",
                            "uri": "minio://mlpipeline/v2/a/model",
                            "type": {"instanceSchema": ""},
                            "metadata": {
                                "blessed": 1.0,
                                "display_name": "model",
                                "store_session_info": "{}",
                            },
                        }
                    ]
                }
            },
        },
        "outputs": {
            "artifacts": {
                "blessing": {
                    "artifacts": [{"uri": "s3://bucket/b?region=x", "type": TYPE, "metadata": {}}]
                },
                "executor-logs": {
                    "artifacts": [
                        {"uri": "s3://bucket/log", "type": {"schemaTitle": "system.Artifact"}}
                    ]
                },
            },
            "outputFile": "/tmp/out.json",
        },
    }


def test_types_locations_and_metadata_are_to_tfx():
    result = to_tfx(executor_input(), INPUTS_SPEC, declared_types={})
    (model,) = result["inputs"]["artifacts"]["model"]["artifacts"]
    assert model["type"] == TYPE
    assert model["uri"] == "/minio/mlpipeline/v2/a/model"
    assert model["metadata"] == {"blessed": 1.0}
    assert list(result["outputs"]["artifacts"]) == ["blessing"]
    assert result["outputs"]["artifacts"]["blessing"]["artifacts"][0]["uri"] == "/s3/bucket/b"


def test_outputs_are_reported_where_the_backend_knows_them():
    output = {
        "artifacts": {"blessing": {"artifacts": [{"uri": "/s3/bucket/b", "metadata": {"x": 1}}]}}
    }
    found = from_tfx(output, executor_input())["artifacts"]["blessing"]["artifacts"]
    assert found == [{"uri": "s3://bucket/b?region=x", "metadata": {"x": 1}}]


def test_inputs_keep_what_an_orchestrator_gives_a_type_of_kfp_s():
    given = executor_input()
    model = given["inputs"]["artifacts"]["model"]["artifacts"][0]
    model["type"] = {"schemaTitle": "system.Artifact"}  # as KFP's local one does
    made = to_tfx(given, INPUTS_SPEC, declared_types={})
    assert made["inputs"]["artifacts"]["model"]["artifacts"][0]["type"] == TYPE


def test_no_path_of_the_step_s_own_disk_is_reported():
    given = executor_input()
    made = to_tfx(given, INPUTS_SPEC, declared_types={})
    model = made["inputs"]["artifacts"]["model"]["artifacts"][0]["uri"]
    blessing = made["outputs"]["artifacts"]["blessing"]["artifacts"][0]
    blessing |= {"metadata": {"current_model": model, "pushed_destination": "/fewshot/x", "n": 1}}
    reported = from_tfx({"artifacts": {"blessing": {"artifacts": [blessing]}}}, given)
    assert reported["artifacts"]["blessing"]["artifacts"][0]["metadata"] == {
        "current_model": "minio://mlpipeline/v2/a/model",
        "pushed_destination": "/fewshot/x",
        "n": 1,
    }


def test_lists_dicts_and_bools_are_as_declared():
    given = executor_input(names='["a", "b"]', options='{"k": 1}', flag=0.0, other=1.0)
    kinds = {"names": "list", "options": "dict", "flag": "bool", "absent": "bool"}
    values = to_tfx(given, INPUTS_SPEC, declared_types=kinds)["inputs"]["parameterValues"]
    assert values == {"names": ["a", "b"], "options": {"k": 1}, "flag": False, "other": 1.0}
    assert values["flag"] is False


def test_run_time_parameters_are_put_in_their_places():
    config = '{"data": {"path": null, "data_dir": null}, "episodes": {"seed": 0, "ways": 5}}'
    given = executor_input(
        config_json=config, data_fingerprint="", runtime_seed=3.0, runtime_data_location="/data"
    )
    values = to_tfx(given, INPUTS_SPEC, declared_types={})["inputs"]["parameterValues"]
    assert values == {
        "config_json": '{"data": {"path": null, "data_dir": "/data"}, '
        '"episodes": {"seed": 3, "ways": 5}}',
        "data_fingerprint": "",
    }


def test_the_configured_learner_keeps_its_options_and_another_has_its_own():
    section = '{"learner": {"name": "maml", "inner_steps": 3}}'
    for name, expected in (("maml", section), ("protonet", '{"learner": {"name": "protonet"}}')):
        given = executor_input(custom_config=section, runtime_learner=name)
        values = to_tfx(given, INPUTS_SPEC, declared_types={})["inputs"]["parameterValues"]
        assert values == {"custom_config": expected}
    with pytest.raises(UserError, match="'magic'"):
        to_tfx(
            executor_input(custom_config=section, runtime_learner="magic"),
            INPUTS_SPEC,
            declared_types={},
        )


def test_a_threshold_of_0_is_none():
    given = executor_input(config_json='{"threshold": 0.9}', runtime_threshold=0.0)
    values = to_tfx(given, INPUTS_SPEC, declared_types={})["inputs"]["parameterValues"]
    assert values == {"config_json": '{"threshold": null}'}


def test_locations(monkeypatch, tmp_path):
    assert local_path("/plain/path") == "/plain/path"
    assert local_path("gs://bucket/a") == "/gcs/bucket/a"
    assert local_path("gs://bucket/a", direct=True) == "gs://bucket/a"
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path))
    assert local_path("minio://bucket/a") == f"{tmp_path}/minio/bucket/a"

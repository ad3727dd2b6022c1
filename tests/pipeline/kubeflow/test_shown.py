"""Kubeflow's pages draw the evaluator's report and figures."""

import json

from pipeline.kubeflow.executor_input import ROOT_VARIABLE, from_tfx, to_tfx
from pipeline.kubeflow.shown import shown_outputs

METRICS = {
    "accuracy": 0.91,
    "ci95": 0.004,
    "episodes": 600,
    "threshold": None,
    "blessed": True,
    "baselines": {"nearest_centroid": 0.4},
}


def test_the_evaluator_has_outputs_of_the_types_that_are_drawn(documents):
    outputs = documents[0]["components"]["comp-few-shot-evaluator"]["outputDefinitions"]
    titles = {k: v["artifactType"].get("schemaTitle") for k, v in outputs["artifacts"].items()}
    assert titles == {
        "blessing": None,
        "evaluation": None,
        "figures": "system.Metrics",
        "html_report": "system.HTML",
    }


def given(documents):
    """The ExecutorInput of the evaluator's step, as the backend's driver makes it."""
    outputs = documents[0]["components"]["comp-few-shot-evaluator"]["outputDefinitions"]
    artifacts = {
        name: {"artifacts": [{"uri": f"minio://b/{name}", "type": definition["artifactType"]}]}
        for name, definition in outputs["artifacts"].items()
    }
    return {"outputs": {"artifacts": artifacts, "outputFile": "/tmp/o.json"}}


def test_they_are_filled_from_those_of_tfx_which_never_sees_them(documents, tmp_path, monkeypatch):
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path))
    executor_input = given(documents)
    local = to_tfx(executor_input, {}, declared_types={})["outputs"]["artifacts"]
    assert set(local) == {"blessing", "evaluation"}

    folder = tmp_path / "minio/b/evaluation"
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps(METRICS))
    (folder / "report.html").write_text("<!DOCTYPE html>")
    output = {"artifacts": local}
    output["artifacts"] |= shown_outputs(executor_input, output, direct=False)
    reported = from_tfx(output, executor_input)["artifacts"]
    assert (tmp_path / "minio/b/html_report").read_text() == "<!DOCTYPE html>"
    assert reported["html_report"]["artifacts"][0]["uri"] == "minio://b/html_report"
    assert reported["figures"]["artifacts"][0]["metadata"] == {
        "accuracy": 0.91,
        "ci95": 0.004,
        "episodes": 600.0,
        "blessed": 1.0,
        "baseline nearest_centroid": 0.4,
    }


def test_other_steps_have_none(tmp_path):
    assert shown_outputs({"outputs": {"outputFile": "x"}}, {}, direct=False) == {}

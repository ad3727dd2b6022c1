"""Each step's entrypoint with what the backend gives it: no types, object storage, extras."""

import json
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest

from pipeline import kubeflow_entrypoint as entrypoint
from pipeline.kubeflow import mistakes, run_executor
from pipeline.kubeflow.executor_input import ROOT_VARIABLE
from serving.errors import UserError

SHORT = (
    "episodes.queries=2",
    "episodes.train_queries=2",
    "episodes.counts={train: 16, eval: 4, test: 600}",
    "training.steps=2",
    "training.episodes_per_step=2",
    "training.eval_every=2",
    "training.eval_episodes=4",
    "training.jit_compile=false",
    "evaluation.episodes=600",
    "evaluation.curve_episodes=2",
    "evaluation.threshold=0.05",
    "evaluation.must_beat_baselines=false",
    "evaluation.baseline_episodes=20",
    "kubeflow.volume=null",
)


class Backend:
    """As the backend and its launcher: artifacts lose their types and gain metadata."""

    types: ClassVar[dict] = {"instanceSchema": ""}

    def __init__(self, spec, root):
        self.spec, self.root = spec, root
        self.outputs = {}
        self.runs = 0

    def run(self):
        """Runs all steps; artifacts of each run have places of their own."""
        self.runs += 1
        tasks, done = self.spec["root"]["dag"]["tasks"], set()
        while left := {k: t for k, t in tasks.items() if k not in done}:
            ready = [k for k, t in left.items() if set(t.get("dependentTasks", ())) <= done]
            for name in ready:
                self.step(name, tasks[name])
                done.add(name)

    def step(self, name, task):
        component = self.spec["components"][task["componentRef"]["name"]]
        container = self.spec["deploymentSpec"]["executors"][component["executorLabel"]][
            "container"
        ]
        output_file = self.root / f"run-{self.runs}" / name / "output.json"
        executor_input = {
            "inputs": self.inputs(task),
            "outputs": self.named_outputs(name, component) | {"outputFile": str(output_file)},
        }
        arguments = [json.dumps(executor_input) if a == "{{$}}" else a for a in container["args"]]
        assert entrypoint.main(arguments) == 0, name
        written = json.loads(output_file.read_text())["artifacts"]
        for key, found in written.items():
            (artifact,) = found["artifacts"]
            assert artifact["uri"].startswith("minio://")
            self.outputs[name, key] = artifact

    def inputs(self, task):
        given = task.get("inputs", {})
        declared = self.spec["root"]["inputDefinitions"]["parameters"]
        parameters = {
            key: declared[source["componentInputParameter"]]["defaultValue"]
            if "componentInputParameter" in source
            else source["runtimeValue"]["constant"]
            for key, source in given.get("parameters", {}).items()
        }
        artifacts = {}
        for key, source in given.get("artifacts", {}).items():
            source = source["taskOutputArtifact"]
            artifact = dict(self.outputs[source["producerTask"], source["outputArtifactKey"]])
            artifact["name"] = str(len(artifacts) + 1)
            artifact["type"] = self.types
            artifact["metadata"] = artifact.get("metadata", {}) | {
                "display_name": key,
                "store_session_info": "{}",
            }
            artifacts[key] = {"artifacts": [artifact]}
        return {"parameterValues": parameters, "artifacts": artifacts}

    def named_outputs(self, name, component):
        artifacts = {
            key: {
                "artifacts": [
                    {
                        "uri": f"minio://mlpipeline/v2/run-{self.runs}/{name}/{key}",
                        "type": definition["artifactType"],
                    }
                ]
            }
            for key, definition in component["outputDefinitions"]["artifacts"].items()
        }
        artifacts["executor-logs"] = {
            "artifacts": [{"uri": f"minio://x/{name}", "type": {"schemaTitle": "system.Artifact"}}]
        }
        return {"artifacts": artifacts}


@pytest.mark.cluster
def test_every_step_runs_on_what_the_backend_gives_it(tmp_path, monkeypatch):
    from pipeline.config import load_config
    from pipeline.kubeflow_runner import compile_pipeline

    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path / "root"))
    config = load_config(
        "pipeline/configs/glyphs_5w1s.yaml", [*SHORT, f"kubeflow.shared_dir={tmp_path}/shared"]
    )
    spec, _ = compile_pipeline(config, "registry.example/fewshot:1")
    backend = Backend(spec, tmp_path)
    backend.run()
    pushed = backend.outputs["pusher", "pushed_model"]["metadata"]
    assert pushed["pushed"] == 1
    blessing = backend.outputs["few-shot-evaluator", "blessing"]["metadata"]
    assert blessing["current_model"] == "minio://mlpipeline/v2/run-1/trainer/model"
    assert blessing["current_model_id"] == "2"  # the artifact's name at the backend
    figures = backend.outputs["few-shot-evaluator", "figures"]["metadata"]
    assert figures["episodes"] == 600 and 0 <= figures["baseline nearest_centroid"] <= 1
    page = tmp_path / "root/minio/mlpipeline/v2/run-1/few-shot-evaluator/html_report"
    assert page.read_text().startswith("<!DOCTYPE html>")
    record = tmp_path / "root/minio/mlpipeline/v2/run-1/episode-gen/examples/episodes.json"
    hashed = backend.outputs["episode-gen", "examples"]["metadata"]["splits_hash"]
    assert json.loads(record.read_text())["splits_hash"] == hashed

    # A second run is compared with the model that the first one pushed.
    backend.run()
    metrics = tmp_path / "root/minio/mlpipeline/v2/run-2/few-shot-evaluator/evaluation"
    compared = json.loads((metrics / "metrics.json").read_text())["baseline_model"]
    assert compared["uri"] == pushed["pushed_destination"]
    assert "not_comparable" not in compared


def test_a_user_s_mistake_is_status_2_and_one_sentence(capsys):
    given = {
        "inputs": {
            "parameterValues": {
                "custom_config": '{"learner": {"name": "maml"}}',
                "runtime_learner": "magic",
            }
        },
        "outputs": {"outputFile": "/nonexistent/output.json"},
    }
    arguments = [
        "--executor_class_path=x.Y",
        "--json_serialized_invocation_args",
        json.dumps(given),
    ]
    assert entrypoint.main(arguments) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1 and "'magic'" in said[0]


@pytest.fixture
def attempt(tmp_path, monkeypatch, capsys):
    """Runs a step with a user's mistake: (status, what it said, whether the executor ran)."""
    monkeypatch.setenv(mistakes.FOLDER, str(tmp_path / "shared/.mistakes"))
    monkeypatch.delenv(mistakes.INDEX, raising=False)
    ran = []

    def run(*_, **__):
        ran.append(1)
        raise UserError("The data are wrong.")

    monkeypatch.setattr(entrypoint, "run_executor", run)

    def attempt(index=None, run="run-1"):
        ran.clear()
        if index is not None:
            monkeypatch.setenv(mistakes.INDEX, str(index))
        uris = {"examples": f"minio://b/{run}/examples", "executor-logs": f"minio://b/log-{index}"}
        outputs = {name: {"artifacts": [{"uri": uri}]} for name, uri in uris.items()}
        given = {"outputs": {"artifacts": outputs, "outputFile": "/tmp/o.json"}}
        arguments = ["--executor_class_path=x.Y", "--json_serialized_invocation_args"]
        status = entrypoint.main([*arguments, json.dumps(given)])
        return status, capsys.readouterr().err, bool(ran)

    return attempt


SAID = "error: The data are wrong.\n"


def test_a_retry_after_a_user_s_mistake_says_the_same_without_running(attempt):
    assert attempt(0) == (2, SAID, True)
    assert attempt(1, "run-2") == (2, SAID, True), "another run has its own"
    assert [attempt(1), attempt(2), attempt(3)] == [(2, SAID, False)] * 3
    # The user retries the run: the first attempt again, for the mistake may be corrected.
    assert attempt(0) == (2, SAID, True)


def test_a_backend_that_does_not_number_attempts_repeats_a_sentence_once(attempt):
    assert attempt() == (2, SAID, True)
    assert attempt() == (2, SAID, False)
    assert attempt() == (2, SAID, True), "a user who has corrected the mistake"


@pytest.mark.parametrize("folder", ["", "/proc/x"])
def test_without_a_folder_each_attempt_runs(attempt, monkeypatch, folder):
    monkeypatch.setenv(mistakes.FOLDER, folder)
    assert [attempt(0), attempt(1)] == [(2, SAID, True)] * 2


def test_the_entrypoint_itself_imports_no_tensorflow():
    heavy = (
        "import pipeline.kubeflow_entrypoint, sys; print({'tfx', 'tensorflow'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n", "a retry must end within seconds"


def test_what_fails_is_status_1_and_nothing_is_reported(tmp_path, capsys):
    given = {"inputs": {}, "outputs": {"outputFile": str(tmp_path / "output.json")}}
    arguments = [
        "--executor_class_path=nowhere.Executor",
        "--json_serialized_invocation_args",
        json.dumps(given),
    ]
    assert entrypoint.main(arguments) == 1
    assert "nowhere" in capsys.readouterr().err
    assert not (tmp_path / "output.json").exists()


def test_class_data_in_object_storage_are_fetched(tmp_path):
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/classes/cat/1.png", b"one")
    memory.pipe("/classes/dog/2.png", b"two")
    given = {"config_json": json.dumps({"data": {"path": "memory://classes", "data_dir": None}})}
    folder = json.loads(run_executor.with_local_data(given)["config_json"])["data"]["path"]
    found = {str(p.relative_to(folder)): p.read_bytes() for p in Path(folder).rglob("*.png")}
    assert found == {"cat/1.png": b"one", "dog/2.png": b"two"}

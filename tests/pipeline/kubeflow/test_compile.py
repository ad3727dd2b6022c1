import base64
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.config import load_config
from pipeline.kubeflow import mistakes, own_parts
from pipeline.kubeflow.linter import lint
from pipeline.kubeflow.parameters import PARAMETERS
from pipeline.kubeflow_runner import compile_pipeline
from serving.errors import UserError

CONFIG, IMAGE = "pipeline/configs/glyphs_5w1s.yaml", "registry.example/fewshot:1"
SHIPPED = sorted(Path("pipeline/configs").glob("*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_configuration_compiles_and_loads(path):
    from kfp import components

    documents = compile_pipeline(load_config(path), IMAGE)
    assert lint(documents) == []
    loaded = components.load_component_from_text(yaml.safe_dump_all(documents))
    assert loaded.pipeline_spec.schema_version == "2.1.0"


def test_no_step_needs_what_the_backend_lacks(documents):
    executors = documents[0]["deploymentSpec"]["executors"]
    assert all(set(executor) == {"container"} for executor in executors.values())
    assert not any("resolver" in name or "latest" in name for name in executors)


def test_run_time_parameters_have_their_defaults_from_the_configuration(documents):
    declared = documents[0]["root"]["inputDefinitions"]["parameters"]
    config = load_config(CONFIG)
    assert set(declared) == set(PARAMETERS)
    assert declared["steps"]["defaultValue"] == config.training.steps
    assert declared["threshold"]["defaultValue"] == config.evaluation.threshold
    assert declared["learner"]["defaultValue"] == "maml"
    assert declared["seed"]["defaultValue"] == config.episodes.seed


def test_settings_of_steps_come_from_the_configuration():
    config = load_config(
        CONFIG,
        [
            "kubeflow.every_step={cpu_request: 500m, retries: 2}",
            "kubeflow.steps={Trainer: {memory_limit: 16Gi, gpus: 1, retries: 5, "
            "node_selector: {pool: gpu}, tolerations: [{key: gpu, operator: Exists}]}}",
            "kubeflow.secrets={minio: {AWS_SECRET_ACCESS_KEY: secretkey}}",
        ],
    )
    spec, platform = compile_pipeline(config, IMAGE)
    assert lint([spec, platform]) == []
    trainer = spec["deploymentSpec"]["executors"]["exec-trainer"]["container"]["resources"]
    assert trainer["resourceMemoryLimit"] == "16Gi" and trainer["resourceCpuRequest"] == "500m"
    assert trainer["memoryLimit"] == pytest.approx(16 * 2**30 / 1e9)
    assert trainer["cpuRequest"] == 0.5
    assert trainer["accelerator"]["resourceType"] == "nvidia.com/gpu"
    tasks = spec["root"]["dag"]["tasks"]
    assert tasks["trainer"]["retryPolicy"]["maxRetryCount"] == 5
    assert tasks["pusher"]["retryPolicy"]["maxRetryCount"] == 2
    pods = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert pods["exec-trainer"]["nodeSelector"] == {"labels": {"pool": "gpu"}}
    assert pods["exec-trainer"]["tolerations"] == [{"key": "gpu", "operator": "Exists"}]
    assert "nodeSelector" not in pods["exec-pusher"]
    assert pods["exec-pusher"]["pvcMount"] == [{"constant": "fewshot", "mountPath": "/fewshot"}]
    assert pods["exec-pusher"]["secretAsEnv"] == [
        {
            "secretName": "minio",
            "keyToEnv": [{"secretKey": "secretkey", "envVar": "AWS_SECRET_ACCESS_KEY"}],
        }
    ]


def seconds(text):
    return float(text.removesuffix("s"))


def argo_ends(policy, durations):
    """What Argo does with attempts of these durations in seconds, the last one without a failure.

    `backoffMaxDuration` is counted from the start of the first attempt: past it nothing is retried,
    and a running attempt is ended.
    """
    deadline, wait = seconds(policy["backoffMaxDuration"]), seconds(policy["backoffDuration"])
    now = 0.0
    for attempt, duration in enumerate(durations):
        if attempt > policy["maxRetryCount"]:
            return "no retries left"
        if attempt:
            now += wait * policy["backoffFactor"] ** attempt
        if now > deadline:
            return "not retried"
        now += duration
        if now > deadline:
            return "ended while it ran"
    return "succeeded"


@pytest.mark.parametrize("retries", [1, 5, 12])
def test_attempts_of_days_are_retried_and_never_ended(retries):
    config = load_config(CONFIG, [f"kubeflow.steps={{Trainer: {{retries: {retries}}}}}"])
    spec, _ = compile_pipeline(config, IMAGE)
    policy = spec["root"]["dag"]["tasks"]["trainer"]["retryPolicy"]
    assert argo_ends(policy, [36_000.0] * (retries + 1)) == "succeeded"
    assert argo_ends(policy, [86_400.0] * (retries + 1)) == "succeeded"
    # The rule that broke this: an hour for all attempts together.
    hour = policy | {"backoffMaxDuration": "3600s"}
    assert argo_ends(hour, [36_000.0, 60.0]) == "ended while it ran"
    assert argo_ends(hour, [3_595.0, 60.0]) == "not retried"


def test_more_retries_than_fit_into_the_deadline_are_refused():
    with pytest.raises(UserError, match="retries"):
        load_config(CONFIG, ["kubeflow.every_step.retries=13"])


@pytest.mark.parametrize(
    "changes, folder",
    [
        ([], "/fewshot/.mistakes"),
        (["kubeflow.volume=null", "kubeflow.shared_dir=gs://bucket/x"], "gs://bucket/x/.mistakes"),
        (["kubeflow.volume=null"], None),  # a folder of the container itself
        (["kubeflow.every_step.retries=0"], None),
    ],
)
def test_retries_find_the_mistakes_of_the_attempt_before(changes, folder):
    spec, _ = compile_pipeline(load_config(CONFIG, changes), IMAGE)
    for executor in spec["deploymentSpec"]["executors"].values():
        env = {e["name"]: e["value"] for e in executor["container"].get("env", ())}
        assert env == ({mistakes.FOLDER: folder} if folder else {})


def test_a_push_and_an_evaluation_are_never_cached(documents):
    tasks = documents[0]["root"]["dag"]["tasks"]
    assert tasks["trainer"]["cachingOptions"] == {"enableCache": True}
    assert tasks["pusher"]["cachingOptions"] == tasks["few-shot-evaluator"]["cachingOptions"] == {}


def test_an_unknown_step_is_refused():
    config = load_config(CONFIG, ["kubeflow.steps={Trainr: {retries: 1}}"])
    with pytest.raises(UserError, match=r"`kubeflow.steps` must name one of .*Trainer.*'Trainr'"):
        compile_pipeline(config, IMAGE)


def test_the_command_writes_a_file(tmp_path):
    output = tmp_path / "new/pipeline.yaml"
    arguments = ["compile", "--config", CONFIG, "--image", IMAGE, "--output", str(output)]
    done = CliRunner().invoke(main, [*arguments, "--parameter", "steps=7"])
    assert done.exit_code == 0, done.output
    assert len(done.output.strip().splitlines()) == 1
    spec, _ = yaml.safe_load_all(output.read_text())
    assert spec["root"]["inputDefinitions"]["parameters"]["steps"]["defaultValue"] == 7


FLINK = "runner: flink, options: [--flink_master={}, --environment_type=LOOPBACK]"


@pytest.mark.parametrize(
    "beam, elsewhere",
    [
        (FLINK.format("jobmanager:8081"), True),
        (FLINK.format("'[local]'").replace("--flink_master='", "'--flink_master="), False),
        ("runner: dask, options: ['--dask_client_address=tcp://h:8786']", True),
        ("runner: dask", False),
    ],
)
def test_workers_on_other_machines_need_artifacts_that_they_can_open(beam, elsewhere):
    changes = [f"beam={{{beam}}}"]
    if elsewhere:
        with pytest.raises(UserError, match=r"`kubeflow.direct` must be true"):
            compile_pipeline(load_config(CONFIG, changes), IMAGE)
        changes.append("kubeflow.direct=true")
    spec, _ = compile_pipeline(load_config(CONFIG, changes), IMAGE)
    episode_gen = spec["deploymentSpec"]["executors"]["exec-episode-gen"]["container"]
    assert ("--direct" in episode_gen["command"]) == elsewhere
    # The steps get Beam's own name.
    assert any(word.startswith("--runner=") and "Runner" in word for word in episode_gen["args"])


OWN = """
from dataclasses import dataclass
from components.meta_trainer.learners.protonet import ProtonetOptions, protonet

def mine(options: ProtonetOptions, network, task):
    return protonet(options, network, task)
"""


@pytest.fixture
def own(tmp_path, monkeypatch) -> list[str]:
    """Arguments of `compile` for a learner in the current folder."""
    config = str(Path(CONFIG).resolve())
    (tmp_path / "own_learner_of_a_test.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "own_learner_of_a_test", raising=False)
    arguments = ["compile", "--config", config, "--image", IMAGE, "--output", "p.yaml"]
    return [*arguments, "--set", "learner={name: own_learner_of_a_test.mine}"]


def packed() -> dict[str, bytes]:
    """The archive of each step of p.yaml that has one."""
    spec, _ = yaml.safe_load_all(Path("p.yaml").read_text())
    executors = spec["deploymentSpec"]["executors"]
    flags = {step: e["container"]["args"][-1] for step, e in executors.items()}
    head = f"{own_parts.FLAG}="
    encoded = {s: f.removeprefix(head) for s, f in flags.items() if f.startswith(head)}
    return {step: base64.b64decode(text) for step, text in encoded.items()}


def test_code_of_one_s_own_is_packed_into_the_steps_that_run_it(own, tmp_path):
    done = CliRunner().invoke(main, own)
    assert done.exit_code == 0, done.output
    said = done.output.strip().splitlines()[-1]
    assert "packed into it: `learner.name` own_learner_of_a_test.mine (own_learner" in said
    before = packed()
    assert set(before) == {"exec-trainer"}
    # The argument is part of Kubeflow's cache key.
    (tmp_path / "own_learner_of_a_test.py").write_text(OWN + "\n")
    assert CliRunner().invoke(main, own).exit_code == 0
    assert packed() != before


def test_code_of_one_s_own_may_be_in_the_image(own):
    done = CliRunner().invoke(main, [*own, "--own-code", "image"])
    assert done.exit_code == 0, done.output
    said = done.output.strip().splitlines()[-1]
    assert f"The image {IMAGE} must hold" in said
    assert "`learner.name` own_learner_of_a_test.mine" in said
    assert packed() == {}


def test_code_of_one_s_own_that_is_too_large_is_a_sentence(own, tmp_path, monkeypatch):
    monkeypatch.setattr(own_parts, "MAX_BYTES", 50)
    done = CliRunner().invoke(main, own)
    assert done.exit_code == 2 and len(done.output.strip().splitlines()) == 1
    assert "`learner.name` own_learner_of_a_test.mine" in done.output
    assert "--own-code image" in done.output and not (tmp_path / "p.yaml").exists()


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--set", "data.data_dir=/home/me/glyphs"], "`data.data_dir` /home/me/glyphs."),
        (["--set", "training.start_from=zoo:glyphs"], "`training.start_from` zoo:glyphs."),
        (["--set", "data.data_dir=/fewshot/glyphs"], None),
        (["--set", "data.data_dir=/me", "--parameter", "data_location=s3://bucket/glyphs"], None),
    ],
)
def test_paths_that_the_volume_does_not_hold_are_named(tmp_path, arguments, said):
    given = ["--config", CONFIG, "--image", IMAGE, "--output", str(tmp_path / "p.yaml")]
    done = CliRunner().invoke(main, ["compile", *given, *arguments])
    assert done.exit_code == 0, done.output
    last = done.output.strip().splitlines()[-1]
    assert ("must hold these paths" in last) == (said is not None) and (said or "") in last


@pytest.mark.parametrize(
    "change, said",
    [
        (["--image", "Not An Image"], "`--image` must be an image reference"),
        (["--image", "fewshot:latest"], "`--image` must have a tag of its own"),
        (["--set", "name=my_pipeline"], "`name` must be"),
        (["--set", "name=glyphs-"], "`name` must be"),
        (["--parameter", "stepz=3"], "`--parameter` must name one of"),
        (["--parameter", "steps=many"], "`--parameter steps` must be a whole number"),
        (["--parameter", "learner=magic"], "'magic'"),
        (["--output", "pipeline.json"], "`--output` must end in .yaml"),
        (["--set", "kubeflow.every_step.cpu_limit=lots"], "Kubernetes quantity"),
        (["--set", "kubeflow.shared_dir=s3://x"], "`kubeflow.shared_dir` must be"),
        (["--set", "beam.runner=flink"], "must hold --flink_master=HOST:PORT"),
    ],
)
def test_a_mistake_is_one_sentence_and_status_2(tmp_path, change, said):
    given = {"--config": CONFIG, "--image": IMAGE, "--output": str(tmp_path / "p.yaml")}
    given |= {change[0]: change[1]}
    arguments = [word for pair in given.items() for word in pair]
    done = CliRunner().invoke(main, ["compile", *arguments])
    assert done.exit_code == 2
    assert said in done.output and len(done.output.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_the_terminal_shows_no_notice_of_a_library(tmp_path):
    arguments = ["--config", CONFIG, "--image", IMAGE, "--output", str(tmp_path / "p.yaml")]
    command = [sys.executable, "-m", "pipeline.cli", "compile", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.endswith("glyphs-5w1s, 9 steps\n")
    assert done.stderr == ""

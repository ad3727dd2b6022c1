"""The clusters that engines.md has one create, and their settings in a real Flink and Spark."""

import re
from pathlib import Path

import pytest
import yaml

from pipeline.beam_options import BeamOptions
from pipeline.kubeflow.options import KubeflowOptions
from tests.serving.deploy.openapi import faults

FOLDER = Path("pipeline/kubeflow")
MANIFESTS = [
    manifest
    for name in ("flink.yaml", "spark.yaml")
    for manifest in yaml.safe_load_all((FOLDER / name).read_text())
]
PAGE = (FOLDER / "engines.md").read_text()
BLOCKS = [
    yaml.safe_load(text)["beam"] for text in re.findall(r"\n((?:    beam:\n)(?:     .*\n)+)", PAGE)
]


def name_of(manifest: dict) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def find(kind: str, name: str) -> dict:
    (manifest,) = (one for one in MANIFESTS if name_of(one) == f"{kind} {name}")
    return manifest


@pytest.mark.parametrize(
    "manifest", MANIFESTS, ids=lambda m: f"{m['kind']} {m['metadata']['name']}"
)
def test_kubernetes_takes_the_object(manifest):
    assert faults(manifest, f"V1{manifest['kind']}") == []


def test_each_task_manager_has_a_pool_where_the_options_look_for_it():
    pod = find("Deployment", "flink-taskmanager")["spec"]["template"]["spec"]
    _, pool = pod["containers"]
    assert pool["command"][:2] == ["fewshot-beam-worker", "--worker_pool"]
    port = pool["command"][2].removeprefix("--service_port=")
    (flink,) = (block for block in BLOCKS if block["runner"] == "flink")
    assert f"--environment_config=localhost:{port}" in flink["options"]
    service = find("Service", "flink-jobmanager")
    ports = {p["name"]: p["port"] for p in service["spec"]["ports"]}
    assert f"--flink_master=flink-jobmanager:{ports['rest']}" in flink["options"]
    (volume,) = pod["volumes"]
    assert volume["persistentVolumeClaim"]["claimName"] == KubeflowOptions().volume


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block["runner"])
def test_each_block_of_the_page_is_taken_as_it_stands(block):
    options = BeamOptions(**{**block, "options": tuple(block["options"])})
    assert set(block["options"]) <= set(options.pipeline_args())


def test_spark_s_workers_are_of_the_page_s_image_and_find_the_master():
    pod = find("Deployment", "spark-worker")["spec"]["template"]["spec"]
    (worker,) = pod["containers"]
    (spark,) = (block for block in BLOCKS if block["runner"] == "spark")
    assert f"--spark_master_url={worker['args'][-1]}" in spark["options"]
    assert f"--tag {worker['image']}" in PAGE
    assert worker["command"][0].partition("/pyspark/")[0] in PAGE
    assert not pod["enableServiceLinks"]
    (volume,) = pod["volumes"]
    assert volume["persistentVolumeClaim"]["claimName"] == KubeflowOptions().volume


@pytest.mark.cluster
def test_flink_starts_two_task_managers_with_the_settings(flink_cluster):
    state = flink_cluster.state
    assert state["taskmanagers"] == 2 and state["slots-total"] == 4
    assert state["flink-version"].startswith("1.19")


@pytest.mark.cluster
def test_spark_starts_two_workers_with_the_settings(spark_cluster):
    state = spark_cluster.state
    assert state["aliveworkers"] == 2 and state["cores"] == 4 and state["memory"] == 2 * 4096

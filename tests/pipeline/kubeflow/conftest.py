import copy
from pathlib import Path

import pytest
import yaml

CONFIG = "pipeline/configs/glyphs_5w1s.yaml"
IMAGE = "registry.example/fewshot:1"


@pytest.fixture(scope="session")
def _compiled():
    from pipeline.config import load_config
    from pipeline.kubeflow_runner import compile_pipeline

    return compile_pipeline(load_config(CONFIG), IMAGE)


@pytest.fixture
def documents(_compiled):
    """The compiled glyph pipeline, to be changed at will."""
    return copy.deepcopy(_compiled)


@pytest.fixture(scope="session")
def flink_cluster(tmp_path_factory):
    """A Flink cluster of two task managers, with the settings of flink.yaml."""
    from tests.pipeline.kubeflow import java_clusters

    config_map = next(yaml.safe_load_all(Path("pipeline/kubeflow/flink.yaml").read_text()))
    settings = yaml.safe_load(config_map["data"]["properties"])
    folder = tmp_path_factory.mktemp("flink")
    with java_clusters.flink_cluster(settings, 2, folder) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def spark_cluster(tmp_path_factory):
    """A Spark cluster of two workers, with the arguments of spark.yaml."""
    from tests.pipeline.kubeflow import java_clusters

    *_, worker = yaml.safe_load_all(Path("pipeline/kubeflow/spark.yaml").read_text())
    (container,) = worker["spec"]["template"]["spec"]["containers"]
    folder = tmp_path_factory.mktemp("spark")
    arguments = [str(folder) if a == "/tmp/spark" else a for a in container["args"][:-1]]
    with java_clusters.spark_cluster(arguments, 2, folder) as cluster:
        yield cluster

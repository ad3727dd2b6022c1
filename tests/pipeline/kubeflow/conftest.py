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
def flink_session(tmp_path_factory):
    """A Flink cluster of two task managers, with the settings of flink.yaml."""
    from tests.pipeline.kubeflow.flink_session import session

    config_map = next(yaml.safe_load_all(Path("pipeline/kubeflow/flink.yaml").read_text()))
    settings = yaml.safe_load(config_map["data"]["properties"])
    with session(settings, 2, tmp_path_factory.mktemp("flink")) as cluster:
        yield cluster

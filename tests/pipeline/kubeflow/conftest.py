import copy

import pytest

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

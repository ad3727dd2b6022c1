"""The compiled pipeline with each step in a container of its own."""

import json

import pytest

from tests.components.meta_trainer.training.test_distributed import examples, job  # noqa: F401
from tests.pipeline.docker.conftest import STEPS
from tests.pipeline.kubeflow.test_local_orchestrator import CONFIG, SHORT, files_of

pytestmark = pytest.mark.cluster


def test_every_step_runs_in_a_container_and_draws_the_episodes_of_a_local_run(
    pipeline_root, tmp_path
):
    from tfx import v1 as tfx
    from tfx.orchestration.pipeline import RunOptions

    from pipeline.config import load_config
    from pipeline.pipeline import create_pipeline

    here = create_pipeline(
        load_config(CONFIG, SHORT),
        pipeline_root=str(tmp_path / "local"),
        serving_dir="unused",
        checkpoint_root="unused",
        metadata_path=str(tmp_path / "metadata.sqlite"),
    )
    tfx.orchestration.LocalDagRunner().run(here, run_options=RunOptions(to_nodes=["EpisodeGen"]))
    (local_record,) = (tmp_path / "local").rglob("episodes.json")
    (record,) = pipeline_root.rglob("episodes.json")
    assert files_of(record.parent) == files_of(local_record.parent) != {}
    (summary,) = pipeline_root.rglob("meta_train.json")
    assert json.loads(summary.read_text())["steps"] == STEPS

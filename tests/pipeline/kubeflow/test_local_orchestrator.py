"""The compiled glyph pipeline, run by KFP's own orchestrator: each step a process of its own."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

CONFIG = "pipeline/configs/glyphs_5w1s.yaml"
SHORT = (
    "episodes.queries=2",
    "episodes.train_queries=2",
    "episodes.counts={train: 40, eval: 8, test: 600}",
    "training.steps=4",
    "training.episodes_per_step=4",
    "training.eval_every=4",
    "training.eval_episodes=8",
    "training.jit_compile=false",
    "evaluation.episodes=600",
    "evaluation.curve_episodes=2",
    "evaluation.threshold=0.05",
    "evaluation.must_beat_baselines=false",
    "evaluation.baseline_episodes=20",
    "kubeflow.volume=null",
    "data.source=own_parts_of_a_test.drawings",
    "learner.name=own_parts_of_a_test.learner",
)
# In a folder that only this process looks into: the steps have them from the compiled file.
OWN = """
from components.episode_gen.sources.glyphs import open_source
from components.meta_trainer.learners.maml import MamlOptions, maml

def drawings(data):
    return open_source(data)

def learner(options: MamlOptions, network, task):
    return maml(options, network, task)
"""


def write_own_parts(folder: Path) -> str:
    """Writes the user's module of `SHORT` into a folder, and returns it."""
    folder.mkdir(exist_ok=True)
    (folder / "own_parts_of_a_test.py").write_text(OWN)
    return str(folder)


def files_of(examples: Path) -> dict[str, bytes]:
    return {str(p.relative_to(examples)): p.read_bytes() for p in examples.rglob("*.gz")}


@pytest.mark.e2e
def test_the_compiled_pipeline_runs_to_a_pushed_model_that_answers(tmp_path, monkeypatch):
    import tensorflow as tf
    from kfp import components, local
    from kfp.local.subprocess_task_handler import SubprocessTaskHandler
    from tfx import v1 as tfx
    from tfx.orchestration.pipeline import RunOptions

    from pipeline.config import load_config
    from pipeline.kubeflow_runner import compile_pipeline, write_package
    from pipeline.pipeline import create_pipeline

    monkeypatch.syspath_prepend(write_own_parts(tmp_path / "own"))
    config = load_config(CONFIG, [*SHORT, f"kubeflow.shared_dir={tmp_path}/shared"])
    documents = compile_pipeline(config, "registry.example/python-fewshot:1")
    write_package(documents, tmp_path / "pipeline.yaml")

    # The orchestrator would refuse containers; ours need only `python` on the path.
    monkeypatch.setattr(SubprocessTaskHandler, "validate_not_container_component", lambda *_: None)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    local.init(
        runner=local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path / "kubeflow")
    )
    text = (tmp_path / "pipeline.yaml").read_text()
    components.load_component_from_text(text)(steps=3)

    base = tmp_path / "shared/serving_model" / config.serving.model_name
    (version,) = [folder for folder in base.iterdir() if folder.is_dir()]
    assert json.loads((base / "blessed.json").read_text())["model"] == str(version)
    model = tf.saved_model.load(str(version))
    answer = model.signatures["serving_default"](
        support_x=tf.zeros([1, 5, 28, 28, 1], tf.uint8),
        support_y=tf.constant([[0, 1, 2, 3, 4]]),
        query_x=tf.zeros([1, 3, 28, 28, 1], tf.uint8),
    )
    assert answer["probabilities"].shape == (1, 3, 5)
    np.testing.assert_allclose(tf.reduce_sum(answer["probabilities"], -1), 1, rtol=1e-5)

    (summary,) = (tmp_path / "kubeflow").rglob("meta_train.json")
    assert json.loads(summary.read_text())["steps"] == 3, "the run-time parameter was not applied"

    # The same episodes as LocalDagRunner makes.
    here = create_pipeline(
        config,
        pipeline_root=str(tmp_path / "local"),
        serving_dir="unused",
        checkpoint_root="unused",
        metadata_path=str(tmp_path / "metadata.sqlite"),
    )
    tfx.orchestration.LocalDagRunner().run(here, run_options=RunOptions(to_nodes=["EpisodeGen"]))
    (local_record,) = (tmp_path / "local").rglob("episodes.json")
    (their_record,) = (tmp_path / "kubeflow").rglob("episodes.json")
    assert json.loads(local_record.read_text()) == json.loads(their_record.read_text())
    assert files_of(local_record.parent) == files_of(their_record.parent) != {}

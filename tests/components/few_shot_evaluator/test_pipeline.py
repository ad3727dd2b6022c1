"""Evaluator, validator, resolver and the stock Pusher in a real pipeline, without training."""

import pathlib

import pytest
from tfx import v1 as tfx
from tfx.types import standard_artifacts

from components.few_shot_evaluator.component import FewShotEvaluator
from components.few_shot_evaluator.last_blessed import BestOtherBlessedModelStrategy
from components.few_shot_evaluator.options import EvaluationOptions
from components.serving_validator.component import ServingValidator
from tests.components.few_shot_evaluator import small_models as models

pytestmark = pytest.mark.e2e


@pytest.fixture
def run(tmp_path, examples_uri, saved):
    """Judges a model class; returns the folders of executions by component, and the versions."""

    def judge(model_class):
        examples = tfx.dsl.Importer(
            source_uri=examples_uri,
            artifact_type=standard_artifacts.Examples,
            properties={"split_names": '["test"]'},
        ).with_id("Examples")
        model = tfx.dsl.Importer(
            source_uri=saved(model_class, encoded=True), artifact_type=standard_artifacts.Model
        ).with_id("Model")
        baseline = tfx.dsl.Resolver(
            strategy_class=BestOtherBlessedModelStrategy,
            model=tfx.dsl.Channel(type=standard_artifacts.Model),
            model_blessing=tfx.dsl.Channel(type=standard_artifacts.ModelBlessing),
            candidate=model.outputs["result"],
        ).with_id("LastBlessed")
        evaluator = FewShotEvaluator(
            examples=examples.outputs["result"],
            model=model.outputs["result"],
            baseline_model=baseline.outputs["model"],
            options=EvaluationOptions(
                threshold=0.8, tolerance=0.1, must_beat_baselines=False, baseline_episodes=20
            ),
        )
        validator = ServingValidator(
            model=model.outputs["result"], examples=examples.outputs["result"]
        )
        pusher = tfx.components.Pusher(
            model=model.outputs["result"],
            model_blessing=evaluator.outputs["blessing"],
            infra_blessing=validator.outputs["blessing"],
            push_destination=tfx.proto.PushDestination(
                filesystem=tfx.proto.PushDestination.Filesystem(
                    base_directory=str(tmp_path / "serving")
                )
            ),
        )
        tfx.orchestration.LocalDagRunner().run(
            tfx.dsl.Pipeline(
                pipeline_name="evaluation",
                pipeline_root=str(tmp_path / "root"),
                components=[examples, model, baseline, evaluator, validator, pusher],
                enable_cache=True,
                metadata_connection_config=(
                    tfx.orchestration.metadata.sqlite_metadata_connection_config(
                        str(tmp_path / "metadata.sqlite")
                    )
                ),
                beam_pipeline_args=["--runner=FnApiRunner"],
            )
        )
        runs = {
            name: sorted(path.name for path in (tmp_path / "root" / name).glob("*"))
            for name in ("FewShotEvaluator/evaluation", "ServingValidator/blessing")
        }
        return runs, sorted(path.name for path in (tmp_path / "serving").glob("*"))

    return judge


def metrics_text(tmp_path):
    folders = (tmp_path / "root" / "FewShotEvaluator" / "evaluation").iterdir()
    newest = max(folders, key=lambda folder: int(folder.name))
    return pathlib.Path(newest, "metrics.json").read_text()


def test_a_good_model_is_pushed_once_and_a_wrong_one_never(run, tmp_path):
    first, versions = run(models.SmallModel)
    assert len(versions) == 1
    assert '"baseline_model": null' in metrics_text(tmp_path)

    again, versions = run(models.SmallModel)
    assert again == first  # from the cache, although its own model is now the last blessed one
    assert len(versions) == 1

    # Blessed by the evaluator, which does not see that queries touch one another.
    _, versions = run(models.Leaky)
    assert len(versions) == 1
    assert '"difference"' in metrics_text(tmp_path)
    assert '"blessed": true' in metrics_text(tmp_path)

"""The stock data components on episodes, and ours behind them."""

import pytest
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.components import ExampleValidator, SchemaGen, StatisticsGen
from tfx.dsl.components.base import base_beam_executor
from tfx.orchestration import metadata, pipeline
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.types import artifact_utils, channel, standard_artifacts

from components.episode_gen.component import EpisodeGen
from components.episode_validator.component import EpisodeValidator
from components.episode_validator.executor import Executor, InvalidEpisodesError


def examples_at(uri) -> standard_artifacts.Examples:
    examples = standard_artifacts.Examples()
    examples.uri = str(uri)
    examples.split_names = artifact_utils.encode_split_names(["train", "eval", "test"])
    return examples


def anomalies_at(folder, reason: str | None) -> standard_artifacts.ExampleAnomalies:
    artifact = standard_artifacts.ExampleAnomalies()
    artifact.uri = str(folder)
    artifact.split_names = artifact_utils.encode_split_names(["train"])
    anomalies = anomalies_pb2.Anomalies()
    if reason is not None:
        anomalies.anomaly_info["support/label"].description = reason
    (folder / "Split-train").mkdir(parents=True)
    (folder / "Split-train" / "SchemaDiff.pb").write_bytes(anomalies.SerializeToString())
    return artifact


def run_executor(tmp_path, inputs) -> standard_artifacts.ExampleAnomalies:
    validation = standard_artifacts.ExampleAnomalies()
    validation.uri = str(tmp_path / "validation")
    context = base_beam_executor.BaseBeamExecutor.Context(
        beam_pipeline_args=["--runner=FnApiRunner"]
    )
    Executor(context).Do(inputs, {"validation": [validation]}, {"code_version": ""})
    return validation


def test_the_anomalies_are_optional():
    examples = channel.Channel(type=standard_artifacts.Examples)
    component = EpisodeValidator(examples=examples, code_version="1")
    assert component.outputs["validation"].type is standard_artifacts.ExampleAnomalies


def test_sound_episodes_leave_a_report(episodes, tmp_path):
    inputs = {
        "examples": [examples_at(episodes)],
        "anomalies": [anomalies_at(tmp_path / "anomalies", None)],
    }
    validation = run_executor(tmp_path, inputs)
    assert (tmp_path / "validation" / "episode_validation.json").is_file()
    assert artifact_utils.decode_split_names(validation.split_names) == ["train", "eval", "test"]


def test_an_anomaly_of_tfdv_stops_the_pipeline(episodes, tmp_path):
    inputs = {
        "examples": [examples_at(episodes)],
        "anomalies": [anomalies_at(tmp_path / "anomalies", "Unexpected type")],
    }
    with pytest.raises(
        InvalidEpisodesError, match="'support/label' of train anomalous: Unexpected type"
    ):
        run_executor(tmp_path, inputs)
    assert not (tmp_path / "validation" / "episode_validation.json").exists()


@pytest.mark.e2e
def test_the_stock_components_accept_episodes_and_caching_works(config, tmp_path):
    """Few classes, so that SchemaGen infers a domain for the class names, too."""

    def run() -> None:
        episode_gen = EpisodeGen(data=config.data, episodes=config.episodes, code_version="1")
        examples = episode_gen.outputs["examples"]
        statistics = StatisticsGen(examples=examples)
        schema = SchemaGen(statistics=statistics.outputs["statistics"])
        example_validator = ExampleValidator(
            statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
        )
        validator = EpisodeValidator(
            examples=examples, anomalies=example_validator.outputs["anomalies"], code_version="1"
        )
        LocalDagRunner().run(
            pipeline.Pipeline(
                "data-side",
                str(tmp_path / "root"),
                components=[episode_gen, statistics, schema, example_validator, validator],
                enable_cache=True,
                metadata_connection_config=metadata.sqlite_metadata_connection_config(
                    str(tmp_path / "metadata.sqlite")
                ),
                beam_pipeline_args=["--runner=FnApiRunner"],
            )
        )

    def written() -> list[str]:
        return sorted(str(file) for file in (tmp_path / "root").glob("*/*/*/**/*.*"))

    run()
    first = written()
    assert any(file.endswith("episode_validation.json") for file in first)
    run()
    assert written() == first

"""The component's specification, and its executor on a tiny folder."""

import apache_beam as beam
import pytest

pytest.importorskip("tfx")

from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils, standard_artifacts

from components.episode_gen.component import EpisodeGen
from components.episode_gen.executor import Executor
from components.episode_gen.options import (
    DataOptions,
    EpisodeCounts,
    EpisodeGenConfig,
    EpisodeOptions,
)
from components.episodes.dataset import read_split
from components.episodes.record import read_record


def test_its_properties_are_strings_that_hold_the_whole_configuration():
    data, episodes = DataOptions(seed=3), EpisodeOptions(ways=20)
    component = EpisodeGen(data=data, episodes=episodes, code_version="abc", data_fingerprint="f00")
    assert component.outputs["examples"].type is standard_artifacts.Examples
    properties = component.exec_properties
    assert all(isinstance(value, str) for value in properties.values())
    assert EpisodeGenConfig.from_json(properties["config_json"]) == EpisodeGenConfig(data, episodes)
    assert (properties["code_version"], properties["data_fingerprint"]) == ("abc", "f00")


def test_the_executor_leaves_a_standard_examples_artifact(image_folder, tmp_path):
    config = EpisodeGenConfig(
        DataOptions(source="folder", path=str(image_folder), image_size=8),
        EpisodeOptions(
            ways=2, shots=1, queries=2, seed=9, counts=EpisodeCounts(train=10, eval=3, test=0)
        ),
    )
    examples = standard_artifacts.Examples()
    examples.uri = str(tmp_path / "examples")
    context = base_beam_executor.BaseBeamExecutor.Context(
        beam_pipeline_args=["--runner=FnApiRunner"]
    )
    Executor(context).Do({}, {"examples": [examples]}, {"config_json": config.to_json()})

    record = read_record(examples.uri)
    assert artifact_utils.decode_split_names(examples.split_names) == ["train", "eval"]
    assert examples.get_string_custom_property("payload_format") == "FORMAT_TF_EXAMPLE"
    assert examples.get_string_custom_property("file_format") == "tfrecords_gzip"
    assert examples.get_string_custom_property("splits_hash") == record.splits_hash
    properties = {"ways": 2, "shots": 1, "queries": 2, "seed": 9, "format_version": 2}
    for name, value in properties.items():
        assert examples.get_int_custom_property(name) == value
    assert sorted(path.name for path in (tmp_path / "examples").iterdir()) == [
        "Split-eval",
        "Split-train",
        "episodes.json",
    ]
    assert len(list(read_split(examples.uri, "train"))) == 10


def test_the_transforms_can_be_pickled_for_other_machines(tmp_path):
    from apache_beam.internal import pickler

    from components.episode_gen.transforms import WriteByJoin, WriteFromTable

    for transform in (
        WriteFromTable(str(tmp_path), "u"),
        WriteByJoin(str(tmp_path), "u", DataOptions(), ["p"]),
    ):
        assert isinstance(pickler.loads(pickler.dumps(transform)), beam.PTransform)

"""What earlier versions wrote is read, and predicts the same, in this one."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.episodes.dataset import parse_episodes, read_split
from components.episodes.format import FORMAT_VERSION
from components.episodes.record import read_record
from components.episodes.types import Episodes
from components.few_shot_evaluator.model import ExportedModel
from components.tasks.lookup import task_of
from serving.errors import UserError
from serving.model_server.loading import make_loader
from serving.model_server.predict import predict
from serving.model_server.servable import Parallelism
from serving.saved_model import signatures as sig

GOLDENS = Path(__file__).parent


@pytest.fixture(scope="module")
def expected() -> tuple[Episodes, np.ndarray]:
    """The stacked test episodes and the golden model's predictions for them."""
    with np.load(GOLDENS / "expected.npz") as values:
        return Episodes(**{name: values[name] for name in Episodes._fields}), values["prediction"]


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("golden") / "model"
    shutil.unpack_archive(GOLDENS / "model.tar.xz", folder)
    return folder


@pytest.mark.parametrize("name", ["episodes", "episodes_v1"])
def test_episodes_of_every_format_version_are_read(expected, name):
    record = read_record(str(GOLDENS / name))
    assert (record.format_version, record.ways, record.shots) == (FORMAT_VERSION, 5, 1)
    assert record.example_spec.shape == (14, 14, 1) and record.example_spec.invert
    serialized = next(iter(read_split(str(GOLDENS / name), "test").batch(3)))
    for part, golden in zip(parse_episodes(serialized, record.example_spec).numpy(), expected[0]):
        assert part.dtype == golden.dtype
        np.testing.assert_array_equal(part, golden)


def test_the_model_predicts_the_same_in_this_process(expected, model):
    episodes, prediction = expected
    task = task_of(read_record(str(GOLDENS / "episodes")).example_spec)
    loaded = ExportedModel(str(model), task)
    np.testing.assert_allclose(loaded.predict(episodes), prediction, atol=1e-6)


def test_the_model_predicts_the_same_as_the_server_runs_it(expected, model):
    """Its warm-up requests, which loading runs, are of the golden's format too."""
    episodes, prediction = expected
    servable = make_loader(parallelism=Parallelism(), warmup=True)("golden", 1, model)
    names = sig.SUPPORT_X, sig.SUPPORT_Y, sig.QUERY_X
    inputs = {name: lambda name=name: getattr(episodes, name) for name in names}
    outputs = predict(servable, sig.ADAPT_AND_PREDICT, inputs)
    servable.close()
    np.testing.assert_allclose(outputs[sig.PROBABILITIES], prediction, atol=1e-6)
    np.testing.assert_array_equal(outputs[sig.PREDICTIONS], prediction.argmax(axis=-1))


def test_the_model_of_a_numbered_head_refuses_more_ways_than_trained(expected, model):
    episodes, _ = expected
    task = task_of(read_record(str(GOLDENS / "episodes")).example_spec)
    more = episodes._replace(support_y=episodes.support_y + 1)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"support_y.*0 to 4.*got 5"):
        ExportedModel(str(model), task).predict(more)


def test_episodes_of_an_unknown_format_version_are_refused_in_a_sentence(tmp_path):
    record = json.loads((GOLDENS / "episodes" / "episodes.json").read_text())
    later = record | {"format_version": FORMAT_VERSION + 1}
    (tmp_path / "episodes.json").write_text(json.dumps(later))
    with pytest.raises(UserError, match=rf"version {FORMAT_VERSION + 1}.*anew") as refused:
        read_record(str(tmp_path))
    assert "\n" not in str(refused.value)

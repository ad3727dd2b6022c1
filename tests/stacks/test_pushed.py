"""A model that one version of TensorFlow pushed predicts the same in another."""

import os
from pathlib import Path

import numpy as np
import pytest

from components.episodes.dataset import parse_episodes, read_split
from components.episodes.record import read_record
from components.episodes.types import Episodes
from components.few_shot_evaluator.model import ExportedModel
from components.tasks.lookup import task_of
from serving.model_server.loading import make_loader
from serving.model_server.predict import predict
from serving.model_server.servable import Parallelism
from serving.saved_model import signatures as sig

PUSHED = Path(os.environ.get("FEWSHOT_PUSHED", "/nowhere"))
pytestmark = pytest.mark.skipif(
    not PUSHED.is_dir(), reason="FEWSHOT_PUSHED names no folder; `make test-stacks` makes it"
)


@pytest.fixture(scope="module")
def expected() -> tuple[Episodes, np.ndarray]:
    with np.load(PUSHED / "expected.npz") as values:
        return Episodes(**{name: values[name] for name in Episodes._fields}), values["prediction"]


def test_the_other_version_s_episodes_are_read(expected):
    episodes, _ = expected
    spec = read_record(str(PUSHED / "episodes")).example_spec
    serialized = next(
        iter(read_split(str(PUSHED / "episodes"), "test").batch(len(episodes.support_y)))
    )
    for part, golden in zip(parse_episodes(serialized, spec).numpy(), episodes):
        np.testing.assert_array_equal(part, golden)


def test_the_other_version_s_model_predicts_the_same_in_this_process(expected):
    episodes, prediction = expected
    task = task_of(read_record(str(PUSHED / "episodes")).example_spec)
    found = ExportedModel(str(PUSHED / "model"), task).predict(episodes)
    print("largest difference", np.abs(found - prediction).max())
    np.testing.assert_allclose(found, prediction, atol=1e-5)


def test_the_other_version_s_model_predicts_the_same_as_the_server_runs_it(expected):
    episodes, prediction = expected
    servable = make_loader(parallelism=Parallelism(), warmup=True)("pushed", 1, PUSHED / "model")
    names = sig.SUPPORT_X, sig.SUPPORT_Y, sig.QUERY_X
    inputs = {name: lambda name=name: getattr(episodes, name) for name in names}
    outputs = predict(servable, sig.ADAPT_AND_PREDICT, inputs)
    servable.close()
    np.testing.assert_allclose(outputs[sig.PROBABILITIES], prediction, atol=1e-5)

"""The answer "none of these" through every door: by the score of the model, else by probability."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from serving.client import FewShotClient
from serving.client.answer import Answer
from serving.client.command import query
from serving.errors import UserError

DARK, GREY = 0, 128  # a grey picture is as unlike the dark ones as the bright ones


@pytest.fixture
def pictures(tmp_path):
    """Two classes of two pictures, dark and bright, and two queries: dark and grey."""
    support = {"dark": DARK, "bright": 255}
    for name, shade in (support | {"queries": GREY}).items():
        (tmp_path / name).mkdir()
        for n in range(2):
            value = DARK if (name, n) == ("queries", 0) else shade
            Image.new("L", (4, 4), value).save(tmp_path / name / f"{n}.png")
    queries = tmp_path / "queries"
    support_folder = tmp_path / "support"
    support_folder.mkdir()
    for name in support:
        (tmp_path / name).rename(support_folder / name)
    return support_folder, queries


@pytest.fixture(params=["--model", "--address", "--rest"])
def target(request, server, other_model):
    """A model that scores "none", behind each door: version 2 is the newest."""
    name = ["--model-name", "few_shot"]
    return {
        "--model": ["--model", str(other_model)],
        "--address": ["--address", f"localhost:{server.port}", *name],
        "--rest": ["--rest", f"http://localhost:{server.rest_port}", *name],
    }[request.param]


def classes(pictures, *arguments) -> list[dict]:
    support, queries = pictures
    command = ["--support", str(support), "--json", *arguments, str(queries)]
    result = CliRunner().invoke(query, command)
    if result.exception is not None:
        raise result.exception
    return [json.loads(line) for line in result.output.splitlines()]


def test_auto_refuses_what_the_model_scores_above_its_threshold(pictures, target):
    rows = classes(pictures, *target, "--none-below", "auto")
    assert [row["class"] for row in rows] == ["dark", None]
    assert rows[0]["none_score"] < 0.5 < rows[1]["none_score"]


def test_a_number_is_compared_with_1_minus_the_score(pictures, target):
    plain = classes(pictures, *target)
    assert None not in [row["class"] for row in plain]
    kept = 1 - plain[1]["none_score"]
    for none_below, known in ((kept * 0.9, True), (min(kept + 0.01, 1.0), False)):
        rows = classes(pictures, *target, "--none-below", str(none_below))
        assert [row["class"] is not None for row in rows] == [True, known]


def test_an_older_model_is_asked_by_its_probability(pictures, model):
    rows = classes(pictures, "--model", str(model), "--none-below", "0.9")
    assert [row["class"] for row in rows] == ["dark", None] and "none_score" not in rows[0]
    with pytest.raises(UserError, match="recommends no threshold"):
        classes(pictures, "--model", str(model), "--none-below", "auto")


@pytest.mark.parametrize("wrong", ["1.5", "-0.1", "often", "nan"])
def test_what_is_no_share_is_refused(pictures, model, wrong):
    result = CliRunner().invoke(
        query, ["--support", "x", "--model", str(model), "--none-below", wrong, "y"]
    )
    assert result.exit_code == 2 and "must be a number from 0 to 1, or auto" in result.output


def test_the_python_client_has_scores_and_labels(other_model):
    support = {
        name: np.full((2, 4, 4, 1), shade, np.uint8) for name, shade in (("a", 0), ("b", 255))
    }
    queries = np.stack([np.full((4, 4, 1), shade, np.uint8) for shade in (250, 128)])
    with FewShotClient.connect(str(other_model)) as client:
        answers = [client.classify(support, queries), client.adapt(support).classify(queries)]
    for answer in answers:
        assert answer.labels_or_none() == ["b", None] and answer.none_threshold == 0.5
        assert answer.labels_or_none(0.0) == answer.labels
    np.testing.assert_allclose(answers[0].none_scores, answers[1].none_scores, atol=1e-6)


def test_labels_of_an_older_model_by_hand():
    answer = Answer(np.array([[0.6, 0.4], [0.2, 0.8]]), ["a", "b"])
    assert answer.labels_or_none(0.7) == [None, "b"]

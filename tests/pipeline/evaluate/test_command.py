"""`fewshot evaluate` from the command line, on the golden model: MAML of five ways on glyphs."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from components.episode_gen.check import check_data
from components.episode_gen.options import DataOptions
from components.options import build_options
from components.tasks.classification import accuracy
from pipeline.cli import main
from pipeline.evaluate.data import Shape, plan_task
from pipeline.evaluate.model import find_model
from tests.pipeline.evaluate.conftest import GOLDENS, VERSION


def evaluate(*arguments):
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)])


@pytest.fixture
def pictures(tmp_path):
    """Six classes of five colour pictures, but one of two, of another size than the model's."""
    for number, name in enumerate("abcdef"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for example in range(2 if name == "f" else 5):
            noise = np.random.default_rng([number, example]).integers(0, 40, (20, 30, 3))
            image = Image.fromarray((40 * number + noise).astype(np.uint8))
            image.save(tmp_path / "pictures" / name / f"{example}.png")
    return tmp_path / "pictures"


def test_what_is_not_given_is_as_in_the_run(run_folder, tmp_path):
    """The three golden test episodes again: the same score, to the last digit."""
    output = tmp_path / "result"
    result = evaluate("--model", run_folder, "--episodes", 3, "--output", output)
    assert result.exit_code == 0, result.output
    record = json.loads((output / "evaluation.json").read_text())
    with np.load(GOLDENS / "expected.npz") as golden:
        expected = accuracy(golden["prediction"], golden["query_y"]).mean()
    assert record["accuracy"] == pytest.approx(expected, abs=1e-6)
    assert (record["ways"], record["shots"], record["of_the_run"]) == (5, 1, True)
    assert "blessed" not in record and record["model"].endswith(VERSION)
    page = (output / "report.html").read_text().partition("</style>")[2]
    assert "5-way 1-shot" in page and "lessed" not in page and "tolerance</td>" not in page
    assert sorted(path.name for path in output.iterdir()) == ["evaluation.json", "report.html"]
    again = evaluate("--model", run_folder, "--episodes", 3, "--output", output)
    assert again.exit_code == 2 and "`--output` must be a new folder" in again.output


def test_other_shapes_of_all_classes_of_other_data(run_folder, pictures):
    """The pictures get the model's size and colours; a class that is too small is left out."""
    shape = ["--ways", 3, "--shots", 2, "--queries", 2, "--episodes", 8, "--seed", 5]
    model = run_folder / "serving_model/golden"
    result = evaluate("--model", model, "--data", pictures, *shape, "--json")
    assert result.exit_code == 0, result.output
    record = json.loads(result.stdout)
    assert (record["ways"], record["shots"], record["queries"]) == (3, 2, 2)
    assert record["classes"] == 5 and record["left_out"] == {"f": 2} and not record["of_the_run"]
    assert record["config"]["data"]["image_size"] == 14
    assert record["cautions"] == [
        "the test split has 5 classes for 3 ways: all episodes are of nearly the same classes"
    ]
    assert 1 / 3 < record["accuracy"] <= 1 and record["baselines"]["nearest_centroid"] == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--ways", 9], "`--ways` must be at most the 5 classes that this maml model can take"),
        (["--shots", 15, "--queries", 6], "0 of the 100 test classes have as many"),
        (["--ways", 1], "`--ways` must be at least 2"),
        (["--data", "nowhere"], "PATH must be a folder"),
        (["--data", "texts.csv"], "image 14 x 14 x 1: texts.csv holds text"),
        (["--config", "small.yaml"], "exactly one of `--config` and `--model`"),
    ],
)
def test_a_mistake_is_one_sentence(run_folder, monkeypatch, arguments, told):
    monkeypatch.chdir(run_folder)
    rows = [f"say {number},{number % 4}" for number in range(24)]
    (run_folder / "texts.csv").write_text("\n".join(["text,label", *rows]))
    result = evaluate("--model", run_folder, *arguments)
    assert result.exit_code == 2
    assert told in result.output and result.output.count("\n") == 1


def test_a_path_without_a_model_is_a_mistake(tmp_path):
    assert "tmp is not there" in evaluate("--model", tmp_path / "tmp").output
    assert "is none" in evaluate("--model", tmp_path).output


def test_a_model_alone_needs_data(run_folder):
    result = evaluate("--model", run_folder / VERSION)
    assert result.exit_code == 2 and "`--data` must be given" in result.output


def test_classes_that_came_since_would_mix_the_splits(run_folder):
    """The model says which splits it was trained on; with others its test classes are not new."""
    summary = json.loads((run_folder / "summary.json").read_text())
    summary["config"]["data"]["seed"] = 1
    (run_folder / "summary.json").write_text(json.dumps(summary))
    result = evaluate("--model", run_folder)
    assert result.exit_code == 2 and "classes came or went since" in result.output


def test_classes_with_names_of_training_are_named(run_folder, pictures):
    """As where the folder is a copy of the data of the run: only their names tell."""
    own = json.loads((run_folder / "summary.json").read_text())["config"]["data"]
    seen = check_data(build_options(DataOptions, own, "data"), None).splits["train"][0]
    (pictures / "a").rename(pictures / seen)
    shape = Shape(3, 1, 1)
    task = plan_task(find_model(run_folder), pictures, shape, episodes=2, seed=None)
    assert len(task.cautions) == 1 and f"as '{seen}'" in task.cautions[0]

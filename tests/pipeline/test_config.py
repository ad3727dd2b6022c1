"""Wrong configurations: one sentence that names the argument, and exit status 2."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline import configs
from pipeline.cli import main
from pipeline.config import build_config, load_config, name_of
from serving.errors import UserError

MINIMAL = {"name": "mine"}
SHIPPED = Path(configs.__file__).parent


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_configurations_are_right(path):
    config = load_config(path)
    assert config.name == path.stem.replace("_", "-")


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"nope": 1}, "`nope`"),
        ({"data": {"nope": 1}}, "`data.nope`"),
        ({"episodes": {"ways": "five"}}, "`episodes.ways`"),
        ({"episodes": {"ways": 1}}, "`episodes.ways`"),
        ({"training": {"augment": {"spin": True}}}, "`training.augment.spin`"),
        ({"training": {"steps": 1.5}}, "`training.steps`"),
        ({"learner": {"name": "mamml"}}, "`learner.name`"),
        ({"learner": {"name": "maml", "inner_stepz": 3}}, "`learner.inner_stepz`"),
        ({"learner": {"name": "protonet", "inner_steps": 3}}, "`learner.inner_steps`"),
        ({"learner": {"backbone": {"name": "conv5"}}}, "`learner.backbone.name`"),
        ({"evaluation": {"episodes": 2000}}, "`evaluation.episodes`"),
        ({"evaluation": {"threshold": 0.9, "episodes": 100}}, "episodes"),
        ({"evaluation": {"threshold": 90.0}}, "`evaluation.threshold`"),
        ({"name": "My_Pipeline"}, "`name`"),
        ({"data": {"source": "folder"}}, "`data.path`"),
    ],
)
def test_a_mistake_is_named(values, named):
    with pytest.raises(UserError) as error:
        build_config(MINIMAL | values)
    assert named in str(error.value)
    assert "\n" not in str(error.value)


def test_unknown_learner_and_option_name_the_valid_ones():
    with pytest.raises(UserError, match=r"meta_lstm.*protonet"):
        build_config(MINIMAL | {"learner": {"name": "nope"}})
    with pytest.raises(UserError, match=r"inner_learning_rate.*inner_steps"):
        build_config(MINIMAL | {"learner": {"name": "maml", "nope": 1}})


def test_overrides_go_over_the_file(tmp_path):
    path = tmp_path / "my_pipeline.yaml"
    path.write_text("episodes: {ways: 4}\n")
    config = load_config(path, ["episodes.shots=3", "training.augment.rotate=true"])
    assert config.name == "my-pipeline"
    assert (config.episodes.ways, config.episodes.shots) == (4, 3)
    assert config.training.augment.rotate


@pytest.mark.parametrize(
    "arguments",
    [
        ["--set", "episodes.ways=1"],
        ["--set", "episodes.shots=30"],
        ["--set", "episodes.ways=400"],
        ["--set", "ways"],
        ["--set", "data.source=folder", "--set", "data.path=/nowhere"],
    ],
)
def test_exit_status_2_and_one_sentence(arguments, tmp_path):
    config = str(SHIPPED / "glyphs_5w1s.yaml")
    command = ["run", "--config", config, "--output-dir", str(tmp_path / "o")]
    result = CliRunner().invoke(main, [*command, *arguments])
    assert result.exit_code == 2
    said = result.stderr.strip().splitlines()[-1]
    assert said.startswith("error: ") and "Traceback" not in result.output


def test_a_file_that_is_not_there(tmp_path):
    result = CliRunner().invoke(main, ["run", "--config", str(tmp_path / "no.yaml")])
    assert result.exit_code == 2
    assert "`--config`" in result.stderr


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("a/glyphs_5w1s.yaml", "glyphs-5w1s"),
        ("My.Data v2.yaml", "my-data-v2"),
        ("données d'été", "donnees-d-ete"),
        ("写真", "data"),
    ],
)
def test_a_file_of_any_name_gives_a_pipeline_a_name_it_may_have(file, name):
    assert name_of(file) == name
    build_config({"name": name})

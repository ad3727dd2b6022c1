"""Old names of keys: read with a notice, from the file and from `--set`."""

import pytest

from components.meta_trainer import learners
from pipeline.config import load_config
from pipeline.renamed_keys import RENAMED
from serving.errors import UserError

NEW = {
    "learner: {name: maml, inner_rate: 0.3}": ("learner", "inner_learning_rate", 0.3),
    "learner: {name: meta_sgd, rate_low: 0.1, rate_high: 0.3}": (
        "learner",
        "learning_rate_low",
        0.1,
    ),
    "training: {meta_rate: 0.002}": ("training", "meta_learning_rate", 0.002),
    "training: {augment: {warp: 0.2}}": ("training", "augment", {"affine": 0.2}),
}


@pytest.fixture
def write(tmp_path):
    """Writes a configuration file and returns its path."""

    def write(text: str):
        path = tmp_path / "mine.yaml"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("text", NEW)
def test_an_old_key_of_the_file_is_read_with_a_notice(write, text, capsys):
    section, key, value = NEW[text]
    found = load_config(write(text)).to_dict()[section][key]
    assert found == value or found.items() >= value.items()
    (note, *_) = capsys.readouterr().err.splitlines()
    assert note.startswith("note: `") and f"is now named `{section}.{key}" in note


def test_an_old_key_of_set_wins_over_the_new_one_of_the_file(write, capsys):
    path = write("training: {meta_learning_rate: 0.1}")
    assert load_config(path, ["training.meta_rate=0.2"]).training.meta_learning_rate == 0.2
    assert "note: `training.meta_rate` is now named" in capsys.readouterr().err
    path = write("training: {meta_rate: 0.1}")
    assert load_config(path, ["training.meta_learning_rate=0.2"]).training.meta_learning_rate == 0.2
    assert load_config(path, ["training={meta_rate: 0.3}"]).training.meta_learning_rate == 0.3


@pytest.mark.parametrize(
    ("text", "overrides"),
    [
        ("training: {meta_rate: 0.1, meta_learning_rate: 0.1}", []),
        ("{}", ["training.meta_rate=1", "training.meta_learning_rate=2"]),
        ("{}", ["training.meta_learning_rate=2", "training.meta_rate=1"]),
    ],
)
def test_both_names_are_a_mistake(write, text, overrides):
    rule = "`training.meta_learning_rate` must be given once: .* old name `training.meta_rate`"
    with pytest.raises(UserError, match=rule):
        load_config(write(text), overrides)


def test_new_keys_give_no_notice(write, capsys):
    load_config(write("training: {meta_learning_rate: 0.1}"), ["training.augment.affine=0.1"])
    assert capsys.readouterr().err == ""


def test_an_option_of_ones_own_learner_keeps_its_name(write, tmp_path, monkeypatch, capsys):
    (tmp_path / "own_rate.py").write_text(
        "from dataclasses import dataclass\n@dataclass\nclass Options:\n"
        "    inner_rate: float = 1.0\n"
        "def learner(options: Options, network, task): ...\n"
    )
    monkeypatch.chdir(tmp_path)
    path = write("learner: {name: own_rate.learner, inner_rate: 0.5}")
    assert load_config(path, ["learner.inner_rate=0.7"]).learner["inner_rate"] == 0.7
    assert capsys.readouterr().err == ""


def test_no_learner_of_the_project_has_an_option_of_an_old_name():
    old = {path.split(".")[1] for path in RENAMED if path.startswith("learner.")}
    for name in learners.TABLE:
        assert not old & set(learners.lookup(name)[0].__dataclass_fields__), name

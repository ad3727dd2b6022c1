"""A learner outside the project, in a file of the user's."""

import pytest

from components import user_modules
from components.meta_trainer.options import learner_options
from pipeline.code_version import code_version
from serving.errors import UserError

SOURCE = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Options:
    sharpness: float = 10.0

def good(options: Options, network, task): ...
def bare(options, network, task): ...
"""


@pytest.fixture
def module(tmp_path, monkeypatch) -> str:
    """A module in the current folder, of a name of its own: Python keeps what it imported."""
    name = "own_" + "".join(c for c in tmp_path.name if c.isalnum())
    (tmp_path / f"{name}.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", ["/nowhere"])
    return name


def test_it_is_found_in_the_current_folder_and_its_options_are_checked(module):
    name, options = learner_options({"name": f"{module}.good", "sharpness": 5.0})
    assert name == f"{module}.good" and options.sharpness == 5.0
    with pytest.raises(UserError, match=r"`learner.sharp` is not an option .* `sharpness`"):
        learner_options({"name": f"{module}.good", "sharp": 5.0})


def test_what_cannot_be_used_is_told(module):
    with pytest.raises(UserError, match="ModuleNotFoundError: No module named 'nowhere_else'"):
        learner_options({"name": "nowhere_else.good"})
    with pytest.raises(UserError, match=r"AttributeError: .* has no attribute 'nothing'"):
        learner_options({"name": f"{module}.nothing"})
    with pytest.raises(UserError, match="must annotate its first argument, `options`"):
        learner_options({"name": f"{module}.bare"})


def test_a_change_of_its_code_trains_anew(module, tmp_path):
    assert user_modules.code({"name": "maml"}) == user_modules.code({}) == []
    files = user_modules.code({"name": f"{module}.good"})
    before = code_version(files=files)
    assert before != code_version()
    (tmp_path / f"{module}.py").write_text(SOURCE + "\n")
    assert code_version(files=files) != before

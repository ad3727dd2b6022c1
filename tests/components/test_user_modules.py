"""Parts outside the project, in a file of the user's."""

import json

import pytest

from components import own_code, user_modules
from components.meta_trainer.options import backbone_options, learner_options
from pipeline.code_version import code_version
from serving.errors import UserError

SOURCE = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Options:
    sharpness: float = 10.0

def good(options: Options, network, task): ...
def bare(options, network, task): ...
def body(options: Options, feature_shape): ...
def source(): ...
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
    section = {"backbone": {"name": f"{module}.body", "sharpness": 2.0}}
    name, options = backbone_options(section, "conv4")
    assert name == f"{module}.body" and options.sharpness == 2.0
    assert callable(user_modules.load(f"{module}.source", "data.source"))


def test_the_mistake_of_a_part_that_cannot_be_used_names_its_key(module):
    with pytest.raises(UserError, match="ModuleNotFoundError: No module named 'nowhere_else'"):
        learner_options({"name": "nowhere_else.good"})
    with pytest.raises(UserError, match=r"AttributeError: .* has no attribute 'nothing'"):
        learner_options({"name": f"{module}.nothing"})
    with pytest.raises(UserError, match="must annotate its first argument, `options`"):
        learner_options({"name": f"{module}.bare"})
    with pytest.raises(UserError, match=r"`learner.backbone.name` must .* no attribute 'nothing'"):
        backbone_options({"backbone": {"name": f"{module}.nothing"}}, "conv4")
    with pytest.raises(UserError, match=r"`data.source` must .*has no attribute 'nothing'"):
        user_modules.load(f"{module}.nothing", "data.source")


@pytest.mark.parametrize("section", [{"name": "NAME.good"}, {"backbone": {"name": "NAME.body"}}])
def test_a_change_of_its_code_trains_anew(module, tmp_path, section):
    project = {"name": "maml", "backbone": {"name": "conv4"}}
    assert own_code.learner_files(project) == own_code.learner_files({}) == []
    own = json.loads(json.dumps(section).replace("NAME", module))
    files = own_code.learner_files(own)
    before = code_version(files=files)
    assert before != code_version()
    (tmp_path / f"{module}.py").write_text(SOURCE + "\n")
    assert code_version(files=files) != before

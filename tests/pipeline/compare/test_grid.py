"""Which configurations a comparison tries, and what they are called."""

import pytest

from pipeline.compare.grid import candidates, learner_section
from pipeline.config import build_config
from serving.errors import UserError


def config(**learner):
    return build_config({"name": "small", "learner": learner, "episodes": {"ways": 3}})


def test_own_options_go_to_the_own_learner_and_the_backbone_to_all():
    backbone = {"filters": 8}
    some = config(name="maml", inner_steps=3, backbone=backbone)
    assert learner_section(some, "maml") == some.learner
    assert learner_section(some, "anil") == {"name": "anil", "backbone": backbone}


def test_a_configuration_without_a_learner_is_mamls():
    assert learner_section(config(inner_steps=3), "maml") == {"name": "maml", "inner_steps": 3}
    assert learner_section(config(), "protonet") == {"name": "protonet"}


def test_keys_make_a_product_and_every_cell_has_a_name():
    grid = ["learner.inner_learning_rate=0.1,0.4", "training.augment={rotate: true},{affine: 0.2}"]
    tried = candidates(config(name="maml", inner_steps=3), [], grid)
    assert list(tried)[:2] == [
        "inner_learning_rate=0.1 training.augment={rotate: true}",
        "inner_learning_rate=0.1 training.augment={affine: 0.2}",
    ]
    assert len(tried) == 4
    last = tried["inner_learning_rate=0.4 training.augment={affine: 0.2}"]
    assert last.learner == {"name": "maml", "inner_steps": 3, "inner_learning_rate": 0.4}
    assert last.training.augment.affine == 0.2 and last.episodes.ways == 3


def test_each_learner_has_every_cell():
    tried = candidates(config(), ["maml", "anil"], ["learner.inner_steps=1,2"])
    assert list(tried) == [
        f"{name} inner_steps={steps}" for name in ("maml", "anil") for steps in (1, 2)
    ]
    assert tried["anil inner_steps=2"].learner == {"name": "anil", "inner_steps": 2}


def test_a_key_that_one_of_the_learners_lacks_is_a_mistake():
    with pytest.raises(UserError, match=r"`learner\.inner_steps` is not an option of 'protonet'"):
        candidates(config(), ["maml", "protonet"], ["learner.inner_steps=1,2"])


def test_a_key_under_its_old_name_is_read():
    tried = candidates(config(), [], ["learner.inner_rate=0.1,0.4"])
    assert list(tried) == ["inner_learning_rate=0.1", "inner_learning_rate=0.4"]

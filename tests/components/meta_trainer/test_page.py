"""Each Python example of the page of meta-training runs, as a user would run it."""

import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components import own_code
from components.episodes.types import Episodes
from components.meta_trainer.build import assemble_for
from components.meta_trainer.fit import fit
from components.meta_trainer.interface_check import check_inductive
from components.modalities.base import ExampleSpec
from serving.errors import UserError

PAGE = Path(__file__).parents[3] / "components/meta_trainer/README.md"
IMAGES = ExampleSpec("image", "uint8", (8, 8, 1))


def example(containing: str) -> str:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (block,) = (block for block in blocks if containing in block)
    return block


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Writes an example as a module in the current folder; gives the module's name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", ["/nowhere"])

    def write(containing: str) -> str:
        name = "page_" + "".join(c for c in tmp_path.name if c.isalnum())
        Path(f"{name}.py").write_text(example(containing))
        return name

    return write


def learns(section: dict) -> None:
    """The parts assemble by name, keep the interface, and lower the loss of easy episodes."""
    assembly = assemble_for(IMAGES, 3, section)
    check_inductive(assembly, IMAGES)
    rng = np.random.default_rng(0)
    prototypes = rng.random((4, 3, 8, 8, 1))
    x = tf.constant(prototypes + 0.1 * rng.random((4, 3, 8, 8, 1)), tf.float32)
    y = tf.tile(tf.range(3)[None], [4, 1])
    episodes = Episodes(x, y, tf.constant(prototypes, tf.float32), y)
    learner = assembly.learner
    weights = learner.init(0)
    first = learner.meta_gradients(weights, episodes, tf.constant(0.0))
    moved = tf.nest.map_structure(lambda w, g: w - 0.1 * g, weights, first.gradients)
    assert learner.meta_gradients(moved, episodes, tf.constant(0.0)).loss < first.loss


def test_the_learner(own):
    learns({"name": f"{own('def nearest(')}.nearest", "backbone": {"filters": 8, "blocks": 2}})


@pytest.mark.parametrize("learner", ["maml", "protonet"])
def test_the_backbone(own, learner):
    name = f"{own('def tiny(')}.tiny"
    learns({"name": learner, "backbone": {"name": name, "filters": 8}})
    assert own_code.learner_files({"backbone": {"name": name}})
    transductive = {"name": name, "normalisation": "transductive"}
    section = {"name": learner, "backbone": transductive}
    assert not assemble_for(IMAGES, 3, section).learner.inductive


def test_the_notebook():
    names: dict = {}
    exec(example("fit("), names)
    assert names["probabilities"].shape == (5, 5)
    np.testing.assert_allclose(names["probabilities"].sum(axis=1), 1.0, atol=1e-5)
    assert (names["probabilities"].argmax(axis=1) == np.arange(5)).mean() >= 0.8
    assert names["model"].losses[-5:].mean() < names["model"].losses[:5].mean()


def test_numpy_episodes_of_float_targets():
    x = np.random.default_rng(0).uniform(-1, 1, (8, 6, 1))
    episodes = Episodes(x[:, :3], 2 * x[:, :3], x[:, 3:], 2 * x[:, 3:])
    small = {"name": "maml", "inner_learning_rate": 0.01, "backbone": {"sizes": [8]}}
    model = fit(episodes, learner=small, steps=3, jit_compile=False)
    assert model.predict(x[0, :3], 2 * x[0, :3], x[0, 3:]).shape == (3, 1)


def test_numpy_episodes_of_texts():
    texts = {f"class {i}": [f"word{i} other{j}" for j in range(4)] for i in range(4)}
    section = {"name": "protonet", "backbone": {"buckets": 64, "size": 8}}
    model = fit(texts, ways=3, shots=1, queries=2, learner=section, steps=2, jit_compile=False)
    found = model.predict(["word1 a", "word2 a"], [0, 1], ["word2 b"])
    assert found.argmax() == 1


def test_too_few_examples_are_a_mistake():
    images = np.zeros((3, 4, 4, 1), np.uint8)
    with pytest.raises(UserError, match=r"2 classes of 4 examples: got 2 classes, .*'a', 'b' have"):
        fit({"a": images, "b": images}, ways=2, shots=1, queries=3)
    with pytest.raises(UserError, match=r"3 classes of 2 examples: got 2 classes\."):
        fit({"a": images, "b": images}, ways=3, shots=1, queries=1)
    with pytest.raises(UserError, match=r"square images .* got \[3, 4, 5, 1\]"):
        fit({"a": np.zeros((3, 4, 5, 1), np.uint8)}, ways=1, shots=1, queries=1)
    with pytest.raises(UserError, match=r"`training.stepz` is not an option"):
        fit({"a": images}, ways=1, shots=1, queries=1, stepz=3)

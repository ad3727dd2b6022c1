"""A model of phrases answers with one of the list in its folder, which may be changed."""

import numpy as np
import pytest
import tensorflow as tf

from components.meta_trainer.build import assemble_for
from components.meta_trainer.export.phrase_list import choose_phrases
from components.meta_trainer.export.saved_model import export
from components.modalities.base import ExampleSpec
from serving.client import FewShotClient
from serving.errors import UserError
from serving.saved_model import signatures as sig

SPEC = ExampleSpec("text", "string", (), phrases=True)
LEARNER = {"name": "r2d2", "backbone": {"name": "phrase_bag", "buckets": 64, "size": 4}}
REQUEST = {
    sig.SUPPORT_X: tf.constant([["een kat", "de hond", "een huis"]]),
    sig.SUPPORT_LABELS: tf.constant([["a cat", "the dog", ""]]),
    sig.QUERY_X: tf.constant([["de hond", "a cat"]]),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("phrases") / "model")
    assembly = assemble_for(SPEC, 1, LEARNER)
    phrases = ["a cat", "the dog", "good morning"]
    export(assembly, assembly.learner.init(0), folder, {}, phrases=phrases)
    return folder


def answers(folder: str) -> dict[str, np.ndarray]:
    function = tf.saved_model.load(folder).signatures[sig.ENCODED]
    return {name: tensor.numpy() for name, tensor in function(**REQUEST).items()}


def test_the_answer_is_the_phrase_of_the_largest_probability_and_the_list_may_be_changed(folder):
    outputs = answers(folder)
    assert outputs[sig.CLASS_NAMES].tolist() == [[b"a cat", b"the dog", b"good morning"]]
    assert outputs[sig.PREDICTED_LABELS].tolist() == [[b"the dog", b"a cat"]]
    np.testing.assert_allclose(outputs[sig.PROBABILITIES].sum(axis=-1), 1, rtol=1e-5)
    with open(f"{folder}/assets/phrases.txt", "w") as file:
        file.write("the dog\r\n goodbye \n")
    changed = answers(folder)
    assert changed[sig.CLASS_NAMES].tolist() == [[b"the dog", b"goodbye"]]


def test_the_client_gives_the_phrases_of_the_list(folder):
    with FewShotClient.connect(folder) as client:
        answer = client.classify({"the dog": ["de hond"], "a house": ["een huis"]}, ["de hond"])
    assert answer.labels == ["the dog"]
    assert "a house" not in answer.class_names


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("one\none\n", "two different phrases or more, one a line: .* has 1"),
        (None, "cannot be read"),
    ],
)
def test_a_file_of_phrases_that_cannot_be_used(tmp_path, content, message):
    path = tmp_path / "phrases.txt"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=message):
        choose_phrases(str(path), "unused")

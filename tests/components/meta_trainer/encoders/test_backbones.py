"""A tiny encoder through everything: distilled, meta-trained, exported, served raw strings."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from components import own_code
from components.episodes.types import Episodes
from components.few_shot_evaluator.model import ExportedModel
from components.meta_trainer.build import assemble_for
from components.meta_trainer.export.saved_model import export
from components.meta_trainer.fit import fit
from components.modalities.base import ExampleSpec
from pipeline.cli import main
from pipeline.encoder_command import encoder
from serving.client.disk_transport import DiskTransport
from serving.errors import UserError
from serving.protocol.model_spec import ModelSpec
from serving.saved_model import signatures as sig
from tests.tiny_encoder import SIZE, VOCABULARY, write_encoder

TEXTS = ExampleSpec("text", "string", ())
CLASSES = {
    word: [f"{word} the {other}" for other in ("table", "food", "play", "xyz", "sing")]
    for word in ("music", "song", "balance", "money", "éa", "bcd")
}


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> dict[str, str]:
    """The value of `path` for each backbone."""
    folder = tmp_path_factory.mktemp("encoder")
    table = folder / "table.npz"
    tiny = str(write_encoder(folder / "tiny"))
    done = CliRunner().invoke(encoder, ["distil", tiny, "--output", str(table), "--size", "8"])
    assert done.exit_code == 0 and f"{len(VOCABULARY)} tokens of 8 numbers" in done.output
    return {"static_text": str(table), "transformer_text": tiny}


@pytest.mark.parametrize(
    ("learner", "backbone", "steps"),
    [
        ({"name": "protonet"}, {"name": "static_text", "projection": 6, "gates": True}, 3),
        ({"name": "protonet"}, {"name": "transformer_text", "projection": 0}, 0),
    ],
    ids=["trained", "frozen"],
)
def test_trained_exported_and_served_are_the_same(
    learner, backbone, steps, paths, tmp_path, monkeypatch
):
    monkeypatch.setenv("FEWSHOT_CACHE_DIR", str(tmp_path / "cache"))
    section = learner | {"backbone": backbone | {"path": paths[backbone["name"]]}}
    model = fit(CLASSES, ways=3, queries=2, steps=3, episodes_per_step=2, learner=section)
    assert len(model.losses) == steps and np.isfinite(model.losses).all()
    support = [texts[0] for texts in list(CLASSES.values())[:3]]
    queries = [texts[1] for texts in list(CLASSES.values())[:3]]
    trained = model.predict(support, np.arange(3), queries)

    export(model.assembly, model.weights, str(tmp_path / "1"), {})
    served = DiskTransport(tmp_path, ModelSpec("model"))

    def serve(queries: list[str]) -> np.ndarray:
        inputs = {
            sig.SUPPORT_X: np.array([[t.encode() for t in [*support, ""]]], object),
            sig.SUPPORT_LABELS: np.array([[b"a", b"b", b"c", b""]], object),
            sig.QUERY_X: np.array([[t.encode() for t in queries]], object),
        }
        outputs = served.run(sig.ENCODED, inputs, 60).outputs
        order = [outputs[sig.CLASS_NAMES][0].tolist().index(name) for name in (b"a", b"b", b"c")]
        return outputs[sig.PROBABILITIES][0][:, order]

    np.testing.assert_allclose(serve(queries), trained, atol=1e-5)
    np.testing.assert_allclose(serve(queries[1:2]), trained[1:2], atol=1e-5)
    # As the evaluator calls it: each text encoded once, and its baselines on those features.
    exported = ExportedModel(str(tmp_path / "1"), model.assembly.task)
    arrays = [np.array([[t.encode() for t in texts]], object) for texts in (support, queries)]
    y = np.arange(3, dtype=np.int32)[None]
    episodes = Episodes(arrays[0], y, arrays[1], y)
    np.testing.assert_allclose(exported.predict(episodes)[0], trained, atol=1e-5)
    assert exported.has_encoder
    none = Episodes(*(part[:0] for part in episodes))
    assert not len(exported.encode(none).query_x)
    features = exported.encode(episodes)
    untrained = assemble_for(TEXTS, 3, section)
    x = untrained.modality.prepare(tf.constant(arrays[1]))
    weights = untrained.learner.init(0)
    start, _ = untrained.learner.network.features(weights, x)
    of_start = features.query_x @ weights["body"].get("projection", np.eye(SIZE))
    cosines = np.sum(unit(of_start) * unit(start), axis=-1)
    np.testing.assert_allclose(cosines, 1.0, atol=1e-5)
    metadata = json.loads((tmp_path / "1" / sig.METADATA_FILE).read_text())
    assert metadata["encoder"]["licence"] == "apache-2.0"


def unit(x) -> np.ndarray:
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@pytest.mark.parametrize(
    "backbone", [{"name": "static_text", "trainable": True}, {"name": "transformer_text"}]
)
@pytest.mark.parametrize("learner", ["maml", "anil", "proto_maml"])
def test_learners_with_steps_train_over_an_encoder(learner, backbone, paths):
    section = {"name": learner, "inner_steps": 1}
    section |= {"backbone": backbone | {"path": paths[backbone["name"]], "projection": 4}}
    assembly = assemble_for(TEXTS, 2, section)
    x = assembly.modality.prepare(tf.constant([["the song", "money"], ["food", "play music"]]))
    y = tf.constant([[0, 1], [1, 0]])
    weights = assembly.learner.init(0)
    found = assembly.learner.meta_gradients(weights, Episodes(x, y, x, y), tf.constant(0.0))
    assert all(np.any(tf.convert_to_tensor(g)) for g in found.gradients["body"].values())


def test_frozen_weights_are_neither_trained_nor_adapted(paths):
    section = static(paths, trainable=False, gates=True, projection=6)
    assembly = assemble_for(TEXTS, 3, {"backbone": section})
    weights = assembly.learner.init(0)
    assert set(weights["body"]) == {"projection", "token_gates"}
    assert assembly.learner.network.backbone.frozen_names >= {"token_gates"}
    frozen = {"name": "transformer_text", "path": paths["transformer_text"]}
    assembly = assemble_for(TEXTS, 3, {"backbone": frozen | {"projection": 0}})
    assert not assembly.learner.init(0)["body"]
    assert assembly.learner.network.backbone.feature_size == SIZE


def static(paths, **options) -> dict:
    return {"name": "static_text", "path": paths["static_text"]} | options


@pytest.mark.parametrize("name", ["meta_lstm", "maml_plus_plus"])
def test_a_learner_that_makes_no_sense_on_an_encoder_is_refused(name, paths):
    with pytest.raises(UserError, match=f"makes sense on a pretrained encoder.*got '{name}'"):
        assemble_for(TEXTS, 3, {"name": name, "backbone": static(paths)})


def test_data_of_another_kind_are_refused(paths):
    images = ExampleSpec("image", "uint8", (8, 8, 1))
    with pytest.raises(UserError, match=r"must be a backbone for image.*'static_text' takes text"):
        assemble_for(images, 3, {"backbone": static(paths)})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"path": "nowhere.npz"}, "must be the path of a token table: got 'nowhere.npz'. Make one"),
        ({"path": __file__}, "must be a token table: .* Make one with"),
        ({"name": "transformer_text", "path": "gt-none"}, "an installed package that holds one"),
        ({"name": "transformer_text", "trainable": True}, "must be false for 'transformer_text'"),
    ],
)
def test_what_is_missing_or_wrong_is_one_sentence(paths, options, words):
    with pytest.raises(UserError, match=words):
        assemble_for(TEXTS, 3, {"backbone": static(paths) | options})


def test_a_run_stops_at_once_where_its_encoder_is_missing(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("learner: {name: protonet, backbone: {name: static_text, path: none.npz}}")
    done = CliRunner().invoke(main, ["run", "--config", str(path)])
    assert (
        done.exit_code == 2 and "must be the path of a token table: got 'none.npz'" in done.output
    )


def test_another_table_runs_the_trainer_anew(paths):
    assert paths["static_text"] in own_code.learner_files({"backbone": static(paths)})
    folder = {"backbone": {"name": "transformer_text", "path": paths["transformer_text"]}}
    files = {Path(file).name for file in own_code.learner_files(folder)}
    assert {"model.safetensors", "vocab.txt"} <= files


def test_an_empty_text_has_finite_features(paths):
    for name, path in paths.items():
        assembly = assemble_for(TEXTS, 3, {"backbone": {"name": name, "path": path}})
        x = assembly.modality.prepare(tf.constant([["", "the song"]]))
        features, _ = assembly.learner.network.features(assembly.learner.init(0), x)
        assert np.isfinite(features).all()

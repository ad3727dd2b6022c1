"""A classifier that was taken away answers as the model does that it was adapted from."""

import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from components.meta_trainer.export.calibration import Calibration
from components.meta_trainer.export.saved_model import export
from components.specialise.classifier import Classifier, adapt_once
from components.specialise.saved_model import write_saved_model
from components.specialise.tflite import FLOAT32, INT8, LABELS, write_tflite
from pipeline.cli import main
from serving import zoo
from serving.client import FewShotClient
from serving.errors import UserError
from serving.saved_model import signatures as sig
from tests.serving.exported.small_exports import MODELS, PICTURE, Model

NUMBERED = {"name": "maml", "inner_steps": 2, "head": "numbered"}
LEARNERS = {
    "maml-numbered": Model(
        MODELS["images-maml"].spec, NUMBERED | {"backbone": {"filters": 4, "blocks": 2}}
    ),
    "texts": MODELS["texts-protonet"],
}
WORDS = ["refund my money", "play some music", "weather in Rome", "book a table", "set an alarm"]


def png(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, PICTURE, np.uint8)
    return tf.io.encode_png(pixels).numpy()


def support_of(model: Model) -> dict[str, list[bytes]]:
    if model.spec.modality == "text":
        return {word.split()[0]: [word.encode(), (word + " now").encode()] for word in WORDS}
    return {name: [png(n), png(n + 10)] for n, name in enumerate(["owl", "fox", "elk"])}


def queries_of(model: Model) -> list[bytes]:
    texts = [b"my money", b"music and weather"]
    return texts if model.spec.modality == "text" else [png(30), png(31), png(32)]


@pytest.fixture(scope="module", params=LEARNERS)
def taken(request, tmp_path_factory) -> tuple[Model, Path, Path]:
    """A model, its export and the classifier of it."""
    model, folder = LEARNERS[request.param], tmp_path_factory.mktemp(request.param)
    assembly = model.assemble()
    weights, about = assembly.learner.init(0), {"learner_options": model.learner}
    export(assembly, weights, str(folder / "model"), about, Calibration(temperature=0.5))
    classifier = adapt_once(str(folder / "model"), model.learner, support_of(model))
    write_saved_model(classifier, folder / "classifier", made_from="here")
    return model, folder / "model", folder / "classifier"


def test_it_answers_as_the_model_that_was_adapted(taken):
    model, folder, classifier = taken
    support, queries = support_of(model), queries_of(model)
    if model.spec.modality == "text":
        support = {name: [text.decode() for text in texts] for name, texts in support.items()}
        queries = [text.decode() for text in queries]
    with FewShotClient.connect(str(folder)) as client:
        expected = client.classify(support, queries)
        with pytest.raises(UserError, match="give a few-shot model a support set"):
            client.predict(queries)
    with FewShotClient.connect(str(classifier)) as client:
        found = client.predict(queries)
        one = client.predict(queries[:1])
        with pytest.raises(UserError, match="takes no support set"):
            client.classify(support, queries)
    order = [found.class_names.index(name) for name in expected.class_names]
    np.testing.assert_allclose(found.probabilities[:, order], expected.probabilities, atol=1e-5)
    np.testing.assert_allclose(one.probabilities, found.probabilities[:1], atol=1e-6)
    assert found.labels == expected.labels and sorted(found.class_names) == sorted(support)


def test_it_is_smaller_frozen_and_of_one_input(taken):
    model, _, classifier = taken
    sizes = [sum(f.stat().st_size for f in d.rglob("*") if f.is_file()) for d in taken[1:]]
    assert sizes[1] < sizes[0] / 2
    loaded = tf.saved_model.load(str(classifier))
    assert set(loaded.signatures) == {sig.ADAPT_AND_PREDICT}
    (name,) = loaded.signatures[sig.ADAPT_AND_PREDICT].structured_input_signature[1]
    assert name == (sig.TEXTS if model.spec.modality == "text" else sig.FILES)
    assert not tf.train.list_variables(str(classifier / "variables/variables"))[1:]
    about = json.loads((classifier / sig.METADATA_FILE).read_text())["classifier"]
    assert sorted(about["classes"]) == sorted(support_of(model))


def interpret(path: Path, images: np.ndarray) -> np.ndarray:
    interpreter = tf.lite.Interpreter(str(path))
    interpreter.allocate_tensors()
    (given,), (out,) = interpreter.get_input_details(), interpreter.get_output_details()
    answers = []
    for image in images:
        interpreter.set_tensor(given["index"], image[None])
        interpreter.invoke()
        answers.append(interpreter.get_tensor(out["index"])[0])
    return np.stack(answers)


def test_on_a_phone(taken, tmp_path):
    model, folder, _ = taken
    classifier: Classifier = adapt_once(str(folder), model.learner, support_of(model))
    if model.spec.modality == "text":
        with pytest.raises(UserError, match="TensorFlow Lite does not read texts"):
            write_tflite(classifier, tmp_path / "phone")
        assert not (tmp_path / "phone").exists()
        return
    write_tflite(classifier, tmp_path / "phone")
    images = np.random.default_rng(5).integers(0, 256, (4, *PICTURE), np.uint8)
    expected = classifier.probabilities(tf.constant(images))
    float32, int8 = (interpret(tmp_path / "phone" / name, images) for name in (FLOAT32, INT8))
    np.testing.assert_allclose(float32, expected, atol=1e-5)
    np.testing.assert_allclose(int8, expected, atol=0.1)
    labels = (tmp_path / "phone" / LABELS).read_text()
    assert labels.split() == classifier.classes
    assert zipfile.ZipFile(tmp_path / "phone" / INT8).read(LABELS).decode() == labels


def test_a_model_of_another_learner_is_refused(taken):
    model, folder, _ = taken
    if model.spec.modality == "image":
        return  # the same, and slower
    other = model.learner | {"backbone": model.learner["backbone"] | {"normalisation": "support"}}
    with pytest.raises(UserError, match=r"answers otherwise|differs in"):
        adapt_once(str(folder), other, support_of(model))
    with pytest.raises(UserError, match="must have the weights of its learner, r2d2"):
        adapt_once(str(folder), {"name": "r2d2"}, support_of(model))


def test_the_commands(tmp_path):
    model = LEARNERS["texts"]
    assembly = model.assemble()
    weights, about = assembly.learner.init(0), {"learner_options": model.learner}
    export(assembly, weights, str(tmp_path / "model"), about)
    rows = [f"{text.decode()},{name}" for name, ts in support_of(model).items() for text in ts]
    (tmp_path / "support.csv").write_text("\n".join(["text,label", *rows]))

    def call(*words, status=0):
        done = CliRunner().invoke(main, [str(word) for word in words])
        assert done.exit_code == status, done.output
        return done.output

    words = ["specialise", "--model", tmp_path / "model", "--output", tmp_path / "mine"]
    words += ["--support", tmp_path / "support.csv"]
    assert "5 classes" in call(*words)
    assert "must be a new folder" in call(*words, status=2)
    (answer,) = call("query", "--json", "--model", tmp_path / "mine", "play music").splitlines()
    assert set(json.loads(answer)["probabilities"]) == set(support_of(model))
    told = call("query", "--model", tmp_path / "model", "play music", status=2)
    assert "`--support` must be given" in told


def test_the_snippet_of_the_page(taken, tmp_path, monkeypatch, capsys):
    model, _, classifier = taken
    if model.spec.modality == "text":
        return
    (tmp_path / "my_classifier").symlink_to(classifier)
    (tmp_path / "unknown.png").write_bytes(png(30))
    monkeypatch.chdir(tmp_path)
    page = (Path(zoo.__file__).parent / "README.md").read_text()
    snippet = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[-1]
    exec(snippet, {})
    name, probability = capsys.readouterr().out.split()
    assert name in support_of(model) and 0 < float(probability) <= 1

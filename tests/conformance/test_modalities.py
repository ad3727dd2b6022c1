"""Text and speech through the export: the promises of the SavedModel, for every learner.

Shape letters: E episodes, S support examples, Q query examples, N ways.
"""

import io
import wave

import numpy as np
import pytest
import tensorflow as tf

from components.episodes.record import EpisodeSetRecord
from components.meta_trainer.build import assemble
from components.meta_trainer.export.saved_model import export
from components.modalities.base import ExampleSpec
from serving.saved_model import signatures as sig

WAYS, RATE = 3, 8_000
TEXTS = ["play music", "a song", "my balance", "money left", "book a table", "some food"]
LEARNERS = {
    "protonet": {},
    "maml": {"inner_steps": 1},
}
BACKBONES = {
    "text": {"buckets": 64, "size": 8, "layers": 1, "hidden": 6},
    "audio": {"filters": 4, "blocks": 2, "descriptors": "spectrum"},
}
SPECS = {
    "text": ExampleSpec("text", "string", ()),
    "audio": ExampleSpec("audio", "float32", (None,), sample_rate=RATE, max_seconds=1.0),
}


def tone(hertz: float, samples: int) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(samples) / RATE)).astype(np.float32)


def wav(samples: np.ndarray, rate: int = RATE, channels: int = 1) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        file.writeframes(np.repeat(np.round(samples * 32_768).astype("<i2"), channels).tobytes())
    return buffer.getvalue()


def examples(modality: str) -> list:
    """Six examples, two of each class."""
    if modality == "text":
        return list(TEXTS)
    # Of 16 bits, so that a wav file holds the very same.
    tones = [tone(200 * (i + 1), 900 + 200 * i) for i in range(6)]
    return [np.round(samples * 32_768).astype(np.float32) / 32_768 for samples in tones]


def stacked(chosen: list, length: int = 2_000) -> np.ndarray:
    """`[1, B, ...]`; recordings are padded with zeros."""
    if isinstance(chosen[0], str):
        return np.array([[text.encode() for text in chosen]], object)
    return np.stack([np.pad(samples, (0, length - len(samples))) for samples in chosen])[None]


@pytest.fixture(
    scope="module", params=[(m, name) for m in SPECS for name in LEARNERS], ids="-".join
)
def served(request, tmp_path_factory):
    """(modality, signatures) of a fresh export."""
    modality, learner = request.param
    record = EpisodeSetRecord(2, SPECS[modality], WAYS, 1, 1, {}, 0, {}, {}, {})
    section = {"name": learner, "backbone": BACKBONES[modality]} | LEARNERS[learner]
    assembly = assemble(record, section)
    path = str(tmp_path_factory.mktemp("model") / "1")
    export(assembly, assembly.learner.init(0), path, {})
    loaded = tf.saved_model.load(path)
    yield modality, loaded.signatures
    del loaded


def ask(signatures, support, query, y=(0, 1, 2), **changed) -> np.ndarray:
    inputs = {
        sig.SUPPORT_X: support,
        sig.SUPPORT_Y: np.array([y], np.int32),
        sig.QUERY_X: query,
    } | changed
    outputs = signatures[sig.ADAPT_AND_PREDICT](**{n: tf.constant(x) for n, x in inputs.items()})
    return outputs[sig.PROBABILITIES].numpy()


def test_a_query_alone_is_answered_as_among_others(served):
    modality, signatures = served
    all_ = examples(modality)
    together = ask(signatures, stacked(all_[::2]), stacked(all_[1::2]))
    for query in range(3):
        alone = ask(signatures, stacked(all_[::2]), stacked(all_[1::2][query : query + 1]))
        np.testing.assert_allclose(alone, together[:, query : query + 1], atol=1e-5)
    assert np.ptp(together, axis=-1).min() > 1e-6  # it does answer something


def test_padding_in_the_support_set_changes_nothing(served):
    modality, signatures = served
    all_ = examples(modality)
    plain = ask(signatures, stacked(all_[::2]), stacked(all_[1::2]))
    padded = ask(signatures, stacked([*all_[::2], all_[1]]), stacked(all_[1::2]), y=(0, 1, 2, -1))
    np.testing.assert_allclose(padded, plain, atol=1e-5)


def test_zeros_after_a_recording_change_nothing(served):
    modality, signatures = served
    if modality != "audio":
        pytest.skip("texts are not padded")
    all_ = examples(modality)
    plain = ask(signatures, stacked(all_[::2]), stacked(all_[1::2]))
    longer = ask(signatures, stacked(all_[::2], 7_777), stacked(all_[1::2], 3_333))
    np.testing.assert_allclose(longer, plain, atol=1e-5)


def encoded(modality: str, chosen: list) -> np.ndarray:
    files = [text.encode() for text in chosen] if modality == "text" else [wav(x) for x in chosen]
    return np.array([files], object)


def ask_encoded(signatures, modality, support, query):
    labels = np.array([[b"one", b"two", b"three"]], object)
    return signatures[sig.ENCODED](
        support_x=tf.constant(encoded(modality, support)),
        support_labels=tf.constant(labels),
        query_x=tf.constant(query),
    )


def test_the_encoded_signature_agrees_with_the_default_one(served):
    modality, signatures = served
    all_ = examples(modality)
    outputs = ask_encoded(signatures, modality, all_[::2], encoded(modality, all_[1::2]))
    names = outputs[sig.CLASS_NAMES].numpy()[0].tolist()
    y = [names.index(name) for name in (b"one", b"two", b"three")]
    wanted = ask(signatures, stacked(all_[::2]), stacked(all_[1::2]), y=y)
    np.testing.assert_allclose(outputs[sig.PROBABILITIES], wanted, atol=1e-4)


def wrong_queries(modality: str) -> list[tuple[bytes, str]]:
    if modality == "text":
        return [(b"", "no empty string"), (b"  \n", "no empty string")]
    return [
        (wav(tone(200, 0)), "0 seconds"),
        (wav(tone(200, 100), rate=44_100, channels=2), "44100 samples a second and 2 channel"),
        (wav(tone(200, RATE + 1)), "at most 8000 samples"),
        (b"no recording", "must be a wav file"),
    ]


def test_a_wrong_query_is_one_sentence_that_names_the_input(served):
    modality, signatures = served
    support = examples(modality)[::2]
    for query, words in wrong_queries(modality):
        with pytest.raises(tf.errors.InvalidArgumentError) as refused:
            ask_encoded(signatures, modality, support, np.array([[query]], object))
        assert "`query_x`" in refused.value.message and words in refused.value.message


def test_the_default_signature_takes_no_empty_example(served):
    modality, signatures = served
    support = stacked(examples(modality)[::2])
    empty = np.array([[b""]], object) if modality == "text" else np.zeros((1, 1, 0), np.float32)
    with pytest.raises(tf.errors.InvalidArgumentError, match="`query_x` must hold"):
        ask(signatures, support, empty)

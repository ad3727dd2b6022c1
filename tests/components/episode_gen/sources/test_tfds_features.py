"""Which feature is what, and what becomes of it; no data set needed."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from components.episode_gen.options import DataOptions
from components.episode_gen.sources.tfds_features import find_features, input_reader, value_names
from components.modalities.image import standardise
from serving.errors import UserError

IMAGE = tfds.features.Image(shape=(None, None, 3))
LABEL = tfds.features.ClassLabel(names=["cat", "dog"])
TEXT = tfds.features.Text()
SOUND = tfds.features.Audio()
NUMBER = tfds.features.Scalar(np.int64)


def find(features: dict, builder_name: str = "some", **options):
    info = SimpleNamespace(features=tfds.features.FeaturesDict(features))
    builder = SimpleNamespace(name=builder_name, info=info)
    return find_features(builder, DataOptions(source="tfds", name="some", **options))


@pytest.mark.parametrize(
    ("features", "names"),
    [
        ({"image": IMAGE, "label": LABEL}, ("image", "label", None)),
        ({"image": IMAGE, "label": LABEL, "alphabet": LABEL}, ("image", "label", "alphabet")),
        ({"photo": IMAGE, "breed": LABEL, "file": TEXT}, ("photo", "breed", None)),
        (
            {"text": TEXT, "intent": NUMBER, "intent_name": TEXT, "domain_name": TEXT},
            ("text", "intent_name", "domain_name"),
        ),
    ],
)
def test_the_guess(features, names):
    assert find(features)[:3] == names


def test_the_speaker_of_a_spoken_digit_is_in_its_file_name():
    features = {"audio": SOUND, "audio/filename": TEXT, "label": LABEL}
    names = find(features, builder_name="spoken_digit")
    assert names[:3] == ("audio", "label", "audio/filename")
    assert value_names(TEXT, names.group_pattern)(b"7_theo_12.wav") == "theo"


def test_a_pattern_that_finds_no_group():
    with pytest.raises(UserError, match=r"`data\.group_pattern` .* finds none in 'seven'"):
        value_names(TEXT, "_(.+)_")(b"seven")


def test_recordings_of_another_rate_are_refused():
    sound = tfds.features.Audio(sample_rate=8_000)
    with pytest.raises(UserError, match=r"`data\.sample_rate` must be that of .*8000: got 16000"):
        input_reader(sound, DataOptions(source="tfds", name="some"))


def test_what_is_configured_wins():
    features = {"image": IMAGE, "label": LABEL, "side": IMAGE, "breed": LABEL, "owner": TEXT}
    chosen = find(features, input_feature="side", label_feature="breed", group_feature="owner")
    assert chosen[:3] == ("side", "breed", "owner")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_feature": "picture"}, r"`data\.input_feature` .*\(image, label\): got 'picture'"),
        ({"split_by": "group"}, r"`data\.group_feature` .* got none, and none could be guessed"),
    ],
)
def test_a_feature_that_is_not_there(options, message):
    with pytest.raises(UserError, match=message):
        find({"image": IMAGE, "label": LABEL}, **options)


def test_class_names_are_the_data_sets_own():
    assert value_names(LABEL)(np.int64(1)) == "dog"
    assert value_names(TEXT)(b"transfer") == "transfer"
    assert value_names(NUMBER)(np.int64(7)) == "7"


def read(feature, values, signature, **options) -> list:
    reader = input_reader(feature, DataOptions(source="tfds", name="some", **options))
    dataset = tf.data.Dataset.from_generator(lambda: values, output_signature=signature)
    return [reader.spec.from_bytes(stored) for stored in reader.read(dataset, 2)]


@pytest.mark.parametrize("one_size", [True, False])
def test_images_are_resized_like_a_single_one_that_is_served(one_size):
    rng = np.random.default_rng(0)
    sizes = [(20, 20)] * 3 if one_size else [(20, 30), (9, 40), (50, 11)]
    images = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]
    shape = (20, 20, 3) if one_size else (None, None, 3)
    feature = tfds.features.Image(shape=shape)
    found = read(feature, images, tf.TensorSpec(shape, tf.uint8), image_size=14, image_channels=3)
    for have, image in zip(found, images, strict=True):
        assert np.array_equal(have, standardise(tf.constant(image), size=14, channels=3))


def test_whole_numbers_of_audio_become_fractions():
    feature = tfds.features.Audio(dtype=np.int64)
    values = [np.array([0, 16384, -32768]), np.array([1])]
    first, second = read(feature, values, tf.TensorSpec((None,), tf.int64))
    assert first.tolist() == [0.0, 0.5, -1.0]
    assert second.tolist() == [1 / 32768]


def test_text_stays_text():
    assert read(TEXT, [b"pay", "größer".encode(), b""], tf.TensorSpec((), tf.string)) == [
        "pay",
        "größer",
        "",
    ]


def test_other_kinds_of_input_are_refused():
    with pytest.raises(UserError, match="must be an image, audio or text feature"):
        input_reader(NUMBER, DataOptions(source="tfds", name="some"))

"""Which feature of a TFDS data set is the input, the class and the group, and how to read it."""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from components.episode_gen.options import DataOptions
from components.episode_gen.sources.image_files import image_spec
from components.episode_gen.sources.recording_files import audio_spec
from components.modalities.base import ExampleSpec
from serving.errors import UserError

# In the order in which they are tried.
LABEL_NAMES = ("label", "intent_name", "intent", "class", "fine_label")
KNOWN_GROUPS = {"spoken_digit": ("audio/filename", "_(.+)_")}
"""Data sets whose group hides in another feature: its name, and where in it (`group_pattern`)."""
GROUP_NAMES = ("alphabet", "speaker", "domain_name", "domain", "coarse_label", "superclass")


class FeatureNames(NamedTuple):
    """The names of the features to read."""

    input: str  # feature that holds the example
    label: str  # feature that holds the class
    group: str | None  # feature that holds the group, or None
    # Regular expression whose first parenthesis is the group; None for the whole value.
    group_pattern: str | None = None


class InputReader(NamedTuple):
    """Reads the examples of a TFDS data set."""

    spec: ExampleSpec  # shape, dtype and preparation of the stored examples
    # Function (dataset of one feature, batch size) -> the stored bytes of each example, in order.
    read: Callable[[Any, int], Iterator[bytes]]


def find_features(builder: Any, data: DataOptions) -> FeatureNames:
    """Finds the configured features, or guesses them by kind and name.

    Raises:
      UserError: a configured feature is not there, or nothing could be guessed.
    """
    import tensorflow_datasets as tfds

    features = dict(builder.info.features)
    inputs = [
        name
        for kind in (tfds.features.Image, tfds.features.Audio, tfds.features.Text)
        for name, feature in features.items()
        # Text comes last, and class names are texts too.
        if isinstance(feature, kind) and name not in (*LABEL_NAMES, *GROUP_NAMES)
    ]
    class_labels = [
        name for name, feature in features.items() if isinstance(feature, tfds.features.ClassLabel)
    ]
    labels = [name for name in LABEL_NAMES if name in features] + class_labels
    hidden, pattern = KNOWN_GROUPS.get(builder.name, ("", None))
    groups = [name for name in (hidden, *GROUP_NAMES) if name in features]
    group = data.group_feature or (groups[0] if groups else None)
    names = FeatureNames(
        _choose("input_feature", data.input_feature, inputs, features, data.name),
        _choose("label_feature", data.label_feature, labels, features, data.name),
        group,
        data.group_pattern or (pattern if group == hidden else None),
    )
    if data.group_feature is not None or data.split_by != "class":
        _choose("group_feature", data.group_feature, groups, features, data.name)
    return names


def _choose(
    option: str, configured: str | None, guesses: list[str], features: dict, dataset: str | None
) -> str:
    if configured is None and guesses:
        return guesses[0]
    if configured is not None and configured in features:
        return configured
    raise UserError(
        f"`data.{option}` must name a feature of {dataset!r} ({', '.join(sorted(features))}): got "
        f"{'none, and none could be guessed' if configured is None else repr(configured)}."
    )


def value_names(feature: Any, pattern: str | None = None) -> Callable[[Any], str]:
    """A function from a value of a class or group feature to its name.

    The function raises UserError where `pattern` finds nothing in a value.
    """
    if hasattr(feature, "int2str"):
        names = list(feature.names)
        return lambda value: names[int(value)]

    def name(value: Any) -> str:
        text = value.decode() if isinstance(value, bytes) else str(value)
        if pattern is None:
            return text
        found = re.search(pattern, text)
        if found is None:
            raise UserError(
                f"`data.group_pattern` must find a group in every value: {pattern!r} finds none in "
                f"{text!r}."
            )
        return found.group(1)

    return name


def input_reader(feature: Any, data: DataOptions) -> InputReader:
    """Makes the reader of a feature of images, audio or text.

    Raises:
      UserError: the feature is none of these.
    """
    import tensorflow_datasets as tfds

    if isinstance(feature, tfds.features.Image):
        return _images(feature, data)
    if isinstance(feature, tfds.features.Audio):
        return _sounds(feature, data)
    if isinstance(feature, tfds.features.Text):
        return InputReader(ExampleSpec("text", "string", ()), _read_text)
    raise UserError(
        f"`data.input_feature` must be an image, audio or text feature of {data.name!r}: "
        f"got a {type(feature).__name__}."
    )


def _images(feature: Any, data: DataOptions) -> InputReader:
    from components.modalities.image import standardise

    size, channels = data.image_size, data.image_channels
    spec = image_spec(data)
    # Images of one size are resized many at a time.
    one_size = None not in feature.shape

    def read(dataset: Any, batch_size: int) -> Iterator[bytes]:
        def resize(images: Any) -> Any:
            return standardise(images[..., :3], size=size, channels=channels)

        if one_size:
            resized = dataset.batch(batch_size).map(resize, num_parallel_calls=-1)
        else:
            resized = dataset.map(resize, num_parallel_calls=-1).batch(batch_size)
        for batch in resized.prefetch(2).as_numpy_iterator():
            yield from (image.tobytes() for image in batch)

    return InputReader(spec, read)


def _sounds(feature: Any, data: DataOptions) -> InputReader:
    rate = getattr(feature, "sample_rate", None)
    if rate is not None and rate != data.sample_rate:
        raise UserError(
            f"`data.sample_rate` must be that of {data.name!r}, {rate}: got {data.sample_rate}."
        )
    return InputReader(audio_spec(data), _read_audio)


def _read_audio(dataset: Any, batch_size: int) -> Iterator[bytes]:
    """Whole numbers are 16-bit samples: scaled to -1..1."""
    del batch_size  # the recordings differ in length
    for samples in dataset.as_numpy_iterator():
        scale = 1.0 if samples.dtype.kind == "f" else 1.0 / 32768.0
        yield (samples.astype(np.float32) * np.float32(scale)).tobytes()


def _read_text(dataset: Any, batch_size: int) -> Iterator[bytes]:
    for batch in dataset.batch(batch_size).as_numpy_iterator():
        yield from batch

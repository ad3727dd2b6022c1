"""A classifier as TensorFlow Lite files, for phones: float32, and weights of 8 bits.

Input: one example as stored, `[1, *example]` (an image: uint8). Output: probabilities `[1, N]`. The
classes' names, in that order, are in `labels.txt`, beside the files and inside each of them (a
TensorFlow Lite file may have a zip archive at its end).
"""

import zipfile
from pathlib import Path

import tensorflow as tf

from components.specialise.classifier import Classifier
from serving import atomic
from serving.errors import UserError

FLOAT32, INT8, LABELS = "model.tflite", "model_int8.tflite", "labels.txt"


def write_tflite(classifier: Classifier, folder: Path) -> None:
    """Writes the files to a new folder, which appears there whole.

    Raises:
      UserError: TensorFlow Lite has not all operations that this model needs.
    """
    labels = "".join(f"{name}\n" for name in classifier.classes)
    with atomic.replacement(folder) as temporary:
        for name, optimizations in ((FLOAT32, []), (INT8, [tf.lite.Optimize.DEFAULT])):
            path = Path(temporary, name)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(convert(classifier, optimizations))
            with zipfile.ZipFile(path, "a") as archive:
                archive.writestr(LABELS, labels)
        Path(temporary, LABELS).write_text(labels, encoding="utf-8")


def convert(classifier: Classifier, optimizations: list[tf.lite.Optimize]) -> bytes:
    """The content of a TensorFlow Lite file; with `DEFAULT`, weights are int8 (dynamic range)."""
    spec = classifier.assembly.modality.spec
    if spec.dtype == "string" or None in spec.shape:
        raise UserError(
            "`--format tflite` must be for examples of one shape: TensorFlow Lite does not read "
            f"{spec.modality}s as this model does. Take `--format saved_model`."
        )
    example = tf.TensorSpec([1, *spec.shape], tf.as_dtype(spec.dtype), "example")
    function = tf.function(
        lambda example: {"probabilities": classifier.probabilities(example)}, autograph=False
    ).get_concrete_function(example)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
    converter.optimizations = optimizations
    try:
        return converter.convert()
    except Exception as error:  # of many types, with traces of the compiler
        reason = str(error).strip().splitlines()[0]
        raise UserError(
            f"`--format tflite` must be for a model of TensorFlow Lite's operations: {reason}. "
            "Take `--format saved_model`."
        ) from error

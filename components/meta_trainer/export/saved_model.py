"""Writing the SavedModel that adapts, and what it says of itself."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from components.meta_trainer.build import Assembly
from components.meta_trainer.export.calibration import UNCALIBRATED, Calibration
from components.meta_trainer.export.phrase_list import FILE_NAME, PhraseList
from components.meta_trainer.export.served_learner import ServedLearner
from components.meta_trainer.types import Weights
from serving import atomic
from serving.saved_model import signatures as sig


def export(
    assembly: Assembly,
    weights: Weights,
    directory: str,
    about: dict[str, Any],
    calibration: Calibration = UNCALIBRATED,
    statistics: Weights | None = None,
    phrases: Sequence[str] = (),
) -> None:
    """Writes the SavedModel to `directory`, which must not exist; it appears there whole.

    `about` holds further entries of `fewshot_model.json`; `calibration` and `statistics`, those of
    `features.mean_statistics`, are folded into the graph. `phrases` are those that a model of
    phrases chooses from, in the file `assets/phrases.txt`.
    """
    with tempfile.TemporaryDirectory() as folder:
        phrase_list = None
        if phrases:
            path = os.path.join(folder, FILE_NAME)
            Path(path).write_text("".join(f"{one}\n" for one in phrases), encoding="utf-8")
            phrase_list = PhraseList(path)
        model = ServedLearner(assembly, weights, calibration, statistics, phrase_list)
        _save(model, assembly, directory, calibration.to_json() | about)


def _save(
    model: ServedLearner, assembly: Assembly, directory: str, entries: dict[str, Any]
) -> None:
    """Writes the model and, with further `entries`, its metadata."""
    # Nobody differentiates an exported model; tracing gradients of gradients would take minutes.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    with atomic.replacement(directory) as temporary:
        tf.saved_model.save(model, temporary, signatures=model.signatures(), options=options)
        path = os.path.join(temporary, sig.METADATA_FILE)
        atomic.write_json(path, metadata(assembly, model) | entries)


def metadata(assembly: Assembly, model: ServedLearner) -> dict[str, Any]:
    """The entries of `fewshot_model.json` that say how the model may be used.

    For regression there are no `ways` and `max_ways`: the classes of a training episode, and the
    most that a request may have. `starts_from_support` is true where what it predicts before its
    first inner step depends on the support set. `serves` says which ways, shots and steps it
    serves, in words; `withheld_signatures` are those that it does not offer, and why. `encoder`
    names a pretrained encoder, its source, licence as stated and sha256.
    """
    learner = assembly.learner
    encoder = learner.network.backbone.encoder
    ways = {"ways": learner.network.outputs, "max_ways": model.max_ways}
    return {
        "learner": assembly.learner_name,
        "example_spec": assembly.modality.spec.to_json(),
        **(ways if assembly.task.classes else {}),
        "protocol": "inductive" if learner.inductive else "transductive",
        "serves": learner.traits.serves._asdict(),
        "task": assembly.task.name,
        "withheld_signatures": model.withheld,
        **({"starts_from_support": True} if learner.traits.starts_from_support else {}),
        **({"encoder": dict(encoder.about)} if encoder else {}),
    }

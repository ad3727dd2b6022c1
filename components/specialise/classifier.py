"""A few-shot model adapted once: a classifier of those classes, without a support set.

    p(y | x) = predict(theta, adapt(theta, S), x)     with theta and adapt(theta, S) constants

Shape letters: E episodes, S support examples, n queries, N classes.
"""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from components.episodes.types import Support
from components.meta_trainer.build import Assembly, assemble_for
from components.meta_trainer.export.label_names import label_indices
from components.meta_trainer.training.start import all_weights
from components.modalities.base import ExampleSpec
from serving.errors import UserError
from serving.saved_model import signatures as sig
from serving.saved_model.metadata import read_metadata

SHARED = ("body", "head", "statistics")
"""Adapted weights that a network takes without the episode axis as well, and then computes faster:
with one kernel for all examples there is no loop over episodes."""


class Classifier(NamedTuple):
    """A classifier of the classes of one support set.

    Attributes:
      classes: their names, in the order of the probabilities.
      assembly: the learner and the modality of its examples.
      weights: the meta-learned weights.
      adapted: the adapted weights, of one episode.
      temperature: what the logits are divided by.
    """

    classes: list[str]
    assembly: Assembly
    weights: dict[str, Any]
    adapted: dict[str, Any]
    temperature: float

    def probabilities(self, x: tf.Tensor) -> tf.Tensor:
        """Those of examples as stored `[n, *example]`: `[n, N]` float32."""
        _, learner, modality, task = self.assembly
        logits = learner.predict(self.weights, self.adapted, modality.prepare(x)[None])
        support_y = self.adapted[sig.SUPPORT_Y]
        of_all = task.predict(logits / self.temperature, support_y)[0]
        return of_all[:, : len(self.classes)]  # a numbered head may have outputs for more

    def decode(self, encoded: tf.Tensor, name: str) -> tf.Tensor:
        """Files or texts `[n]` string to examples as stored `[n, *example]`; `name` for errors."""
        assert self.assembly.modality.decode is not None
        return self.assembly.modality.decode(encoded, name, tf.range(tf.size(encoded)))


def adapt_once(folder: str, section: dict[str, Any], support: dict[str, list[bytes]]) -> Classifier:
    """Adapts a trained model to a support set.

    Args:
      folder: that of the SavedModel.
      section: the section `learner` of its configuration.
      support: files or texts of each class, by its name.

    Raises:
      UserError: the model is not one that can be specialised, or cannot take these classes.
    """
    about = read_metadata(folder)
    spec = ExampleSpec.from_json(about["example_spec"])
    answers = spec.has_encoded_form and spec.has_classes
    if about["protocol"] != "inductive" or not answers:
        raise UserError(
            "`--model` must be an inductive classifier of files or texts, or there is no answer to "
            f"one of them alone: {folder} is {about['protocol']}, of {spec.modality}."
        )
    if len(support) > about["max_ways"]:
        raise UserError(
            f"`--support` must have at most {about['max_ways']} classes for this model: got "
            f"{len(support)}."
        )
    assembly = assemble_for(spec, about["ways"], section)
    weights = tf.nest.map_structure(tf.constant, all_weights(assembly, folder))
    examples = tf.constant([example for files in support.values() for example in files])
    labels = tf.constant([[name for name, files in support.items() for _ in files]])
    # Numbered as in requests: it matters to a head that is `numbered`.
    fixed = about["ways"] if assembly.learner.traits.fixed_ways else None
    support_y, names, _ = label_indices(labels, fixed)
    unadapted = Classifier([], assembly, weights, {}, about.get("temperature", 1.0))

    @tf.function(autograph=False)
    def adapt(encoded: tf.Tensor) -> dict[str, Any]:
        x = assembly.modality.prepare(unadapted.decode(encoded, sig.SUPPORT_X))
        return assembly.learner.adapt(weights, Support(x[None], support_y))

    adapted = adapt(examples)
    classes = [name.decode() for name in names.numpy()[0] if name]
    classifier = unadapted._replace(
        classes=classes, adapted=_shared(adapted) | {sig.SUPPORT_Y: support_y}
    )
    _check_answers(classifier, folder, support, examples)
    return classifier


def _shared(adapted: dict[str, Any]) -> dict[str, Any]:
    """The adapted weights `[1, ...]` without that axis, where that is the faster form."""

    def first(value: tf.Tensor) -> tf.Tensor:
        return value[0] if value.shape.rank > 1 else value

    return {
        name: tf.nest.map_structure(first, value) if name in SHARED else value
        for name, value in adapted.items()
    }


def _check_answers(
    classifier: Classifier, folder: str, support: dict[str, list[bytes]], examples: tf.Tensor
) -> None:
    """Holds the classifier to the answers of the model itself, on the support set."""
    labels = [[name for name, files in support.items() for _ in files]]
    model = tf.saved_model.load(folder).signatures[sig.ENCODED]
    answer = model(
        support_x=examples[None], support_labels=tf.constant(labels), query_x=examples[None]
    )
    names = [name.decode() for name in answer[sig.CLASS_NAMES].numpy()[0] if name]
    expected = answer[sig.PROBABILITIES].numpy()[0][:, : len(names)]
    answers = tf.function(
        lambda encoded: classifier.probabilities(classifier.decode(encoded, sig.QUERY_X)),
        autograph=False,
    )
    found = answers(examples).numpy()
    if names != classifier.classes or not np.allclose(found, expected, atol=1e-4):
        raise UserError(
            f"`--model` must be a model of this version's {classifier.assembly.learner_name}: "
            f"{folder} answers otherwise than its learner does here, by up to "
            f"{np.abs(found - expected).max():.2g}. Train it again, or use the version that did."
        )

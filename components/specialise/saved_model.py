"""A classifier as a SavedModel: stock operations, one input, no support set.

`serving_default`
    files [n] string     image or wav files; `texts` [n] string for texts
  -> probabilities [n, N] float32, labels [n, N] string (the classes' names, the same for all n),
     predicted_labels [n] string
"""

import os
from pathlib import Path

import tensorflow as tf

from components.specialise.classifier import Classifier
from serving import atomic
from serving.saved_model import signatures as sig


def write_saved_model(classifier: Classifier, folder: Path, made_from: str) -> None:
    """Writes the classifier to a new folder, which appears there whole."""
    spec = classifier.assembly.modality.spec
    name = sig.TEXTS if spec.modality == "text" else sig.FILES
    names = tf.constant(classifier.classes)

    def classify(encoded: tf.Tensor) -> dict[str, tf.Tensor]:
        p = classifier.probabilities(classifier.decode(encoded, name))
        return {
            sig.PROBABILITIES: p,
            sig.LABELS: tf.tile(names[None], [tf.shape(p)[0], 1]),
            sig.PREDICTED_LABELS: tf.gather(names, tf.argmax(p, axis=-1)),
        }

    module = tf.Module()
    encoder = classifier.assembly.learner.network.backbone.encoder
    module.constants = () if encoder is None else encoder.constants
    traced = tf.function(classify, autograph=False)
    signature = traced.get_concrete_function(tf.TensorSpec([None], tf.string, name))
    about = {
        "classes": classifier.classes,
        "examples": spec.to_json(),
        "learner": classifier.assembly.learner_name,
        "made_from": made_from,
    }
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    with atomic.replacement(folder) as temporary:
        signatures = {sig.ADAPT_AND_PREDICT: signature}
        tf.saved_model.save(module, temporary, signatures=signatures, options=options)
        atomic.write_json(os.path.join(temporary, sig.METADATA_FILE), {"classifier": about})

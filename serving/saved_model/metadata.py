"""What a SavedModel says of itself, in `assets.extra/fewshot_model.json`."""

import json
from typing import Any

import tensorflow as tf

from serving.saved_model.signatures import METADATA_FILE


def read_metadata(saved_model_dir: str) -> dict[str, Any]:
    """The entries of a SavedModel's `fewshot_model.json`; empty if it has no such file."""
    path = f"{saved_model_dir}/{METADATA_FILE}"
    if not tf.io.gfile.exists(path):
        return {}
    with tf.io.gfile.GFile(path) as file:
        return json.load(file)

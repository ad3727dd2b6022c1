"""The pointer to the last pushed model: a push writes the file, the next run's evaluator reads it.

It is needed on Kubeflow, which has no resolver that looks up the last blessed model.
"""

import tempfile
import time

from serving.model_versions import object_storage


def write_pointer(location: str, model: str) -> None:
    """Records that the SavedModel at `model` (a path or a URL) was pushed."""
    object_storage.write_json(location, {"model": model, "pushed_at": int(time.time())})


def last_pushed(location: str) -> str | None:
    """Reads the last pushed model; None if nothing was pushed yet or `location` is empty."""
    pointer = object_storage.read_json(location) if location else None
    return None if pointer is None else pointer["model"]


def local_model(model: str) -> str:
    """Returns a folder that TensorFlow can load: the model, or its copy from object storage."""
    if not object_storage.is_remote(model):
        return model
    folder = tempfile.mkdtemp(prefix="last-pushed-")
    object_storage.fetch(model, folder)
    return folder

"""Which model was pushed last: a small file that a push writes and the next run's evaluator reads.

Kubeflow's backend has no resolver that would ask ML Metadata for the last blessed model.
"""

import tempfile
import time

from serving.model_versions import object_storage


def write_pointer(location: str, model: str) -> None:
    """Notes that the SavedModel at `model` (a path or a url) was pushed."""
    object_storage.write_json(location, {"model": model, "pushed_at": int(time.time())})


def last_pushed(location: str) -> str | None:
    """The last pushed model; `None` if there is none yet, or no `location`."""
    pointer = object_storage.read_json(location) if location else None
    return None if pointer is None else pointer["model"]


def local_model(model: str) -> str:
    """A folder that TensorFlow can load: the model itself, or a copy from object storage."""
    if not object_storage.is_remote(model):
        return model
    folder = tempfile.mkdtemp(prefix="last-pushed-")
    object_storage.fetch(model, folder)
    return folder

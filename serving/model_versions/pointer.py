"""The pointer to the best pushed model: a push writes the file, the next run's evaluator reads it.

It is needed on Kubeflow, which has no resolver that looks up the last blessed model.
"""

import os
import tempfile
import time

from serving.model_versions import object_storage


def write_pointer(location: str, model: str, *, score: float = 0.0, task: str = "") -> None:
    """Records that the SavedModel at `model` (a path or a URL) was pushed.

    If one of the same task with a higher score is still there, that stays the one to compare with.
    """
    best = object_storage.read_json(location) or {}
    better = task and best.get("task") == task and best["score"] > score
    if better and (object_storage.is_remote(best["model"]) or os.path.exists(best["model"])):
        return
    pushed = {"model": model, "pushed_at": int(time.time()), "score": score, "task": task}
    object_storage.write_json(location, pushed)


def last_pushed(location: str) -> str | None:
    """Reads which model to compare with; None before any push, or if `location` is empty."""
    pointer = object_storage.read_json(location) if location else None
    return None if pointer is None else pointer["model"]


def local_model(model: str) -> str:
    """Returns a folder that TensorFlow can load: the model, or its copy from object storage."""
    if not object_storage.is_remote(model):
        return model
    folder = tempfile.mkdtemp(prefix="last-pushed-")
    object_storage.fetch(model, folder)
    return folder

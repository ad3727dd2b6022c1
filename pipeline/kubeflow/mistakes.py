"""Repeats the sentence of a user's mistake in the later attempts of a step.

Kubeflow retries a step whatever its exit status, and the specification has no field against it. So
the first attempt leaves its sentence in a folder that all attempts see; each retry ends with it at
once. When the retries are used up the step runs in full again: a user who has corrected the mistake
may retry the run.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from serving.errors import UserError
from serving.model_versions import object_storage

# Environment variables of a step's container. Backends leave them out of the step's cache key.
FOLDER, RETRIES = "FEWSHOT_MISTAKES", "FEWSHOT_RETRIES"


@contextlib.contextmanager
def repeated_at_once(executor_input: Mapping[str, Any]) -> Iterator[None]:
    """Runs the block, unless the attempt before found a mistake of the user's.

    Raises:
      UserError: the block found a mistake, or the attempt before did, in the same words.
    """
    folder, retries = os.environ.get(FOLDER), int(os.environ.get(RETRIES, "0"))
    if not folder or not retries:
        yield
        return
    # The driver names the outputs, once for all attempts of a step and for no other step or run.
    outputs = json.dumps(executor_input.get("outputs"), sort_keys=True).encode()
    note = f"{folder}/{hashlib.sha256(outputs).hexdigest()[:32]}.json"
    before = _read(note)
    if before.get("retries_left", 0) > 0:
        _write(note, before["sentence"], before["retries_left"] - 1)
        raise UserError(before["sentence"])
    try:
        yield
    except UserError as error:
        _write(note, str(error), retries)
        raise


# The sentence matters more than its note: without a note the next attempt runs in full.
def _read(note: str) -> dict[str, Any]:
    with contextlib.suppress(Exception):
        return object_storage.read_json(note) or {}
    return {}


def _write(note: str, sentence: str, retries_left: int) -> None:
    with contextlib.suppress(Exception):
        object_storage.write_json(note, {"sentence": sentence, "retries_left": retries_left})

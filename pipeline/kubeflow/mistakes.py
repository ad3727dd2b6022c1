"""Repeats the sentence of a user's mistake in the later attempts of a step.

Kubeflow retries a step whatever its exit status, and the specification has no field against it. So
the first attempt leaves its sentence in a folder that all attempts see; each retry ends with it at
once. A first attempt always runs in full: a user who has corrected the mistake may retry the run.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from serving.errors import UserError
from serving.model_versions import object_storage

FOLDER = "FEWSHOT_MISTAKES"
"""Environment variable of a step that is retried: the folder."""
INDEX = "KFP_RETRY_INDEX"
"""Environment variable that newer backends set: the number of the attempt, from 0."""
_PER_ATTEMPT = "executor-logs"  # the output whose location newer backends number


@contextlib.contextmanager
def repeated_at_once(executor_input: Mapping[str, Any]) -> Iterator[None]:
    """Runs the block, unless the attempt before found a mistake of the user's.

    Where the backend does not number the attempts, a sentence is repeated once.

    Raises:
      UserError: the block found a mistake, or the attempt before did, in the same words.
    """
    folder, index = os.environ.get(FOLDER), os.environ.get(INDEX)
    if not folder:
        yield
        return
    # The driver names the outputs, once for all attempts of a step and for no other step or run.
    outputs = dict(executor_input.get("outputs", {}).get("artifacts", {}))
    outputs.pop(_PER_ATTEMPT, None)
    step = hashlib.sha256(json.dumps(outputs, sort_keys=True).encode()).hexdigest()[:32]
    note = f"{folder}/{step}.json"
    sentence = _read(note) if index != "0" else None
    if sentence:
        if index is None:
            _write(note, None)
        raise UserError(sentence)
    try:
        yield
    except UserError as error:
        _write(note, str(error))
        raise


# The sentence matters more than its note: without a note the next attempt runs in full.
def _read(note: str) -> str | None:
    with contextlib.suppress(Exception):
        return (object_storage.read_json(note) or {}).get("sentence")
    return None


def _write(note: str, sentence: str | None) -> None:
    with contextlib.suppress(Exception):
        object_storage.write_json(note, {"sentence": sentence})

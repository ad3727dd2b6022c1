"""The process that loads a model and tries it; run by `isolation`.

It writes one JSON line when it begins with a check and one when it is done, so that whoever reads
them knows in which check it died.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from components.episodes.dataset import parse_episodes, read_split
from components.episodes.format import decode_stored
from components.episodes.record import read_record
from components.serving_validator.checks import CheckFailed, checks
from components.serving_validator.session_model import SessionModel
from components.serving_validator.trial import Trial
from serving.saved_model import signatures as sig

LOADS = "loads in a C++ session"


def probe(model_dir: str, examples_uri: str, tolerance: float) -> Iterator[dict[str, Any]]:
    """Tries a model.

    Args:
      model_dir: the folder that holds `saved_model.pb`.
      examples_uri: where two episodes of the `test` split are taken from.
      tolerance: how far equal probabilities may differ.

    Yields:
      `{"begin": name}` and then `{"check": name, "passed": bool, "detail": sentence}`, for each.
    """
    yield {"begin": LOADS}
    try:
        model = SessionModel(model_dir)
    # Whatever it is that keeps it from loading is the finding.
    except Exception as error:
        yield _outcome(LOADS, f"{type(error).__name__}: {_first_line(error)}")
        return
    yield _outcome(LOADS)
    trial = _trial(model, model_dir, examples_uri, tolerance)
    for name, check in checks(trial):
        yield {"begin": name}
        try:
            check(trial)
        except CheckFailed as failure:
            yield _outcome(name, str(failure))
        # A model that raises where it must answer, or lacks a tensor, fails that check.
        except Exception as error:
            yield _outcome(name, f"{type(error).__name__}: {_first_line(error)}")
        else:
            yield _outcome(name)


def _trial(model: SessionModel, model_dir: str, examples_uri: str, tolerance: float) -> Trial:
    record = read_record(examples_uri)
    serialized = list(read_split(examples_uri, "test").take(2).as_numpy_iterator())
    episodes = []
    for one in serialized:
        parsed = parse_episodes([one], record.example_spec).numpy()
        names = (sig.SUPPORT_X, sig.SUPPORT_Y, sig.QUERY_X)
        episodes.append({name: getattr(parsed, name) for name in names})
    return Trial(
        model=model,
        episodes=episodes,
        class_names=decode_stored(serialized[0]).class_names,
        spec=record.example_spec,
        ways=record.ways,
        max_ways=_metadata(model_dir).get("max_ways", record.ways),
        tolerance=tolerance,
    )


def _metadata(model_dir: str) -> dict[str, Any]:
    path = f"{model_dir}/{sig.METADATA_FILE}"
    if not tf.io.gfile.exists(path):
        return {}
    with tf.io.gfile.GFile(path) as file:
        return json.load(file)


def _outcome(name: str, failure: str = "") -> dict[str, Any]:
    return {"check": name, "passed": not failure, "detail": failure}


def _first_line(error: Exception) -> str:
    message = error.message if isinstance(error, tf.errors.OpError) else str(error)
    return (message.splitlines() or [""])[0]


def main(model_dir: str, examples_uri: str, tolerance: str, output: str) -> None:
    """Writes what `probe` finds to the file `output`, a line of JSON a check."""
    np.seterr(all="ignore")  # what is not finite is a finding of a check, not a warning
    with open(output, "w") as file:
        for line in probe(model_dir, examples_uri, float(tolerance)):
            print(json.dumps(line), file=file, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

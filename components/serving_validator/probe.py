"""The process that loads a model and checks it; `isolation` runs it.

It writes one JSON line before each check and one after it, which shows the check that the process
did not survive.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from components.episodes.dataset import parse_episodes, read_split
from components.episodes.format import decode_stored
from components.episodes.record import read_record
from components.serving_validator.checks import CheckFailed, checks
from components.serving_validator.model_under_test import ModelUnderTest, load
from components.tasks.lookup import task_of
from serving.model_server.servable import Servable
from serving.model_versions.pointer import local_model
from serving.saved_model import signatures as sig
from serving.saved_model.metadata import read_metadata

LOADS = "loads in a C++ session"


def probe(model_dir: str, examples_uri: str, tolerance: float) -> Iterator[dict[str, Any]]:
    """Checks a model on two episodes of the `test` split.

    Yields:
      `{"begin": name}` and then `{"check": name, "passed": bool, "detail": sentence}`, for each.
    """
    yield {"begin": LOADS}
    try:
        folder = local_model(model_dir)
        servable = load(folder)
    # Whatever keeps it from loading is the finding.
    except Exception as error:
        yield _outcome(LOADS, _describe(error))
        return
    yield _outcome(LOADS)
    model = _model_under_test(servable, folder, examples_uri, tolerance)
    for name, check in checks(model):
        yield {"begin": name}
        try:
            check(model)
        except CheckFailed as failure:
            yield _outcome(name, str(failure))
        # A model that raises where it must predict, or lacks a tensor, fails that check.
        except Exception as error:
            yield _outcome(name, _describe(error))
        else:
            yield _outcome(name)


def _model_under_test(
    servable: Servable, folder: str, examples_uri: str, tolerance: float
) -> ModelUnderTest:
    record = read_record(examples_uri)
    serialized = list(read_split(examples_uri, "test").take(2).as_numpy_iterator())
    episodes = [parse_episodes([one], record.example_spec).numpy() for one in serialized]
    names = sig.SUPPORT_X, sig.SUPPORT_Y, sig.QUERY_X
    return ModelUnderTest(
        servable=servable,
        folder=folder,
        requests=[{name: getattr(one, name) for name in names} for one in episodes],
        class_names=decode_stored(serialized[0]).class_names,
        spec=record.example_spec,
        task=task_of(record.example_spec),
        ways=record.ways,
        max_ways=read_metadata(folder).get("max_ways", record.ways),
        tolerance=tolerance,
    )


def _outcome(name: str, failure: str = "") -> dict[str, Any]:
    return {"check": name, "passed": not failure, "detail": failure}


def _describe(error: Exception) -> str:
    message = str(getattr(error, "message", error))  # TensorFlow's and the server's errors have one
    return f"{type(error).__name__}: {(message.splitlines() or [''])[0]}"


def main(model_dir: str, examples_uri: str, tolerance: str, output: str) -> None:
    """Runs `probe` and writes each line to the file `output`, as JSON."""
    np.seterr(all="ignore")  # what is not finite is a finding of a check, not a warning
    with open(output, "w") as file:
        for line in probe(model_dir, examples_uri, float(tolerance)):
            print(json.dumps(line), file=file, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

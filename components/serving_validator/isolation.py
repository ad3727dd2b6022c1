"""Running `probe` in a process of its own, with a time limit."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
from typing import NamedTuple

from components.serving_validator.options import ServingValidatorOptions

# Long enough for TensorFlow's reason, short enough to read.
LAST_LINES = 5


class CheckResult(NamedTuple):
    """The result of one check."""

    check: str  # its name
    passed: bool
    detail: str  # one sentence of what is wrong; empty if it passed


def validate(
    model_dir: str, examples_uri: str, options: ServingValidatorOptions
) -> list[CheckResult]:
    """Checks a model in a process of its own: one result a check, in order.

    If the process crashes or does not end in time, the last result is a failure of the check that
    was running.
    """
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder, "checks.jsonl")
        output.touch()
        ended = _run(
            [model_dir, examples_uri, str(options.tolerance), str(output)],
            pathlib.Path(folder, "stderr"),
            options.time_limit_seconds,
        )
        # A line that the process did not finish is not read.
        lines = [json.loads(line) for line in output.read_text().splitlines(True) if "\n" in line]
    results = [CheckResult(**line) for line in lines if "check" in line]
    if ended:
        check = lines[-1].get("begin", "starts the checks") if lines else "starts"
        results.append(CheckResult(check, False, ended))
    return results


def _run(arguments: list[str], stderr: pathlib.Path, time_limit: float) -> str:
    """Runs the probe; returns "" if it ended well, else one sentence of how it ended."""
    command = [sys.executable, "-m", "components.serving_validator.probe", *arguments]
    environment = {"TF_CPP_MIN_LOG_LEVEL": "2"} | os.environ
    with stderr.open("w") as log:
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                timeout=time_limit,
            )
        except subprocess.TimeoutExpired:
            return f"the model did not answer within {time_limit:g} s and was stopped"
    if done.returncode == 0:
        return ""
    lines = " | ".join(stderr.read_text(errors="replace").splitlines()[-LAST_LINES:])
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        return f"the model crashed its process ({name}): {lines}"
    return f"the probe ended with status {done.returncode}: {lines}"

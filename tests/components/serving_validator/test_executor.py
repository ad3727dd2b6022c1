import json
import logging
import pathlib

import pytest
from tfx.types import channel_utils, standard_artifacts

from components.serving_validator import executor as module
from components.serving_validator.component import ServingValidator
from components.serving_validator.isolation import CheckResult

PASSED = CheckResult("loads", True, "")
FAILED = CheckResult("ignores padding", False, "they differ by 0.5")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the executor with made-up results of the checks; returns the blessing."""

    def with_results(results):
        monkeypatch.setattr(module, "validate", lambda *_: results)
        artifacts = []
        for kind in ("Model", "Examples", "InfraBlessing"):
            made = getattr(standard_artifacts, kind)()
            made.uri = str(tmp_path / kind)
            pathlib.Path(made.uri).mkdir()
            artifacts.append(made)
        model, examples, blessing = artifacts
        module.Executor().Do(
            {"model": [model], "examples": [examples]},
            {"blessing": [blessing]},
            {"config_json": "{}", "code_version": ""},
        )
        return blessing

    return with_results


def written(blessing):
    return sorted(path.name for path in pathlib.Path(blessing.uri).iterdir())


def test_all_checks_passed(run):
    blessing = run([PASSED])
    assert written(blessing) == ["INFRA_BLESSED", "checks.json"]
    assert blessing.get_int_custom_property("blessed") == 1


def test_one_failed_check_is_logged_and_not_blessed(run, caplog):
    with caplog.at_level(logging.ERROR):
        blessing = run([PASSED, FAILED])
    assert written(blessing) == ["INFRA_NOT_BLESSED", "checks.json"]
    assert blessing.get_int_custom_property("blessed") == 0
    assert "ignores padding: they differ by 0.5" in caplog.text
    report = json.loads(pathlib.Path(blessing.uri, "checks.json").read_text())
    assert report["checks"][1] == FAILED._asdict() and not report["blessed"]


def test_no_results_are_no_blessing(run):
    assert written(run([]))[0] == "INFRA_NOT_BLESSED"


def test_component():
    component = ServingValidator(
        model=channel_utils.as_channel([standard_artifacts.Model()]),
        examples=channel_utils.as_channel([standard_artifacts.Examples()]),
    )
    assert component.outputs["blessing"].type_name == "InfraBlessing"

import pytest

from serving.model_server import load_retries
from serving.model_server.load_retries import LoadRetries


@pytest.fixture
def clock(monkeypatch):
    """Seconds since the start, moved by hand."""
    now = [0.0]
    monkeypatch.setattr(load_retries.time, "monotonic", lambda: now[0])
    return now


def test_a_version_is_tried_a_few_times_with_a_pause_each(clock):
    retries, attempts = LoadRetries(max_retries=2, pause_seconds=60), []
    for clock[0] in range(0, 600, 10):
        if retries.may_load("v", "files"):
            attempts.append(clock[0])
            retries.add_failure("v", "files")
    assert attempts == [0, 60, 120]


def test_changed_files_are_tried_at_once_and_counted_anew(clock):
    retries = LoadRetries(max_retries=1, pause_seconds=60)
    retries.add_failure("v", "files")
    assert not retries.may_load("v", "files")
    assert retries.may_load("v", "other files")
    retries.add_failure("v", "other files")
    clock[0] = 60
    assert retries.may_load("v", "other files")


def test_without_retries_only_a_change_is_tried(clock):
    retries = LoadRetries(max_retries=0)
    retries.add_failure("v", "files")
    clock[0] = 1e6
    assert not retries.may_load("v", "files") and retries.may_load("v", "other")


def test_what_was_loaded_and_unloaded_may_be_loaded_again(clock):
    retries = LoadRetries()
    retries.add_failure("v", "files")
    retries.forget("v")
    assert retries.may_load("v", "files")

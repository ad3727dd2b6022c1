"""Looking at a running server while something else changes it."""

import time

from tests.serving.model_server.endpoints import endpoint, predict_request
from tests.serving.nearest_centroid import episode


def until(condition, seconds=20.0):
    """Waits for a condition that another thread brings about."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come about"
        time.sleep(0.02)


def states(server, model="m"):
    return {
        version: entry.state for version, entry in server.manager.versions.statuses(model).items()
    }


def served_version(server) -> int:
    return endpoint(server).predict(predict_request(episode(), model="m")).model_spec.version.value

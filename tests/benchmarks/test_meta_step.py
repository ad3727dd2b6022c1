"""Implementations that do not compute the same are not compared."""

import sys

import numpy as np
import pytest

from benchmarks.meta_step import __main__ as meta_step


@pytest.fixture
def started(tmp_path):
    """What two workers say, and a way to make the second one's differ."""

    def make(loss: float = 1.5, factor: float = 1.0) -> dict:
        change = {"kernel": np.arange(1.0, 7.0).reshape(2, 3), "offset": np.full(3, 0.1)}
        found = {}
        for name, one, of_offset in (("ours", 1.5, 1.0), ("theirs", loss, factor)):
            path = tmp_path / f"{name}.npz"
            np.savez(path, kernel=change["kernel"], offset=change["offset"] * of_offset)
            found[name] = {"loss": one, "change": str(path)}
        return found

    return make


def test_differences_of_rounding_are_allowed(started):
    meta_step.check(started(loss=1.5 * (1 + 1e-6), factor=1 + 1e-6))


@pytest.mark.parametrize(
    "other", [{"loss": 1.5 * 1.001}, {"factor": 1.01}, {"factor": float("nan")}]
)
def test_another_loss_or_gradient_of_any_weight_is_refused(started, other):
    with pytest.raises(SystemExit, match="theirs does not compute what ours does"):
        meta_step.check(started(**other))


def test_a_peer_whose_package_does_not_load_is_left_out_with_the_reason(monkeypatch, capsys):
    monkeypatch.setitem(meta_step.PEERS, "ghost", ("no_such_package",))
    assert not meta_step.importable("ghost", sys.executable)
    said = capsys.readouterr().out
    assert said.startswith("ghost is left out") and "No module named 'no_such_package'" in said

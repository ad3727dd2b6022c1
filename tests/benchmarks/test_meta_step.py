"""Implementations that do not compute the same are not compared."""

import sys

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.meta_step import __main__ as meta_step
from benchmarks.meta_step import floor, problem


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


@pytest.mark.parametrize("name", list(problem.CASES))
def test_the_floor_has_the_products_that_the_figures_count(name):
    case = problem.CASES[name]
    flop = 0
    for shape, count in floor.products_of_task(case).items():
        rows = shape.images * (-(-shape.size // shape.stride)) ** 2
        flop += count * 2 * rows * 9 * shape.channels * shape.filters
    assert 0.99 < flop / problem.flop_per_task(case) < 1  # but for the dense layer


def test_both_implementations_of_a_product_give_as_many_numbers():
    shape = floor.Shape("forward", images=2, size=5, channels=3, filters=4, stride=2)
    by_convolution, by_patches = (way() for way in floor.implementations(shape))
    assert tf.size(by_convolution) == tf.size(by_patches)

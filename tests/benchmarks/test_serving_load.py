"""The arithmetic of the load test, and its windows."""

from benchmarks.serving.load import DEFAULT, HANDLE, ratios
from benchmarks.serving.transfer import AROUND_CALL, BYTES
from benchmarks.serving.windows import Load, compare


def test_ratios_are_of_the_figures_that_they_name():
    p50 = {"pure": 2.0, "served": 3.0, BYTES: 0.5, AROUND_CALL: 2.8, DEFAULT: 5.0}
    alone = {
        HANDLE: {"p50_ms": 2.2},
        f"{BYTES}: predict_on_server": {"p50_ms": 0.1},
        f"{AROUND_CALL}: predict_on_server": {"p50_ms": 2.4},
    }
    for name in ("serving_default", "predict"):
        alone |= {
            f"pure {name}": {"p50_ms": p50["pure"]},
            f"{DEFAULT} {name}": {"p50_ms": p50[DEFAULT]},
            f"grpc {name}, 1": {"p50_ms": p50["served"]},
            f"{BYTES}: {name}": {"p50_ms": p50[BYTES]},
            f"{AROUND_CALL}: {name}": {"p50_ms": p50[AROUND_CALL]},
        }
    joined = {
        "grpc serving_default, 8": {"calls_per_second": 72.0},
        "pure, 8 stacked": {"calls_per_second": 10.0},
    }
    found = ratios(alone, joined)
    by_handle = [1.1, 1.2, 1.05, 0.5]
    assert list(found.values()) == [*2 * [1.5, 1.4, 1.25, 0.5], *by_handle, 2.5, 2.5, 0.9]


def test_loads_take_turns_and_every_call_is_counted():
    called = []
    loads = {name: Load(lambda name=name: called.append(name)) for name in "ab"}
    found = compare(loads, 0.1, window=0.05)
    in_turn = [a for a, b in zip(called, [*called[1:], ""]) if a != b]
    assert in_turn == list("ababab")  # one call each before two windows each
    assert {name: found[name]["calls"] + 1 for name in "ab"} == {
        name: called.count(name) for name in "ab"
    }

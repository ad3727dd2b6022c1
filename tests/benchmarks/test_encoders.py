"""The benchmark of encoders: its reader of weights, its network, its table."""

import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np

from benchmarks.encoders.lite0 import STAGES, Lite0, read_state_dict
from benchmarks.encoders.table import TRIALS, table


def write_state_dict(path: Path, tensors: dict[str, np.ndarray]) -> None:
    """Writes PyTorch's older format, each tensor in a storage of its own."""

    class Rebuilt:
        def __init__(self, key: str, value: np.ndarray):
            self.key, self.value = key, value

        def __reduce__(self):
            strides = tuple(s // self.value.itemsize for s in self.value.strides)
            return _rebuild_tensor_v2, (Stored(self.key), 0, self.value.shape, strides)

    class Stored:
        def __init__(self, key: str):
            self.key = key

    class Writer(pickle.Pickler):
        def persistent_id(self, value):
            if isinstance(value, Stored):
                return ("storage", "FloatStorage", value.key, "cpu", 0, None)
            return None

    with path.open("wb") as file:
        for head in (1, 1001, {}):
            pickle.dump(head, file, 2)
        Writer(file, 2).dump(OrderedDict((k, Rebuilt(k, v)) for k, v in tensors.items()))
        pickle.dump(list(tensors), file, 2)
        for value in tensors.values():
            memory = value.ravel(order="K")
            file.write(len(memory).to_bytes(8, "little") + memory.astype("<f4").tobytes())


def _rebuild_tensor_v2(*parts):
    raise AssertionError("only its name is read")


def test_weights_are_read_whatever_their_layout(tmp_path):
    rng = np.random.default_rng(0)
    tensors = {"a": rng.normal(size=(2, 3)), "b": rng.normal(size=(4, 3, 2)).transpose(2, 0, 1)}
    tensors = {name: value.astype("<f4") for name, value in tensors.items()}
    write_state_dict(tmp_path / "weights.pth", tensors)
    found = read_state_dict(tmp_path / "weights.pth")
    assert all(np.array_equal(found[name], tensors[name]) for name in tensors)


def test_the_network_takes_the_blocks_of_all_stages():
    weights, block, inputs = {}, 0, 4

    def normalisation(name: str, size: int) -> None:
        for part in ("running_mean", "running_var", "bias", "weight"):
            weights[f"{name}.{part}"] = np.ones(size)

    weights["_conv_stem.weight"] = np.ones((4, 3, 3, 3))
    normalisation("_bn0", 4)
    for blocks, kernel, _ in STAGES:
        for _ in range(blocks):
            name = f"_blocks.{block}."
            weights[f"{name}_depthwise_conv.weight"] = np.ones((inputs, 1, kernel, kernel))
            weights[f"{name}_project_conv.weight"] = np.ones((4, inputs, 1, 1))
            normalisation(f"{name}_bn1", inputs)
            normalisation(f"{name}_bn2", 4)
            block += 1
    weights["_conv_head.weight"] = np.ones((6, 4, 1, 1))
    normalisation("_bn1", 6)
    assert block == 16 and Lite0(weights)(np.zeros((2, 32, 32, 3), np.float32)).shape == (2, 6)


def test_the_table_has_a_row_for_each_measured_trial():
    one = {"accuracy": [0.9, 0.01], "megabytes": 2.0, "adapt_milliseconds": 3.0}
    one |= {"training_seconds": 4, "above_conv4": [0.05, 0.01], "commit": "26f8967"}
    shown = table({"trials": dict.fromkeys(TRIALS, one)})
    assert shown.count("0.900 ± 0.010") == len(TRIALS) and shown.count("+0.050") == len(TRIALS) - 1
    assert table({"trials": {}}).count("\n") <= 2

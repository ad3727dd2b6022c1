"""A TensorFlow Lite file as stock TensorFlow operations, which a SavedModel can hold.

Of the operations, those that speech encoders use; another is refused by its name.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema

from serving.errors import UserError


def _names(enumeration: type) -> dict[int, str]:
    return {v: name for name, v in vars(enumeration).items() if isinstance(v, int)}


OPERATORS, TYPES = _names(schema.BuiltinOperator), _names(schema.TensorType)
PADDINGS = {schema.Padding.SAME: "SAME", schema.Padding.VALID: "VALID"}


def _convolve(options: Any, x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    strides = options.strideH, options.strideW
    # A file's kernel is [outputs, height, width, inputs].
    kernel = tf.transpose(kernel, [1, 2, 3, 0])
    return tf.nn.conv2d(x, kernel, strides, PADDINGS[options.padding]) + bias


def _max_pool(options: Any, x: tf.Tensor) -> tf.Tensor:
    size, strides = (
        (options.filterHeight, options.filterWidth),
        (options.strideH, options.strideW),
    )
    return tf.nn.max_pool2d(x, size, strides, PADDINGS[options.padding])


def _largest(options: Any, x: tf.Tensor, axes: tf.Tensor) -> tf.Tensor:
    """The largest of each example, where a file's operation takes that of its only one."""
    del options, axes
    return tf.reduce_max(x, axis=list(range(1, x.shape.rank)), keepdims=True)


FUNCTIONS: dict[str, Callable[..., tf.Tensor]] = {
    "ADD": lambda _, x, y: x + y,
    "BATCH_MATMUL": lambda _, x, y: tf.tensordot(x, y, 1),
    "CONV_2D": _convolve,
    "EXPAND_DIMS": lambda _, x, axis: tf.expand_dims(x, int(axis)),
    "LEAKY_RELU": lambda options, x: tf.nn.leaky_relu(x, options.alpha),
    "LOG": lambda _, x: tf.math.log(x),
    "MAXIMUM": lambda _, x, y: tf.maximum(x, y),
    "MAX_POOL_2D": _max_pool,
    "MINIMUM": lambda _, x, y: tf.minimum(x, y),
    "MUL": lambda _, x, y: x * y,
    "PAD": lambda _, x, widths: tf.pad(x, widths),
    "REDUCE_MAX": _largest,
    "SQUEEZE": lambda options, x: tf.squeeze(x, list(options.squeezeDims)),
    "SUB": lambda _, x, y: x - y,
    "TRANSPOSE": lambda _, x, order: tf.transpose(x, order),
}
"""Name of an operation -> function of its options and inputs."""


class TfliteGraph(tf.Module):
    """The graph of a file with one input and one output, for a batch of examples.

    Its large float tensors are variables, which are not trained; `depth` is the size of the
    output's last axis.
    """

    def __init__(self, path: Path):
        """Reads the file.

        Raises:
          UserError: it has an operation or a tensor of another kind than `FUNCTIONS` takes.
        """
        super().__init__()
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(path.read_bytes(), 0))
        graph = model.subgraphs[0]
        self._input, self._output = int(graph.inputs[0]), int(graph.outputs[0])
        self.depth = int(graph.tensors[self._output].shape[-1])
        self._steps = []
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            name = OPERATORS[max(code.builtinCode, code.deprecatedBuiltinCode)]
            fused = getattr(operator.builtinOptions, "fusedActivationFunction", 0)
            if name not in FUNCTIONS or fused:
                raise UserError(
                    f"{path} must have operations of {', '.join(FUNCTIONS)} alone, without fused "
                    f"activations: got {name}. Convert it to a SavedModel for `saved_model`."
                )
            ends = [int(i) for i in operator.inputs], int(operator.outputs[0])
            self._steps.append((name, operator.builtinOptions, *ends))
        self._constants: dict[str, Any] = {}
        for index, tensor in enumerate(graph.tensors):
            data = model.buffers[tensor.buffer].data
            if data is not None and len(data):
                dtype = np.dtype(TYPES[tensor.type].lower())
                shape = () if tensor.shape is None else tuple(tensor.shape)
                value: Any = np.frombuffer(bytes(data), dtype).reshape(shape)
                if dtype == np.float32 and value.ndim > 1:
                    value = tf.Variable(value, trainable=False)
                self._constants[str(index)] = value

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """The output for the input `x`, whose first axis is the examples."""
        known = {int(index): value for index, value in self._constants.items()}
        known[self._input] = x
        for name, options, inputs, output in self._steps:
            known[output] = FUNCTIONS[name](options, *(known[i] for i in inputs))
        return known[self._output]

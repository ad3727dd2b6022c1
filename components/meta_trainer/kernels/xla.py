"""Tells whether XLA will compile the code being traced; kernels choose by it how to compute."""

import tensorflow as tf
from tensorflow.python.ops import control_flow_util  # no public function says this


def compiled_by_xla() -> bool:
    """Whether the code being traced belongs to a `tf.function(jit_compile=True)`."""
    return control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())

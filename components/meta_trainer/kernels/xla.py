"""Which of two ways to compute the same: XLA and TensorFlow's own operations differ in speed."""

import tensorflow as tf
from tensorflow.python.ops import control_flow_util  # the only place that tells of XLA


def compiled_by_xla() -> bool:
    """Whether what is traced now is for `tf.function(jit_compile=True)`."""
    return control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())

"""A SavedModel in a C++ session, loaded and asked as TensorFlow Serving does it.

The session knows the graph and the names in the signatures, nothing else: no Python function of
the SavedModel takes part.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2

PYTHON_OPERATIONS = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})


class SessionModel:
    """Args:
    saved_model_dir: the folder that holds `saved_model.pb`.
    """

    def __init__(self, saved_model_dir: str):
        graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=graph)
        with graph.as_default():
            meta_graph = tf.compat.v1.saved_model.load(
                self._session, [tf.saved_model.SERVING], saved_model_dir
            )
        self.signatures = dict(meta_graph.signature_def)
        self.operations = _operations(meta_graph.graph_def)
        self._callables: dict[str, tuple[Any, list[str]]] = {}

    def run(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """All outputs of a signature.

        Raises:
          tf.errors.OpError: whatever the graph raises, with the message that a client would see.
        """
        call, fetched = self._callable(signature)
        definition = self.signatures[signature]
        values = call(*(inputs[name] for name in sorted(definition.inputs)))
        by_tensor = dict(zip(fetched, values))
        return {name: by_tensor[info.name] for name, info in definition.outputs.items()}

    def _callable(self, signature: str) -> tuple[Any, list[str]]:
        if signature not in self._callables:
            definition = self.signatures[signature]
            feeds = [definition.inputs[name].name for name in sorted(definition.inputs)]
            fetches = sorted({info.name for info in definition.outputs.values()})
            # Session.run() would refuse a wrong shape in Python before the C++ session sees it;
            # a server does not. This is the only door past that check.
            call = self._session._make_callable_from_options(
                config_pb2.CallableOptions(feed=feeds, fetch=fetches)
            )
            self._callables[signature] = call, fetches
        return self._callables[signature]


def _operations(graph_def: Any) -> set[str]:
    """The names of all kinds of operations in a graph and its functions."""
    nodes = list(graph_def.node)
    for function in graph_def.library.function:
        nodes += function.node_def
    return {node.op for node in nodes}

"""Gives memory back after versions were loaded or unloaded."""

import gc

from serving.model_server.process import trim_memory


def settle() -> None:
    """Frees what loading left behind, and freezes the loaded versions for the collector.

    Otherwise the lists of a JSON request trigger a collection that visits all objects of TensorFlow
    and of the graphs: half a second in which no request is answered. What TensorFlow's optimiser
    freed, hundreds of megabytes in small pieces, goes back to the system.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    trim_memory()

"""Gives memory back after versions were loaded or unloaded."""

import ctypes
import gc


def settle() -> None:
    """Frees unloaded graphs, which are reference cycles, and freezes loaded ones for the collector.

    Otherwise the lists of a JSON request trigger a collection that visits all objects of TensorFlow
    and of the graphs: half a second in which no request is answered.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    trim()


def trim() -> None:
    """Returns the memory that glibc's allocator keeps free to the system.

    TensorFlow's optimiser frees hundreds of megabytes in small pieces after each load. Does nothing
    with another C library.
    """
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is not None:
        malloc_trim(0)

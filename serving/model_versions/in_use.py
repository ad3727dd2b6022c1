"""Which version folders are in use on this machine: who loads one holds a shared lock on it.

The system lets go of the lock however the process ends. File systems without locks, and servers
that hold none (TensorFlow Serving), leave no mark: there it must be said which versions are served.
"""

import contextlib
import fcntl
import os
from pathlib import Path


class InUse:
    """Marks a folder as in use until it is closed."""

    def __init__(self, folder: Path):
        self._descriptor: int | None = os.open(folder, os.O_RDONLY)
        # Else there are no locks here, or the folder is about to be dropped: loading will tell.
        with contextlib.suppress(OSError):
            fcntl.flock(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)

    def close(self) -> None:
        """Takes the mark away; a second time does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_in_use(folder: Path) -> bool:
    """Whether any process of this machine has marked the folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # no locks here
        return False
    finally:
        os.close(descriptor)
    return False

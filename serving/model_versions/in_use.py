"""Tells which version folders are in use on this machine: a loader holds a shared lock on one.

The system releases the lock however the process ends. Where a file system has no locks, or a server
takes none (TensorFlow Serving), the caller of `drop_versions` has to name the versions served.
"""

import contextlib
import fcntl
import os
from pathlib import Path


class InUse:
    """Marks a folder as in use until it is closed."""

    def __init__(self, folder: Path):
        self._descriptor: int | None = os.open(folder, os.O_RDONLY)
        # An error: no locks here, or the folder is being deleted, which loading will report.
        with contextlib.suppress(OSError):
            fcntl.flock(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)

    def close(self) -> None:
        """Releases the lock; a second call does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_in_use(folder: Path) -> bool:
    """Tells whether any process of this machine has marked the folder."""
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

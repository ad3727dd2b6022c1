"""What the server asks of the operating system: files, memory, signals' ground."""

import ctypes
import logging
import os
import sys
from pathlib import Path

_LOG = logging.getLogger(__name__)
_STATM = Path("/proc/self/statm")  # Linux
_SWITCH_SECONDS = 0.0005
_FILES = 65_536  # enough for any number of connections that the server takes


def hold_standard_streams() -> None:
    """Opens those of stdin, stdout and stderr that are closed, so that no socket gets their number.

    Otherwise what C++ writes to stderr would go to a client.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115  # as long as the process
    if sys.stdout is None:
        sys.stdout = sys.stderr


def share_interpreter() -> None:
    """Lets threads that wait for Python's interpreter have it ten times sooner than by default.

    A request changes threads several times, and each time waits for those that are busy.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)


def raise_file_limit() -> None:
    """Allows as many open files, so connections, as the system permits this process."""
    try:
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (ImportError, OSError, ValueError) as error:
        _LOG.warning("The number of open files stays as it is: %s", error)


def resident_bytes() -> int:
    """The memory of this process in bytes; 0 where the system does not tell."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def trim_memory() -> None:
    """Gives memory that is free back to the system, where the C library can."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        return

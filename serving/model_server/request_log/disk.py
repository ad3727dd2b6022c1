"""The files of the server's request logs: bounded in bytes, each whole or marked as unfinished."""

import contextlib
import fcntl
import logging
import os
import secrets
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

from serving import atomic
from serving.model_versions.in_use import is_in_use
from serving.request_log.files import finished_name, prefix_of

_LOG = logging.getLogger(__name__)

_FILE_BYTES = 64 * 2**20
_FILES = 8  # of `max_bytes`, at least, so that the oldest eighth goes and not all
_FILE_SECONDS = 3600.0
_FRAME_BYTES = 16  # of a TFRecord, beside the record


class _Kept(NamedTuple):
    """A finished file."""

    path: Path
    size: int


class LogFiles:
    """Files of records by prefix; one thread may write.

    All files together are at most `max_bytes`: the oldest finished ones are deleted. A file is
    finished when it is full, or an hour after it was begun.
    """

    def __init__(self, max_bytes: int):
        self._max_bytes = max_bytes
        self._server, self._begun = secrets.token_hex(4), 0
        self._kept: deque[_Kept] = deque()
        self._open: dict[Path, _OpenFile] = {}
        self._found: set[Path] = set()  # prefixes whose files of earlier servers are in `_kept`
        self.deleted = 0  # number of files

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(f.size for f in self._kept) + sum(f.size for f in list(self._open.values()))

    def write(self, prefix: Path, pieces: Sequence[bytes]) -> bool:
        """Appends a record, given in pieces; False if it alone is more than all that is kept.

        OSError or OpError: the disk does not take it. What was written before stays.
        """
        size = sum(map(len, pieces)) + _FRAME_BYTES
        if size > self._max_bytes:
            return False
        if prefix not in self._found:
            self._find(prefix)
        file = self._open.get(prefix)
        if file is not None and file.size + size > min(_FILE_BYTES, self._max_bytes // _FILES):
            self._finish(prefix)
        self._make_room(size)
        if prefix not in self._open:
            self._open[prefix] = self._begin(prefix)
        try:
            self._open[prefix].write(b"".join(pieces))
        except BaseException:
            self._finish(prefix)
            raise
        return True

    def finish_old(self) -> None:
        """Finishes the files that were begun an hour ago."""
        before = time.monotonic() - _FILE_SECONDS
        for prefix in [prefix for prefix, file in self._open.items() if file.begun < before]:
            self._finish(prefix)

    def close(self) -> None:
        """Finishes all files."""
        for prefix in list(self._open):
            self._finish(prefix)

    def _begin(self, prefix: Path) -> "_OpenFile":
        self._begun += 1
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        return _OpenFile(Path(f"{prefix}-{moment}-{self._server}-{self._begun:06d}.tfrecord"))

    def _finish(self, prefix: Path) -> None:
        file = self._open.pop(prefix)
        file.close()
        if file.size:
            self._kept.append(_Kept(file.path, file.size))

    def _make_room(self, size: int) -> None:
        while self.size + size > self._max_bytes:
            if not self._kept:
                self._finish(next(iter(self._open)))
                continue
            oldest = self._kept.popleft()
            with contextlib.suppress(FileNotFoundError):  # someone else has deleted it
                oldest.path.unlink()
                self.deleted += 1
                _LOG.warning(
                    "The request log deletes its oldest file, %s (%d bytes), to stay within "
                    "--log-max-bytes",
                    oldest.path,
                    oldest.size,
                )

    def _find(self, prefix: Path) -> None:
        """Makes the folder, finishes the files of servers that were killed, and counts all."""
        prefix.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = []
        for path in prefix.parent.iterdir():
            name = finished_name(path)
            if name is None or prefix_of(name) != prefix.name or not path.is_file():
                continue
            if path.name != name:
                if is_in_use(path):  # another server writes to it
                    continue
                path = path.rename(path.with_name(name))
            stat = path.stat()
            found.append((stat.st_mtime, _Kept(path, stat.st_size)))
        self._kept.extendleft(kept for _, kept in sorted(found, reverse=True))
        self._found.add(prefix)
        _LOG.info("Requests are logged to %s-*, %d files so far", prefix, len(found))


class _OpenFile:
    """An unfinished file that only its owner may read; locked, so that others know it is in use."""

    def __init__(self, path: Path):
        self.path = path
        self.size = 0  # bytes of whole records
        self.begun = time.monotonic()
        with contextlib.ExitStack() as stack:
            self._name = stack.enter_context(atomic.replacement(path))
            descriptor = os.open(self._name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
            stack.callback(os.close, descriptor)
            with contextlib.suppress(OSError):  # no locks here
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._descriptor = descriptor
            self._writer = tf.io.TFRecordWriter(self._name)
            self._stack = stack.pop_all()

    def write(self, record: bytes) -> None:
        self._writer.write(record)
        self._writer.flush()
        self.size += len(record) + _FRAME_BYTES

    def close(self) -> None:
        """Gives the file its name, without a record that was not written whole."""
        with contextlib.suppress(tf.errors.OpError):  # it has the rest of such a record
            self._writer.close()
        with self._stack:
            os.ftruncate(self._descriptor, self.size)
        if not self.size:
            self.path.unlink()

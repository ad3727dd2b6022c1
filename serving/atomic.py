"""The one writer: a file or a folder appears at its place whole, or not at all.

It is written under another name in the same folder and then renamed. A process that is killed
leaves at most a hidden file `.<name>.<random>.partial`, which nothing reads.
"""

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def replacement(path: str | Path) -> Iterator[str]:
    """Gives a temporary name; what is written there becomes `path` when the block ends.

    If the block raises an error, what was written is deleted and `path` stays as it was. The folder
    of `path` is made if it is absent. Two processes may write the same file at once: the one that
    ends last wins. A folder is never overwritten: OSError if one that is not empty stands there
    already, and for a URL that TensorFlow opens (`gs://`) its AlreadyExistsError.
    """
    target = str(path).rstrip("/")
    files: Any = _Disk
    if "://" in target:
        import tensorflow as tf

        files = tf.io.gfile
    folder, _, name = target.rpartition("/")
    folder = folder if folder or not target.startswith("/") else "/"
    temporary = os.path.join(folder, f".{name}.{uuid.uuid4().hex}.partial")
    if folder:
        files.makedirs(folder)
    try:
        yield temporary
        files.rename(temporary, target, overwrite=not files.isdir(temporary))
    except BaseException:
        with contextlib.suppress(Exception):
            (files.rmtree if files.isdir(temporary) else files.remove)(temporary)
        raise


def write_text(path: str | Path, text: str) -> None:
    """Writes a file of UTF-8 text, which replaces the one that is there."""
    with replacement(path) as temporary:
        if "://" in temporary:
            import tensorflow as tf

            with tf.io.gfile.GFile(temporary, "w") as file:
                file.write(text)
        else:
            Path(temporary).write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any) -> None:
    """Writes a value as indented JSON; `path` as for `replacement`."""
    write_text(path, json.dumps(value, indent=1))


class _Disk:
    """The functions of `tf.io.gfile` that `replacement` calls, for this machine's disk."""

    @staticmethod
    def makedirs(folder: str) -> None:
        os.makedirs(folder, exist_ok=True)

    @staticmethod
    def isdir(path: str) -> bool:
        return os.path.isdir(path) and not os.path.islink(path)

    @staticmethod
    def rename(source: str, target: str, overwrite: bool) -> None:
        del overwrite  # os.replace overwrites a file, and of folders only an empty one
        os.replace(source, target)

    rmtree = staticmethod(shutil.rmtree)
    remove = staticmethod(os.remove)

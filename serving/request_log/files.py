"""Finds the files of a request log and reads their records, those of unfinished files too."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from serving.errors import UserError

_NAME = r"(?P<prefix>.+)-\d{8}T\d{6}Z-[0-9a-f]{8}-\d{6}\.tfrecord"
_FINISHED = re.compile(_NAME)
_UNFINISHED = re.compile(rf"\.(?P<name>{_NAME})\.[0-9a-f]{{32}}\.partial")


def finished_name(path: Path) -> str | None:
    """The name that a file of a log has once it is finished; None for any other file."""
    if _FINISHED.fullmatch(path.name):
        return path.name
    match = _UNFINISHED.fullmatch(path.name)
    return match["name"] if match else None


def prefix_of(name: str) -> str:
    """The prefix of a finished file's name."""
    match = _FINISHED.fullmatch(name)
    return match["prefix"] if match else ""


def find_log_files(folder: Path) -> list[Path]:
    """The files of all logs in a folder and the folders below it, by name; the oldest first.

    Those of other servers are any that are called `*.tfrecord*`.
    """
    paths = [path for path in folder.rglob("*") if log_name(path) and path.is_file()]
    return sorted(paths, key=lambda path: (str(path.parent), log_name(path)))


def log_name(path: Path) -> str | None:
    """As `finished_name`, but also of the files of other servers."""
    other = ".tfrecord" in path.name and not path.name.startswith(".")
    return finished_name(path) or (path.name if other else None)


def read_records(path: Path) -> Iterator[Any]:
    """Reads the PredictionLog messages of a file, up to a record that was not written whole.

    Raises:
      UserError: the file is gone, or it is damaged before its end.
    """
    import tensorflow as tf
    from google.protobuf.message import DecodeError
    from tensorflow_serving.apis import prediction_log_pb2

    number = 0
    try:
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            yield prediction_log_pb2.PredictionLog.FromString(record)
            number += 1
    except tf.errors.DataLossError as error:
        if "truncated" not in error.message:
            raise _damaged(path, number) from error
    except DecodeError as error:
        raise _damaged(path, number) from error
    except tf.errors.OpError as error:
        raise UserError(f"the request log must be readable: {path} is not ({error}).") from error


def _damaged(path: Path, number: int) -> UserError:
    return UserError(
        f"the request log must be TFRecord files of PredictionLog: {path} is damaged after "
        f"{number} records. Take the file out of the folder."
    )

"""Reads the support sets of one model from the files of a request log."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from components.episode_gen.options import DataOptions
from components.episode_gen.sources.served_sets import (
    NoSupportSet,
    SupportSet,
    request_of,
    support_sets,
)
from serving.errors import UserError
from serving.request_log.files import find_log_files, log_name, read_records


class Found(NamedTuple):
    """A support set and its place in the log."""

    file: str
    record: int  # number in its file
    episode: int  # number in its request
    content: SupportSet

    def __str__(self) -> str:
        """Its place, for a sentence."""
        return f"record {self.record} of {self.file}"


class ServedLog:
    """The files of a request log by the names that they have once they are finished.

    Attributes:
      without: number of requests without a support set, by signature and reason.
      damaged: files of which `data.unreadable: skip` leaves out the end: name -> reason.
    """

    def __init__(self, path: Path, data: DataOptions) -> None:
        """Takes all files below the folder `path`, or the file `path`; UserError if there is none.

        `data` gives the model, and whether a damaged file is refused.
        """
        if not path.exists():
            raise UserError(
                "`data.path` must be the folder of a request log when `data.source` is served: "
                f"{str(path)!r} is not there. `fewshot serve --log-requests` writes one."
            )
        files = [path] if path.is_file() else find_log_files(path)
        if not files:
            raise UserError(
                f"`data.path` must hold the .tfrecord files of a request log: {str(path)!r} holds "
                "none. `fewshot serve --log-requests` writes them."
            )
        self.path, self._data = path, data
        root = path.parent if path.is_file() else path
        # A server may finish, and so rename, one of them meanwhile.
        self.files = {
            str(file.relative_to(root).with_name(log_name(file) or file.name)): file
            for file in files
        }
        self.without: Counter[tuple[str, str]] = Counter()
        self.damaged: dict[str, str] = {}
        self._models: dict[str, str] = {}  # name -> where it was found first

    def all(self) -> Iterator[Found]:
        """The support sets of all files.

        Raises:
          UserError: there is none, a file is damaged, or there are several models and
            `data.name` names none.
        """
        empty = True
        self.without.clear()
        self._models.clear()
        for name in self.files:
            for found in self.of_file(name):
                empty = False
                yield found
        if empty:
            raise self._nothing()

    def of_file(self, name: str) -> Iterator[Found]:
        """The support sets of one file; UserError as for `all`."""
        for number, record in enumerate(self._records(name)):
            yield from self._of_record(name, number, record)

    def _records(self, name: str) -> Iterator[Any]:
        path = self.files.get(name, self.path)
        if not path.is_file():
            path = path.with_name(Path(name).name)
        if not path.is_file():
            raise UserError(
                f"the request log changed while it was read: {name} is gone, as a server deletes "
                "its oldest files. Copy the folder, and give the copy as `data.path`."
            )
        try:
            yield from read_records(path)
        except UserError as error:
            if self._data.unreadable != "skip":
                raise
            self.damaged[name] = str(error)

    def _of_record(self, name: str, number: int, record: Any) -> Iterator[Found]:
        model, signature = request_of(record)
        if self._data.name not in (None, model):
            self._models.setdefault(model, name)
            return
        try:
            sets = support_sets(record)
        except NoSupportSet as reason:
            self.without[signature or "the default signature", str(reason)] += 1
            return
        first = next(iter(self._models), model)
        self._models.setdefault(model, name)
        if self._data.name is None and model != first:
            raise UserError(
                "`data.name` must name the model whose requests are to be read, since the log has "
                f"those of several: {first!r} in {self._models[first]}, {model!r} in {name}."
            )
        for episode, content in enumerate(sets):
            yield Found(name, number, episode, content)

    def _nothing(self) -> UserError:
        if self._models and not self.without:
            return UserError(
                f"`data.name` must be a model that the log has requests to, as "
                f"{', '.join(map(repr, sorted(self._models)))}: got {self._data.name!r}."
            )
        reasons = [
            f"{count} requests to {signature!r}: {reason}"
            for (signature, reason), count in self.without.items()
        ]
        return UserError(
            f"`data.path` must be the log of requests with support sets: {str(self.path)!r} has "
            + (f"none ({'; '.join(reasons)})." if reasons else "no whole record.")
        )

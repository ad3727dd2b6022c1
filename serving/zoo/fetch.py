"""The folder that `zoo:NAME` stands for: packed files are unpacked once, into a cache.

The cache is `zoo/` in FEWSHOT_CACHE_DIR, by default ~/.cache/fewshot. A model's folder there has
its version's folder (the SavedModel), so that it is served and queried as any folder of versions;
beside it lie the summary of its run, its configuration, its weights and its card. The folder's name
has the sha256 of the packed file, and it appears whole.
"""

import os
from pathlib import Path

from serving import atomic
from serving.errors import UserError
from serving.zoo.index import PREFIX, Entry, find_entry
from serving.zoo.packing import sha256_of, unpack

TIMEOUT = (10, 60)  # seconds to connect, and between two pieces
PIECE = 1 << 20


def local_folder(target: str) -> str:
    """The folder of versions that `zoo:NAME[@VERSION]` stands for; other targets as they are.

    The model is unpacked, and fetched if it did not come with its index, the first time.

    Raises:
      UserError: there is no such model, or it cannot be had.
    """
    return str(fetch(find_entry(target))) if target.startswith(PREFIX) else target


def cache_folder() -> Path:
    """Where models are unpacked."""
    root = os.environ.get("FEWSHOT_CACHE_DIR")
    return Path(root or Path.home() / ".cache/fewshot", "zoo")


def folder_of(entry: Entry) -> Path:
    """The folder of a model in the cache, whether it is there or not."""
    return cache_folder() / entry.name / f"{entry.version}-{entry.sha256[:12]}"


def fetch(entry: Entry, from_dir: Path | None = None) -> Path:
    """Brings a model into the cache unless it is there, and returns its folder.

    `from_dir` is a folder with the packed file, for machines without a network.

    Raises:
      UserError: the file cannot be had or is another, or the cache cannot be written.
    """
    folder = folder_of(entry)
    if folder.is_dir():
        return folder
    try:
        with atomic.replacement(folder) as temporary:
            os.makedirs(temporary)
            file = _packed(entry, from_dir, Path(temporary))
            unpack(file, Path(temporary))
            if file.parent == Path(temporary):
                file.unlink()
    except OSError as error:
        if folder.is_dir():  # another process was first
            return folder
        raise UserError(
            f"{entry.id} must be unpacked into a folder that can be written: {folder} "
            f"({error.strerror}). Name one by FEWSHOT_CACHE_DIR."
        ) from error
    return folder


def _packed(entry: Entry, from_dir: Path | None, temporary: Path) -> Path:
    """The packed file, with the index's sha256; one that is downloaded is in `temporary`."""
    file = (from_dir or entry.place) / entry.file
    if not file.is_file():
        if from_dir or not entry.url:
            raise UserError(
                f"{entry.id} must lie in {file.parent} as {entry.file}: there is no such file."
            )
        file = temporary / entry.file
        _download(entry, file)
    found = sha256_of(file)
    if found != entry.sha256:
        raise UserError(
            f"{entry.file} must be the file of the index, with sha256 {entry.sha256}: got {found}, "
            f"{file.stat().st_size} of {entry.size} bytes. Fetch it again."
        )
    return file


def _download(entry: Entry, file: Path) -> None:
    import requests  # which a client of gRPC alone need not have

    try:
        with requests.get(str(entry.url), stream=True, timeout=TIMEOUT) as reply:
            reply.raise_for_status()
            with file.open("wb") as out:
                for piece in reply.iter_content(PIECE):
                    out.write(piece)
    except requests.RequestException as error:
        status = None if error.response is None else error.response.status_code
        reason = type(error).__name__ if status is None else f"status {status}"
        raise UserError(
            f"{entry.id} must be fetched once from {entry.url}, which cannot be read "
            f"({reason}). Without a network, bring the file here and name its folder: "
            f"fewshot zoo fetch {entry.name} --from FOLDER"
        ) from error

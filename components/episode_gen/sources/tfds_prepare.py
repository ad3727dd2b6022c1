"""Finds and prepares TFDS data, and fails at once where that cannot work.

With no network and no files TFDS itself retries name resolution for minutes.
"""

import contextlib
import fcntl
import socket
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from serving.errors import UserError

RESOLVE_SECONDS = 4.0


def find_builder(name: str, data_dir: str | None) -> Any:
    """The TFDS builder called `name` ("omniglot", "cmaterdb/bangla").

    Raises:
      UserError: there is no builder or configuration of that name.
    """
    import tensorflow_datasets as tfds

    try:
        return tfds.builder(name, data_dir=data_dir, try_gcs=False)
    except (ValueError, ImportError) as error:
        first_line = str(error).strip().splitlines()[0]
        raise UserError(
            f"`data.name` must be the name of a TFDS builder: got {name!r} ({first_line})"
        ) from None


def prepare(builder: Any, name: str) -> None:
    """Downloads and prepares the data unless they are prepared.

    Raises:
      UserError: they are not prepared, and a file is missing that cannot be downloaded.
    """
    if builder.is_prepared():
        return
    root = Path(builder.data_path).parents[len(Path(builder.info.full_name).parts) - 1]
    downloads = root / "downloads"
    missing = [url for url in _urls(builder) if not _downloaded(builder, downloads, url)]
    unreachable = sorted({host for host in map(_host, missing) if not resolves(host)})
    if unreachable:
        files = ", ".join(url.rsplit("/", 1)[-1] for url in missing)
        raise UserError(
            f"`data.name` {name!r} is not prepared in {str(root)!r} and cannot be downloaded "
            f"(no connection to {', '.join(unreachable)}): put {files} into "
            f"{str(downloads / 'manual')!r} or the prepared files into {str(builder.data_path)!r}, "
            "or set `data.data_dir` or TFDS_DATA_DIR to the folder that holds them."
        )
    try:
        with _one_at_a_time(root):
            if not builder.is_prepared():
                builder.download_and_prepare(
                    download_dir=str(downloads), download_config=_config(downloads / "manual")
                )
    except Exception as error:  # a builder may raise anything: a wrong checksum, a full disk
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(
            f"`data.name` {name!r} could not be prepared in {str(root)!r}: {first_line}"
        ) from error


def _config(manual: Path) -> Any:
    import tensorflow_datasets as tfds

    # TFDS accepts archives put there by hand if their checksum is the registered one.
    return tfds.download.DownloadConfig(
        manual_dir=manual if manual.is_dir() else None, try_download_gcs=False
    )


@contextlib.contextmanager
def _one_at_a_time(root: Path) -> Iterator[None]:
    """Holds a lock, so that of two runs that prepare the same data one waits."""
    root.mkdir(parents=True, exist_ok=True)
    with open(root / ".prepare.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # released when the file is closed, or its process killed
        yield


def _urls(builder: Any) -> list[str]:
    return [url for url in (builder.url_infos or {}) if url.startswith(("http:", "https:"))]


def _downloaded(builder: Any, downloads: Path, url: str) -> bool:
    """Whether TFDS will find the file: put there by hand, or from an earlier download."""
    from tensorflow_datasets.core.download import resource

    info = builder.url_infos[url]
    by_hand = downloads / "manual" / (info.filename or url.rsplit("/", 1)[-1])
    cached_name = resource.get_dl_fname(url, info.checksum)
    return by_hand.is_file() or any(downloads.rglob(cached_name))


def _host(url: str) -> str:
    """The host that a download of `url` connects to first."""
    parts = urllib.parse.urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        return urllib.parse.urlsplit(proxy).hostname or proxy
    return parts.hostname or url


def resolves(host: str, timeout: float = RESOLVE_SECONDS) -> bool:
    """Whether a host name has an address; False where none is known after `timeout` seconds."""
    found: list[Any] = []

    def look() -> None:
        with contextlib.suppress(OSError):
            found.extend(socket.getaddrinfo(host, 443))

    # A daemon: a resolver that hangs must not keep the process alive.
    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(timeout)
    return bool(found)

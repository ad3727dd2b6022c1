"""Reads and writes object storage that TensorFlow cannot open: s3:// and minio://.

All access is through fsspec. Credentials come from the environment, as AWS's and Google's own
libraries read them; AWS_ENDPOINT_URL names a server other than Amazon's. Without it, minio:// is
Kubeflow's own server.
"""

import functools
import json
import os
import posixpath
import socket
from pathlib import Path
from typing import Any

from serving import atomic
from serving.errors import UserError

SAVED_MODEL = "saved_model.pb"
# Kubeflow's object storage: since 2.16.0, and before.
_KUBEFLOW_HOSTS = ("seaweedfs.kubeflow", "minio-service.kubeflow")
_KUBEFLOW_PORT = 9000


def is_remote(location: str) -> bool:
    """Tells whether a location is a URL rather than a path."""
    return "://" in location


def open_filesystem(url: str) -> tuple[Any, str]:
    """Opens the fsspec file system of a URL; returns it and the URL's path in it."""
    import fsspec

    scheme, _, rest = url.partition("://")
    if scheme == "minio":
        endpoint = os.environ.get("AWS_ENDPOINT_URL") or _kubeflow_endpoint()
        return fsspec.filesystem("s3", endpoint_url=endpoint), rest.partition("?")[0].rstrip("/")
    filesystem, path = fsspec.core.url_to_fs(url)
    return filesystem, path.rstrip("/")


@functools.cache
def _kubeflow_endpoint() -> str:
    """Returns the address of Kubeflow's object storage: the first of its hosts that exists."""
    unknown: type[Exception] = UserError
    for host in _KUBEFLOW_HOSTS:
        try:
            socket.getaddrinfo(host, _KUBEFLOW_PORT)
        except socket.gaierror as error:
            if error.errno == socket.EAI_AGAIN:  # no answer, which may pass
                unknown = ConnectionError
        else:
            return f"http://{host}:{_KUBEFLOW_PORT}"
    raise unknown(
        "AWS_ENDPOINT_URL must name the server of minio:// locations, as http://HOST:9000, where "
        f"Kubeflow's own is not found: no host {' or '.join(_KUBEFLOW_HOSTS)} answers to its name."
    )


def fetch(url: str, folder: str) -> None:
    """Copies all files below `url` into a new `folder`; FileNotFoundError if there are none."""
    filesystem, root = open_filesystem(url)
    files = filesystem.find(root)
    if not files:
        raise FileNotFoundError(url)
    for remote in files:
        if remote == root or remote.endswith("/"):
            continue  # an object that some tools create to mark a folder
        local = os.path.join(folder, posixpath.relpath(remote, root))
        os.makedirs(os.path.dirname(local), exist_ok=True)
        filesystem.get_file(remote, local)


def publish(model: Path, base_url: str, *, now: int) -> str:
    """Copies a SavedModel to a new version below `base_url`; returns the version's URL.

    Object storage cannot rename, so `saved_model.pb`, by which a server detects a version, is
    copied last. `now` is in seconds since the epoch.
    """
    from serving.model_versions.folders import next_version

    filesystem, base = open_filesystem(base_url)
    entries = filesystem.ls(base, detail=False) if filesystem.exists(base) else []
    names = [posixpath.basename(entry.rstrip("/")) for entry in entries]
    version = str(next_version([int(name) for name in names if name.isdigit()], now=now))
    files = [path for path in model.rglob("*") if path.is_file()]
    for path in sorted(files, key=lambda path: path == model / SAVED_MODEL):
        remote = posixpath.join(base, version, path.relative_to(model).as_posix())
        filesystem.put_file(str(path), remote)
    return f"{base_url.partition('?')[0].rstrip('/')}/{version}"


def write_json(location: str, value: Any) -> None:
    """Writes a small JSON file atomically: by a rename on a disk, in one request elsewhere."""
    if is_remote(location):
        filesystem, path = open_filesystem(location)
        filesystem.pipe_file(path, json.dumps(value, indent=1).encode())
    else:
        atomic.write_json(location, value)


def read_json(location: str) -> Any:
    """Reads what `write_json` wrote; None if there is no such file."""
    if is_remote(location):
        filesystem, path = open_filesystem(location)
        return json.loads(filesystem.cat_file(path)) if filesystem.exists(path) else None
    target = Path(location)
    return json.loads(target.read_text()) if target.exists() else None

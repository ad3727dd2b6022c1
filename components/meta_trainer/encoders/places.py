"""Where a SavedModel lies: a folder, an archive, a cache of TF Hub, or a handle of a model hub.

Nothing is downloaded here but by `kagglehub` and `huggingface_hub`, where they are installed.
"""

import hashlib
import importlib
import importlib.util
import os
import tarfile
import tempfile
from pathlib import Path

from components.meta_trainer.encoders.files import file_sha256
from serving import atomic
from serving.errors import UserError

FILE = "saved_model.pb"
HUBS = {
    "kaggle:": ("kagglehub", "model_download"),
    "hf:": ("huggingface_hub", "snapshot_download"),
}
"""Prefix of a handle -> the package that downloads, and its function from a handle to a folder."""


def find_saved_model(name: str, key: str) -> Path:
    """The folder of the SavedModel that the option `key` names.

    Args:
      name: a folder; an archive .tgz, .tar.gz or .tar of one; the URL of a module in
        TFHUB_CACHE_DIR; or `kaggle:HANDLE` or `hf:HANDLE`.
      key: the option's path, for messages.

    Raises:
      UserError: there is no SavedModel there, or it cannot be had.
    """
    prefix = next((prefix for prefix in HUBS if name.startswith(prefix)), None)
    path = Path(name).expanduser()
    if prefix:
        folder = _download(prefix, name.removeprefix(prefix), key)
    elif name.startswith(("https://", "http://")):
        folder = _of_tf_hub(name, key)
    elif path.is_file() and path.name.endswith((".tgz", ".tar.gz", ".tar")):
        folder = _unpack(path, key)
    else:
        folder = path
    found = [f.parent for f in (folder / FILE, *sorted(folder.glob(f"*/{FILE}"))) if f.is_file()]
    if not name or not found:
        raise UserError(
            f"`{key}` must name a SavedModel, a folder or .tgz with {FILE}: got {name!r}. Download "
            "one, for instance from Kaggle Models, and name its folder."
        )
    return found[0]


def _download(prefix: str, handle: str, key: str) -> Path:
    package, function = HUBS[prefix]
    instead = f"or download {handle} elsewhere and set `{key}` to its folder."
    if importlib.util.find_spec(package) is None:
        raise UserError(
            f"`{key}` must name what is on this machine, since {package} is not installed: got "
            f"{prefix + handle!r}. `pip install {package}`, {instead}"
        )
    try:
        return Path(getattr(importlib.import_module(package), function)(handle))
    except Exception as error:  # whatever a package or the network raises
        reason = str(error).strip().split("\n")[0]
        raise UserError(
            f"`{key}` must name what can be downloaded: {prefix + handle!r} gave "
            f"{type(error).__name__}: {reason}. Check it and the network, {instead}"
        ) from error


def _of_tf_hub(url: str, key: str) -> Path:
    """The folder that TF Hub's library gives a module in its cache."""
    root = os.environ.get("TFHUB_CACHE_DIR") or Path(tempfile.gettempdir(), "tfhub_modules")
    folder = Path(root, hashlib.sha1(url.encode()).hexdigest())
    if not folder.is_dir():
        raise UserError(
            f"`{key}` must name what is on this machine: {url} is not in TFHUB_CACHE_DIR, "
            f"{folder}. Download it and put its files there, or name their folder."
        )
    return folder


def _unpack(archive: Path, key: str) -> Path:
    """Unpacks an archive once, below FEWSHOT_CACHE_DIR."""
    root = os.environ.get("FEWSHOT_CACHE_DIR") or Path.home() / ".cache/fewshot"
    folder = Path(root, "models", file_sha256(archive)[:16])
    if folder.is_dir():
        return folder
    try:
        with atomic.replacement(folder) as temporary:
            Path(temporary).mkdir(exist_ok=True)
            with tarfile.open(archive) as content:
                content.extractall(temporary, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        if folder.is_dir():  # another process was first
            return folder
        raise UserError(
            f"`{key}` must name an archive that can be read: {archive} gave {error}."
        ) from error
    return folder


def model_sha256(folder: Path) -> str:
    """The sha256 of a SavedModel: the names and contents of its graph, variables and assets."""
    parts = [folder / FILE, *sorted((folder / "variables").glob("*"))]
    parts += sorted((folder / "assets").glob("*"))
    named = [f"{part.relative_to(folder)} {file_sha256(part)}" for part in parts]
    return hashlib.sha256("\n".join(named).encode()).hexdigest()

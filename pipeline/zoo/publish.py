"""Publishing a model: what a run has pushed, packed with all that tells what it is."""

import dataclasses
import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from components.meta_trainer.training.start import read_weights
from pipeline.intervals import METRICS
from pipeline.zoo.card import model_card
from pipeline.zoo.licences import licence_of
from serving.errors import UserError
from serving.model_versions.folders import list_versions
from serving.saved_model.metadata import read_metadata
from serving.zoo.index import Entry, add_entry, read_index
from serving.zoo.packing import SUFFIX, pack, sha256_of

NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
OF_THE_MACHINE = ("pushed", "shipped", "seconds")
"""Entries of a summary that mean nothing elsewhere."""


def publish_run(
    run: Path,
    *,
    name: str,
    output: Path,
    weights_licence: str,
    data_licence: str | None = None,
    url: str | None = None,
) -> Entry:
    """Packs the model that a run has pushed into `output`, and adds it to the index there.

    Its version is one more than the newest of its name in that index.

    Raises:
      UserError: the run has pushed no blessed model, or its data do not allow it.
    """
    if not NAME.fullmatch(name):
        raise UserError(f"`--name` must be lower-case letters, digits and hyphens: got {name!r}.")
    pushed, summary = find_pushed(run)
    data_licence = licence_of(Path(summary["dataset"]).stem, data_licence)
    version = 1 + max((e.version for e in read_index(output) if e.name == name), default=0)
    summary = without_paths(summary)
    facts = _facts(pushed, summary)
    facts |= {"data_licence": data_licence, "weights_licence": weights_licence, "url": url}
    file = f"{name}-{version}{SUFFIX}"
    entry = Entry(name=name, version=version, file=file, size=0, sha256="", place=output, **facts)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "model")
        shutil.copytree(pushed, folder / str(version))
        _write(folder / f"{version}.summary.json", json.dumps(summary, indent=1))
        _write(folder / "config.yaml", yaml.safe_dump(summary["config"], sort_keys=False))
        _write(folder / "MODEL_CARD.md", model_card(entry, summary))
        write_safetensors(read_weights(str(pushed)), folder / "weights.safetensors")
        pack(folder, entry.beside_index)
    size = entry.beside_index.stat().st_size
    entry = dataclasses.replace(entry, size=size, sha256=sha256_of(entry.beside_index))
    add_entry(entry)
    return entry


def find_pushed(run: Path) -> tuple[Path, dict[str, Any]]:
    """The version folder that a run pushed last, and the summary beside it."""
    if (run / "saved_model.pb").is_file():
        folders = [run]
    else:
        bases = sorted((run / "serving_model").glob("*")) or [run]
        folders = [path for base in bases for path in list_versions(base).values()]
    for folder in reversed(folders):
        beside = folder.with_name(f"{folder.name}.summary.json")
        if beside.is_file():
            summary = json.loads(beside.read_text(encoding="utf-8"))
            if summary["blessed"] and summary["pushed"]:
                return folder, summary
    raise UserError(
        f"RUN must be a run that pushed a blessed model, with its summary beside the version's "
        f"folder: {run} {'has none' if run.is_dir() else 'is not there'}."
    )


def without_paths(summary: dict[str, Any]) -> dict[str, Any]:
    """A summary without what means nothing, or should not be known, on another machine."""
    config = _with_names_of_paths(summary["config"])
    data = config["data"] | {"data_dir": None}
    if data.get("path"):
        data["path"] = Path(data["path"]).name
    kept = {key: value for key, value in summary.items() if key not in OF_THE_MACHINE}
    named = {"dataset": Path(summary["dataset"]).name}
    return kept | named | {"config": config | {"data": data}}


def _with_names_of_paths(values: Any) -> Any:
    """Nested values with the last part of each path from the root, as of `training.start_from`."""
    if isinstance(values, dict):
        return {key: _with_names_of_paths(value) for key, value in values.items()}
    if isinstance(values, list):
        return [_with_names_of_paths(value) for value in values]
    is_path = isinstance(values, str) and values.startswith(("/", "~"))
    return Path(values).name if is_path else values


def write_safetensors(tensors: dict[str, np.ndarray], path: Path) -> None:
    """Writes float32 tensors as safetensors: a JSON header's size and text, then raw values."""
    header, at = {}, 0
    for name, tensor in tensors.items():
        end = at + tensor.nbytes
        header[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    values = b"".join(np.ascontiguousarray(t, "<f4").tobytes() for t in tensors.values())
    path.write_bytes(len(text).to_bytes(8, "little") + text + values)


def _facts(pushed: Path, summary: dict[str, Any]) -> dict[str, Any]:
    """What an index holds of a model but for its name and its file."""
    about, test = read_metadata(str(pushed)), summary["test"]
    metric = next(name for name in METRICS if name in test)
    return {
        "task": about["task"],
        "modality": about["example_spec"]["modality"],
        "example": about["example_spec"]["shape"],
        "learner": summary["learner"],
        "ways": summary["ways"],
        "shots": summary["shots"],
        "max_ways": about.get("max_ways"),
        "dataset": summary["dataset"],
        "metric": metric,
        "value": test[metric],
        "ci95": test["ci95"],
        "ci95_by_class": summary.get("test_intervals", {}).get("ci95_by_class"),
        "episodes": test["episodes"],
        "protocol": test["protocol"],
        "commit": summary.get("commit"),
    }


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")

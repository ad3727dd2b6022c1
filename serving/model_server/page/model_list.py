"""What the page has to know of each served model: its kind of examples, and its card."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from serving.model_server.core import ServerCore
from serving.model_server.servable import Servable
from serving.protocol.status import StatusError
from serving.saved_model.metadata import read_metadata
from serving.saved_model.signatures import ENCODED

_OF_SUMMARY = ("dataset", "ways", "shots", "test")


def list_models(core: ServerCore) -> list[dict[str, Any]]:
    """Lists the newest loaded version of every model, by name.

    Its `modality` is "image", "text" or "audio", or empty where the model takes no files or texts
    (numbers, or regression). `about` is its `fewshot_model.json`, `card` the MODEL_CARD.md
    and `summary` entries of the run's summary, both beside the version folder, or empty.
    """
    newest: dict[str, int] = {}
    for name, version in sorted(core.manager.versions.loaded_versions()):
        newest[name] = version
    models = []
    for name, version in newest.items():
        with suppress(StatusError), core.manager.versions.servable(name, version) as servable:
            models.append(_describe(servable))  # a version may have been unloaded meanwhile
    return models


def _describe(servable: Servable) -> dict[str, Any]:
    folder, offers_files = servable.folder, ENCODED in servable.signature_defs
    about = read_metadata(str(folder))
    known = offers_files and "example_spec" in about
    return {
        "name": servable.name,
        "version": servable.version,
        "modality": about["example_spec"]["modality"] if known else "",
        "about": about,
        "card": _read(folder.parent / "MODEL_CARD.md"),
        "summary": _summary(folder),
    }


def _summary(folder: Path) -> dict[str, Any]:
    summary = json.loads(_read(folder.parent / f"{folder.name}.summary.json") or "{}")
    return {key: summary[key] for key in _OF_SUMMARY if key in summary}


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""

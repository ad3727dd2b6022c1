"""Which model is evaluated, and which run made it."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from components.modalities.base import ExampleSpec
from pipeline.config import load_config
from serving.errors import UserError
from serving.model_versions.folders import list_versions
from serving.saved_model.metadata import read_metadata
from serving.saved_model.signatures import METADATA_FILE
from serving.zoo.fetch import local_folder

YAML = (".yaml", ".yml")


class TrainedModel(NamedTuple):
    """A SavedModel of this project."""

    folder: Path  # that holds saved_model.pb
    metadata: dict[str, Any]  # content of its `fewshot_model.json`
    spec: ExampleSpec  # the examples that it takes
    config: dict[str, Any]  # the resolved configuration of its run; {} where that is not known


def find_model(path: Path, key: str = "--model") -> TrainedModel:
    """Finds the model that a path names.

    Args:
      path: `zoo:NAME`; a configuration, whose run's model is taken; the folder of a run, of which
        the model that is served or, if none was pushed, the one trained last; a folder of versions,
        of which the newest; or a SavedModel.
      key: name of the option that holds the path, for errors.

    Raises:
      UserError: there is no model of this project.
    """
    path = Path(local_folder(str(path)))
    if path.suffix in YAML:
        config = load_config(path)
        folder = Path("runs") / config.name
        if not (folder / "summary.json").is_file():
            raise UserError(
                f"`--config` must be of a run that has ended, or `{key}` must name a model: "
                f"{folder} has no summary.json. Run it with: fewshot run --config {path}"
            )
        path = folder
    summary = _read_json(path / "summary.json")
    versions = list_versions(path)
    if (path / "saved_model.pb").is_file():
        folder = path
    elif summary:
        folder = _of_run(path, summary, key)
    elif versions:
        folder = versions[max(versions)]
    else:
        raise UserError(
            f"`{key}` must be a configuration, the folder of a run or of a model's versions, or a "
            f"SavedModel: {path} {'is none' if path.exists() else 'is not there'}."
        )
    metadata = read_metadata(str(folder))
    if "example_spec" not in metadata:
        raise UserError(f"`{key}` must be a model of this project: {folder}/{METADATA_FILE} lacks.")
    beside = _read_json(folder.with_name(f"{folder.name}.summary.json"))
    config = (beside or summary).get("config", {})
    return TrainedModel(folder, metadata, ExampleSpec.from_json(metadata["example_spec"]), config)


def _of_run(folder: Path, summary: dict[str, Any], key: str) -> Path:
    """The newest version that a run's folder holds, or the model that was trained last."""
    versions = list_versions(folder / "serving_model" / summary["config"]["serving"]["model_name"])
    if versions:
        return versions[max(versions)]
    models = list_versions(folder / "tfx" / "Trainer" / "model")
    if not models:
        raise UserError(f"`{key}` must be a run that has trained a model: {folder} has none.")
    return models[max(models)] / "Format-Serving"


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {}

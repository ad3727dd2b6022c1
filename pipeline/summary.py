"""`summary.json`: what a run leaves for people and programs to read (see ARCHITECTURE.md)."""

import importlib.metadata
import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.episodes.novelty import cautions, compare_splits, start_cautions
from components.episodes.record import read_record
from pipeline.config import Config
from serving import atomic
from serving.model_versions.folders import list_versions

TEST_KEYS = ("ci95", "episodes", "queries", "protocol")
WIDER = ("ci95_by_class", "ci95_by_group")
PACKAGES = ("tensorflow", "tfx", "tensorflow-datasets", "apache-beam", "tensorflow-serving-api")


def publish_summary(
    config: Config, output_dir: Path, *, seconds: Mapping[str, float], real_dir: Path | None = None
) -> dict[str, Any]:
    """Writes `summary.json` with the results of the latest run in `output_dir`, and returns it.

    `report.html` is copied beside it, and both are kept where no later run overwrites them: see
    `kept_places`. `real_dir` is what `output_dir` is a link to, if it is one.
    """
    run_id, outputs = latest_run(output_dir / "metadata.sqlite")
    evaluation = Path(outputs["evaluation"].uri)
    metrics = json.loads((evaluation / "metrics.json").read_text())
    meta_train = json.loads((Path(outputs["model_run"].uri) / "meta_train.json").read_text())
    pushed = outputs["pushed_model"].custom_properties
    destination = pushed["pushed_destination"].string_value
    if real_dir is not None and destination.startswith(f"{output_dir}/"):
        destination = str(real_dir) + destination[len(str(output_dir)) :]
    learner = config.learner.get("name", "maml")
    model_facts = {**meta_train, "learner": learner, "meta_train_steps": meta_train["steps"]}
    record = read_record(outputs["examples"].uri)
    novelty = compare_splits(record.splits, record.groups, by_group=record.split_by == "group")
    summary = {
        "config": config.to_dict(),
        "learner": learner,
        "dataset": config.data.name or config.data.path or config.data.source,
        "ways": config.episodes.ways,
        "shots": config.episodes.shots,
        "test": {key: metrics[key] for key in (metrics.get("metric", "accuracy"), *TEST_KEYS)},
        "test_intervals": {key: metrics[key] for key in WIDER},
        "test_split": novelty.to_json(),
        "cautions": [
            *(cautions(novelty, record.ways) if record.example_spec.has_classes else []),
            *start_cautions(model_facts),
        ],
        "calibration": without_points(metrics.get("calibration")),
        "none_of_these": without_points(metrics.get("none_of_these")),
        "within_domain": metrics.get("within_domain"),
        "structural_similarity": metrics.get("structural_similarity") or None,
        "baselines": metrics["baselines"],
        "baseline_differences": metrics["baseline_differences"],
        "best_baseline": metrics["best_baseline"],
        "threshold": config.evaluation.threshold,
        "blessed": bool(metrics["blessed"]),
        "reasons": metrics.get("reasons", []) + unfit_for_serving(outputs["infra_blessing"].uri),
        "infra_blessed": outputs["infra_blessing"].custom_properties["blessed"].int_value == 1,
        "pushed": destination if pushed["pushed"].int_value else None,
        "shipped": newest_version(
            (real_dir or output_dir) / "serving_model" / config.serving.model_name
        ),
        "seconds": dict(seconds),
        "meta_train": meta_train,
        "commit": code_commit(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }
    for prefix in (*kept_places(output_dir, run_id, summary["pushed"]), f"{output_dir}/"):
        atomic.write_json(f"{prefix}summary.json", summary)
        with atomic.replacement(f"{prefix}report.html") as temporary:
            shutil.copyfile(evaluation / "report.html", temporary)
    return summary


def code_commit() -> str | None:
    """The commit of the checkout that runs, with "-dirty" where files are changed; else None."""
    words = ["git", "describe", "--always", "--exclude=*", "--abbrev=40", "--dirty"]
    try:
        done = subprocess.run(words, cwd=Path(__file__).parent, capture_output=True, text=True)
    except OSError:  # no git
        return None
    return done.stdout.strip() or None


def without_points(entry: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """An entry of `metrics.json` without the points of its figures, however deep."""
    if entry is None:
        return None
    rest = {key: value for key, value in entry.items() if key not in ("bins", "curve")}
    return {k: without_points(v) if isinstance(v, Mapping) else v for k, v in rest.items()}


def kept_places(output_dir: Path, run_id: str, pushed: str | None) -> list[str]:
    """Beginnings of the paths where a run's summary and report stay as they are.

    These are the run's own folder in `history/` and, for the run that pushed a version, the place
    beside the version's folder. A later run that finds all cached changes nothing there.
    """
    places = [f"{output_dir}/history/{run_id}/"]
    if pushed and Path(pushed).is_dir() and not Path(f"{pushed}.summary.json").exists():
        places.append(f"{pushed}.")
    return places


def unfit_for_serving(blessing_uri: str) -> list[str]:
    """A sentence for each check of ServingValidator that failed."""
    checks = json.loads((Path(blessing_uri) / "checks.json").read_text())["checks"]
    failed = [check for check in checks if not check["passed"]]
    return [f"Not fit for serving: {one['check']}: {one['detail']}" for one in failed]


def newest_version(base_path: Path) -> str | None:
    """The version folder that a server of `base_path` loads, whichever run pushed it, if any."""
    versions = list_versions(base_path)
    return str(versions[max(versions)]) if versions else None


def latest_run(metadata_path: Path) -> tuple[str, dict[str, Any]]:
    """The id of the latest run, and its output artifacts by output name.

    `blessing` of the ServingValidator is given as `infra_blessing`.
    """
    from ml_metadata import MetadataStore
    from ml_metadata.proto import metadata_store_pb2 as mlmd

    config = mlmd.ConnectionConfig()
    config.sqlite.filename_uri = str(metadata_path)
    store = MetadataStore(config)
    runs = store.get_contexts_by_type("pipeline_run")
    run = max(runs, key=lambda context: context.create_time_since_epoch)
    outputs: dict[str, Any] = {}
    for execution in store.get_executions_by_context(run.id):
        for event in store.get_events_by_execution_ids([execution.id]):
            if event.type != mlmd.Event.OUTPUT:
                continue
            (artifact,) = store.get_artifacts_by_id([event.artifact_id])
            infra = artifact.type == "InfraBlessing"
            outputs["infra_blessing" if infra else event.path.steps[0].key] = artifact
    return run.name, outputs

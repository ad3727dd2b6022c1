"""Finds what Kubeflow's backend would refuse, before it is submitted."""

import importlib
import itertools
from collections.abc import Iterator
from typing import Any

from pipeline.kubeflow.names import is_image, is_label

SCHEMA = "2.1.0"
# The fields known to backends from 2.0 on; they refuse a file with any other.
POD_FIELDS = {"pvcMount", "secretAsEnv", "secretAsVolume", "nodeSelector", "tolerations"}
_LOCAL_PREFIX = "comp-"


def lint(documents: list[dict[str, Any]]) -> list[str]:
    """Lists the problems of a specification and settings for Kubernetes, if any, a clause each."""
    spec, *others = documents
    problems = list(_unparsable(spec))
    if problems:
        return problems
    return [
        *_header(spec),
        *_tasks(spec),
        *_components(spec),
        *_executors(spec),
        *_names(spec),
        *_walk(spec, "the specification"),
        *(problem for document in others for problem in _platform(document, spec)),
    ]


def _unparsable(spec: dict[str, Any]) -> Iterator[str]:
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2

    try:
        json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec())
    except json_format.ParseError as error:
        yield f"it is no PipelineSpec ({error})"
        return
    for key in ("pipelineInfo", "root", "components", "deploymentSpec"):
        if key not in spec:
            yield f"it has no {key}"


def _header(spec: dict[str, Any]) -> Iterator[str]:
    version = spec.get("schemaVersion")
    if version != SCHEMA:
        yield f"its schema version must be {SCHEMA}, not {version}"
    if not is_label(spec["pipelineInfo"].get("name", "")):
        yield f"Kubernetes refuses the name {spec['pipelineInfo'].get('name')!r}"


def _tasks(spec: dict[str, Any]) -> Iterator[str]:
    """Checks that every reference of a task resolves and that no tasks wait for each other."""
    tasks = spec["root"].get("dag", {}).get("tasks", {})
    if not tasks:
        yield "it has no steps"
    given = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    for name, task in tasks.items():
        where = f"step {name!r}"
        component = spec["components"].get(task.get("componentRef", {}).get("name"))
        if component is None:
            yield f"{where} refers to a component that is not there"
            continue
        needs = set(task.get("dependentTasks", ()))
        for missing in sorted(needs - set(tasks)):
            yield f"{where} waits for {missing!r}, which is not there"
        declared = component.get("inputDefinitions", {})
        inputs = task.get("inputs", {})
        for kind in ("artifacts", "parameters"):
            for key, source in inputs.get(kind, {}).items():
                if key not in declared.get(kind, {}):
                    yield f"{where} gives {key!r}, which its component does not take"
                yield from _source(f"{where}, {key!r}", source, spec, tasks, needs, given)
            for key, definition in declared.get(kind, {}).items():
                optional = definition.get("isOptional") or "defaultValue" in definition
                if key not in inputs.get(kind, {}) and not optional:
                    yield f"{where} does not give {key!r}, which its component needs"
    yield from _cycles(tasks)


def _source(where, source, spec, tasks, needs, given) -> Iterator[str]:
    for kind, key_name, outputs in (
        ("taskOutputArtifact", "outputArtifactKey", "artifacts"),
        ("taskOutputParameter", "outputParameterKey", "parameters"),
    ):
        if kind not in source:
            continue
        producer, key = source[kind]["producerTask"], source[kind][key_name]
        if producer not in tasks:
            yield f"{where} comes from {producer!r}, which is not there"
            continue
        if producer not in needs:
            yield f"{where} comes from {producer!r}, which it does not wait for"
        component = spec["components"].get(tasks[producer]["componentRef"]["name"], {})
        if key not in component.get("outputDefinitions", {}).get(outputs, {}):
            yield f"{where} is the output {key!r} of {producer!r}, which has none"
    parameter = source.get("componentInputParameter")
    if parameter is not None and parameter not in given:
        yield f"{where} is the run-time parameter {parameter!r}, which is not declared"


def _cycles(tasks: dict[str, Any]) -> Iterator[str]:
    left = {name: set(task.get("dependentTasks", ())) & set(tasks) for name, task in tasks.items()}
    while ready := [name for name, needs in left.items() if not needs]:
        for name in ready:
            del left[name]
        for needs in left.values():
            needs.difference_update(ready)
    if left:
        yield f"the steps {', '.join(sorted(left))} wait for each other"


def _components(spec: dict[str, Any]) -> Iterator[str]:
    executors = spec["deploymentSpec"].get("executors", {})
    for name, component in spec["components"].items():
        if component.get("executorLabel") not in executors:
            yield f"component {name!r} refers to an executor that is not there"
        for kind in ("inputDefinitions", "outputDefinitions"):
            for key, artifact in component.get(kind, {}).get("artifacts", {}).items():
                if not _is_artifact_type(artifact.get("artifactType", {})):
                    yield f"{key!r} of component {name!r} has an artifact type that does not import"


def _executors(spec: dict[str, Any]) -> Iterator[str]:
    for name, executor in spec["deploymentSpec"].get("executors", {}).items():
        if "container" not in executor:
            kind = ", ".join(executor) or "nothing"
            yield f"executor {name!r} is {kind}: the backend has no resolver"
            continue
        container = executor["container"]
        if "lifecycle" in container:
            yield f"executor {name!r} has a lifecycle hook, which the backend passes over"
        if not is_image(container.get("image", "")):
            yield f"executor {name!r} has the image {container.get('image')!r}, no image reference"
        words = [*container.get("command", ()), *container.get("args", ())]
        for flag, imports in (("-m", _is_module), ("--executor_class_path", _is_class)):
            for before, word in itertools.pairwise(words):
                if before == flag and not imports(word):
                    yield f"executor {name!r} runs {word!r}, which does not import"


def _names(spec: dict[str, Any]) -> Iterator[str]:
    """Checks that every step has a name that Kubernetes takes and a folder of its own."""
    for name in spec["root"].get("dag", {}).get("tasks", {}):
        if not is_label(name):
            yield f"Kubernetes refuses the step name {name!r}"
    seen: dict[str, str] = {}
    for name in spec["components"]:
        # The SDK's local orchestrator cuts five letters off the name for the step's folder.
        folder = name[len(_LOCAL_PREFIX) :].lower()
        if not folder or folder in seen:
            yield f"component {name!r} shares its folder with {seen.get(folder, 'all others')!r}"
        seen[folder] = name


def _walk(value: Any, where: str) -> Iterator[str]:
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _walk(item, f"{where}[{number}]")
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "constantValue":
                yield f"{where} has a constantValue, which the driver does not know"
            yield from _walk(item, f"{where}.{key}")


def _platform(document: dict[str, Any], spec: dict[str, Any]) -> Iterator[str]:
    kubernetes = document.get("platforms", {}).get("kubernetes", {})
    executors = spec["deploymentSpec"].get("executors", {})
    for name, pod in kubernetes.get("deploymentSpec", {}).get("executors", {}).items():
        if name not in executors:
            yield f"the pod settings of {name!r} belong to no executor"
        for field in sorted(set(pod) - POD_FIELDS):
            yield f"the pod settings of {name!r} have the unknown field {field!r}"


def _is_module(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def _is_class(path: str) -> bool:
    module, _, name = path.rpartition(".")
    return bool(module) and _is_module(module) and hasattr(importlib.import_module(module), name)


def _is_artifact_type(schema: dict[str, Any]) -> bool:
    import yaml
    from tfx.orchestration.kubeflow.v2 import compiler_utils

    title = schema.get("schemaTitle")
    if "instanceSchema" in schema:
        title = (yaml.safe_load(schema["instanceSchema"]) or {}).get("title")
    if title and title.startswith("system."):  # KFP's own, which the entrypoint fills
        return True
    return bool(title) and _is_class(compiler_utils.TITLE_TO_CLASS_PATH.get(title, title))

"""Converts the specification that TFX compiles to one that Kubeflow's backend runs.

Pure functions on the specification: the mapping that the YAML file holds (`PipelineSpec`, schema
2.1.0).
"""

import re
from collections.abc import Mapping
from typing import Any, get_origin

from pipeline.config import Config
from pipeline.kubeflow import mistakes
from pipeline.kubeflow.names import step_name
from pipeline.kubeflow.options import KubeflowOptions, StepOptions
from pipeline.kubeflow.parameters import PARAMETERS, PREFIX

Spec = dict[str, Any]
DECLARED_TYPES_FLAG = "--declared_types"
# These read or write the pushed models, which are no inputs of a step: they must run each time.
NEVER_CACHED = ("FewShotEvaluator", "Pusher")
_OUTPUTS = (("artifacts", "taskOutputArtifact"), ("parameters", "taskOutputParameter"))
# Argo counts the last one from the start of the first attempt: it ends all attempts together, the
# running one too. It must therefore exceed the longest training, and without it nothing is retried.
_BACKOFF = {"backoffDuration": "30s", "backoffFactor": 2.0, "backoffMaxDuration": "2592000s"}
_GIGA = 1e9
_UNITS = {"": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_UNITS |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def with_settings(spec: Spec, options: KubeflowOptions) -> Spec:
    """Adds resources and retries to each step; switches the cache off for `NEVER_CACHED`."""
    tasks, executors = spec["root"]["dag"]["tasks"], spec["deploymentSpec"]["executors"]
    new_tasks, new_executors = {}, dict(executors)
    for name, task in tasks.items():
        settings = options.of_step(name)
        task = dict(task)
        if name in NEVER_CACHED:
            task["cachingOptions"] = {}
        if settings.retries:
            task["retryPolicy"] = {"maxRetryCount": settings.retries, **_BACKOFF}
        new_tasks[name] = task
        label = spec["components"][name]["executorLabel"]
        resources = _resources(settings)
        more: dict[str, Any] = {"resources": resources} if resources else {}
        if settings.retries and options.keeps_files:
            # Newer backends count it into the step's cache key, so it must not change lightly.
            folder = f"{options.shared_dir}/.mistakes"
            more["env"] = [{"name": mistakes.FOLDER, "value": folder}]
        new_executors[label] = {"container": executors[label]["container"] | more}
    return _with_tasks(spec, new_tasks) | {"deploymentSpec": {"executors": new_executors}}


def _resources(settings: StepOptions) -> dict[str, Any]:
    """Resources as numbers for backends up to 2.3 and as Kubernetes' strings for later ones."""
    resources: dict[str, Any] = {}
    for kind, unit in (("cpu", 1.0), ("memory", _GIGA)):
        for bound in ("request", "limit"):
            text = getattr(settings, f"{kind}_{bound}")
            if text:
                resources[f"{kind}{bound.title()}"] = _quantity(text) / unit
                resources[f"resource{kind.title()}{bound.title()}"] = text
    if settings.gpus:
        kind, count = settings.gpu_type or "nvidia.com/gpu", str(settings.gpus)
        resources["accelerator"] = {"type": kind, "count": count}
        resources["accelerator"] |= {"resourceType": kind, "resourceCount": count}
    return resources


def _quantity(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)([A-Za-z]*)", text).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit]


def with_parameters(spec: Spec, config: Config, defaults: Mapping[str, Any]) -> Spec:
    """Declares the run-time parameters and passes each to the step that it changes.

    `defaults`, by a parameter's name, replace those that the configuration gives.
    """
    tasks = dict(spec["root"]["dag"]["tasks"])
    components = dict(spec["components"])
    declared = {}
    for name, parameter in PARAMETERS.items():
        declared[name] = {
            "parameterType": parameter.type,
            "defaultValue": defaults.get(name, parameter.default(config)),
            "description": parameter.description,
            "isOptional": True,
        }
        step, own = parameter.component, PREFIX + name
        source, kind = {"componentInputParameter": name}, {"parameterType": parameter.type}
        tasks[step] = _put(tasks[step], ("inputs", "parameters", own), source)
        keys = ("inputDefinitions", "parameters", own)
        components[step] = _put(components[step], keys, kind)
    root = spec["root"] | {"inputDefinitions": {"parameters": declared}}
    return _with_tasks(spec | {"root": root, "components": components}, tasks)


def with_declared_types(spec: Spec, properties: Mapping[str, Mapping[str, Any]]) -> Spec:
    """Adds a flag for the entrypoint: which properties are lists, dicts and bools.

    TFX writes lists and dicts as JSON strings and bools as integers; the entrypoint converts them
    back to the types that the component declares: `properties`, by component and property.
    """
    flags = {}
    for component, types in properties.items():
        kinds = {}
        for name, declared in sorted(types.items()):
            kind = get_origin(declared) or declared
            if kind in (bool, list, dict):
                kinds[name] = kind.__name__
        words = ",".join(f"{name}:{kind}" for name, kind in kinds.items())
        if kinds:
            flags[component] = f"{DECLARED_TYPES_FLAG}={words}"
    return with_arguments(spec, flags)


def with_arguments(spec: Spec, arguments: Mapping[str, str]) -> Spec:
    """Adds an argument to the program of each of these components."""
    executors = dict(spec["deploymentSpec"]["executors"])
    for component, argument in arguments.items():
        label = spec["components"][component]["executorLabel"]
        container = executors[label]["container"]
        args = [*container["args"], argument]
        executors[label] = {"container": container | {"args": args}}
    return spec | {"deploymentSpec": {"executors": executors}}


def with_kfp_names(spec: Spec) -> Spec:
    """Renames steps, components and executors by the KFP SDK's rules.

    The SDK's local orchestrator cuts the first five characters (`comp-`) off a component's name:
    TFX's own names, which have no such prefix, would lose letters and could collide.
    """
    tasks, executors = spec["root"]["dag"]["tasks"], spec["deploymentSpec"]["executors"]
    new_components, new_executors = {}, {}
    for name, component in spec["components"].items():
        step, label = step_name(name), f"exec-{step_name(name)}"
        new_components[f"comp-{step}"] = component | {"executorLabel": label}
        new_executors[label] = executors[component["executorLabel"]]
    new_tasks = {step_name(name): _rename_task(task) for name, task in tasks.items()}
    deployment = {"executors": new_executors}
    return _with_tasks(
        spec | {"components": new_components, "deploymentSpec": deployment}, new_tasks
    )


def _rename_task(task: dict[str, Any]) -> dict[str, Any]:
    component = task["componentRef"]["name"]
    task = task | {
        "componentRef": {"name": f"comp-{step_name(component)}"},
        "taskInfo": {"name": step_name(task["taskInfo"]["name"])},
    }
    if "dependentTasks" in task:
        task["dependentTasks"] = sorted(map(step_name, task["dependentTasks"]))
    inputs = dict(task.get("inputs", {}))
    for kind, source in _OUTPUTS:
        for name, given in inputs.get(kind, {}).items():
            if source in given:
                # TFX names the producer of a parameter `Gen_task`, but the task itself `Gen`.
                producer = given[source]["producerTask"].removesuffix("_task")
                given = {source: given[source] | {"producerTask": step_name(producer)}}
                inputs = _put(inputs, (kind, name), given)
    return task | ({"inputs": inputs} if inputs else {})


def platform(options: KubeflowOptions, components: list[str]) -> Spec:
    """Returns the file's second document: volumes, secrets and node settings for Kubernetes."""
    executors = {f"exec-{step_name(name)}": _pod(options, name) for name in components}
    return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}}


def _pod(options: KubeflowOptions, component: str) -> dict[str, Any]:
    settings = options.of_step(component)
    pod: dict[str, Any] = {}
    if options.volume:
        pod["pvcMount"] = [{"constant": options.volume, "mountPath": options.shared_dir}]
    if options.secrets:
        pod["secretAsEnv"] = [
            {
                "secretName": secret,
                "keyToEnv": [{"secretKey": key, "envVar": name} for name, key in keys.items()],
            }
            for secret, keys in options.secrets.items()
        ]
    if settings.node_selector:
        pod["nodeSelector"] = {"labels": settings.node_selector}
    if settings.tolerations:
        pod["tolerations"] = [dict(toleration) for toleration in settings.tolerations]
    return pod


def _with_tasks(spec: Spec, tasks: dict[str, Any]) -> Spec:
    return spec | {"root": spec["root"] | {"dag": {"tasks": tasks}}}


def _put(mapping: dict[str, Any], keys: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Returns a copy of nested mappings with one value set."""
    first, *rest = keys
    return mapping | {first: _put(mapping.get(first, {}), tuple(rest), value) if rest else value}

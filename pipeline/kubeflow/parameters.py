"""Run-time parameters: values that change between runs without compiling again.

TFX writes its own RuntimeParameters without their defaults, and only as whole properties of a
component. Ours are numbers and strings that change one value inside a component's configuration:
the specification passes them to the step as `runtime_<name>`, and the entrypoint applies them.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from components.meta_trainer.options import learner_options
from pipeline.config import Config
from serving.errors import UserError

PREFIX = "runtime_"
# A component and the property that holds its configuration as JSON.
_EPISODE_GEN, _TRAINER = ("EpisodeGen", "config_json"), ("Trainer", "custom_config")
_PYTHON_TYPES = {"STRING": str, "NUMBER_INTEGER": int, "NUMBER_DOUBLE": float}


class RuntimeParameter(NamedTuple):
    """A parameter of a compiled pipeline and the value in a component that it replaces."""

    type: str  # in the pipeline specification: STRING, NUMBER_INTEGER or NUMBER_DOUBLE
    description: str  # text that Kubeflow shows in the form for a run
    default: Callable[[Config], Any]  # the value that the configuration gives where a run does not
    component: str  # its id
    property: str  # name of the component's property
    path: tuple[str, ...]  # keys inside a property that is JSON; empty for the property itself
    change: Callable[[Any, Any], Any] = lambda _, value: value  # (old value, parameter) -> new one


def _set_location(data: dict[str, Any], location: str) -> dict[str, Any]:
    if not location:
        return data
    return {**data, "path" if data.get("path") else "data_dir": location}


def _set_learner(section: dict[str, Any], name: str) -> dict[str, Any]:
    """Replaces the learner; another one gets its own defaults, not the options of the first."""
    if section.get("name", "maml") == name:
        return section
    learner_options({"name": name})
    return {"name": name} | {k: v for k, v in section.items() if k == "backbone"}


PARAMETERS: dict[str, RuntimeParameter] = {
    "data_location": RuntimeParameter(
        "STRING",
        "Where the class data lie: a folder that the steps see, or a gs://, s3:// or minio:// one.",
        lambda config: config.data.path or config.data.data_dir or "",
        *_EPISODE_GEN,
        ("data",),
        _set_location,
    ),
    "data_version": RuntimeParameter(
        "STRING",
        "Change it when the data at the same location change, or cached episodes are used again.",
        lambda config: "",
        "EpisodeGen",
        "data_fingerprint",
        (),
    ),
    "seed": RuntimeParameter(
        "NUMBER_INTEGER",
        "Seed of the episodes.",
        lambda config: config.episodes.seed,
        *_EPISODE_GEN,
        ("episodes", "seed"),
    ),
    "learner": RuntimeParameter(
        "STRING",
        "The meta-learning algorithm. The compiled one has the options that it was compiled with; "
        "another has its own defaults, and the same backbone.",
        lambda config: config.learner.get("name", "maml"),
        *_TRAINER,
        ("learner",),
        _set_learner,
    ),
    "steps": RuntimeParameter(
        "NUMBER_INTEGER",
        "Meta-steps.",
        lambda config: config.training.steps,
        *_TRAINER,
        ("training", "steps"),
    ),
    "training_seed": RuntimeParameter(
        "NUMBER_INTEGER",
        "Seed of the initial weights and of all random numbers in meta-training.",
        lambda config: config.training.seed,
        *_TRAINER,
        ("training", "seed"),
    ),
    "threshold": RuntimeParameter(
        "NUMBER_DOUBLE",
        "The accuracy that blesses a model; 0 evaluates without blessing.",
        lambda config: config.evaluation.threshold or 0.0,
        "FewShotEvaluator",
        "config_json",
        ("threshold",),
        lambda _, value: value or None,
    ),
}


def parse_parameters(
    assignments: Sequence[str], known: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Reads assignments `NAME=VALUE` of parameters into values by name.

    `known` has a specification's types by parameter name; by default they are of `PARAMETERS`.

    Raises:
      UserError: there is no such parameter, or the value has another type.
    """
    types = known or {name: parameter.type for name, parameter in PARAMETERS.items()}
    values = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise UserError(f"`--parameter` must be NAME=VALUE: got {assignment!r}.")
        if name not in types:
            raise UserError(
                f"`--parameter` must name one of {', '.join(sorted(types))}: got {name!r}."
            )
        try:
            values[name] = _PYTHON_TYPES[types[name]](text)
        except ValueError:
            kind = "a whole number" if types[name] == "NUMBER_INTEGER" else "a number"
            raise UserError(f"`--parameter {name}` must be {kind}: got {text!r}.") from None
        if name == "learner":
            learner_options({"name": text})
    return values


def apply_parameters(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a step's properties after the parameters `runtime_<name>` among them changed them.

    A property whose value a parameter changes by path is JSON text.

    Raises:
      UserError: the learner does not exist.
    """
    result = {k: v for k, v in properties.items() if not k.startswith(PREFIX)}
    for key, value in properties.items():
        parameter = PARAMETERS.get(key.removeprefix(PREFIX)) if key.startswith(PREFIX) else None
        if parameter is None:
            continue
        # Every number of an ExecutorInput is a double.
        value = _PYTHON_TYPES[parameter.type](value)
        if not parameter.path:
            result[parameter.property] = value
            continue
        whole = json.loads(result[parameter.property])
        *parents, last = parameter.path
        inner = whole
        for parent in parents:
            inner = inner[parent]
        inner[last] = parameter.change(inner.get(last), value)
        result[parameter.property] = json.dumps(whole)
    return result

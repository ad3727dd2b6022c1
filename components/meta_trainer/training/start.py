"""The weights that meta-training begins with: the learner's own, or those of another model."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

from components.meta_trainer.build import Assembly
from components.meta_trainer.types import Weights, to_dicts
from serving.errors import UserError
from serving.saved_model.metadata import read_metadata

KEY = "training.start_from"
_WEIGHTS, _GRAPH = "_variables", "_CHECKPOINTABLE_OBJECT_GRAPH"


def initial_weights(
    assembly: Assembly, seed: int, model_dir: str | None
) -> tuple[dict[str, Any], str | None]:
    """The initial weights, and a sentence of what was taken from the SavedModel, if one is named.

    A weight is taken if one of the same name and shape is there, so that a model of other ways
    gives all but its head.

    Raises:
      UserError: `model_dir` is no model of this project, stands on another encoder, or has nothing
        of the backbone that can be taken.
    """
    own = to_dicts(assembly.learner.init(seed))
    if not model_dir:
        return own, None
    there = read_weights(model_dir)
    _check_encoder(assembly, model_dir)
    wanted = dict(_paths(own))
    fits = [name for name in wanted if name in there]
    taken = [name for name in fits if _shape(there, name) == _shape(wanted, name)]
    left = [_why(name, wanted, there) for name in wanted if name not in taken]
    if not any(name.startswith("body/") for name in taken):
        raise UserError(
            f"`{KEY}` must be a model with weights of this backbone: none of {model_dir} has the "
            f"name and shape of one here ({'; '.join(left) or 'there is none here'})."
        )
    unused = sorted(set(there) - set(wanted))
    sentence = f"meta-training begins with weights of {_name(model_dir)}: taken {', '.join(taken)}"
    sentence += f"; not taken {'; '.join(left)}" if left else ""
    sentence += f"; there alone {', '.join(unused)}" if unused else ""
    print(sentence, file=sys.stderr)
    return _replaced(own, {name: there[name] for name in taken}), sentence


def _name(model_dir: str) -> str:
    """The end of a folder's path, for a sentence that goes with the model to other machines."""
    return model_dir if "://" in model_dir else "/".join(Path(model_dir).parts[-2:])


def fit_to_texts(
    assembly: Assembly, weights: Weights, texts: Callable[[], Iterable[Any]]
) -> dict[str, Any]:
    """The weights to begin with where the backbone fits them to what `texts` gives, each once."""
    fit = assembly.learner.network.backbone.fit
    if fit is None or assembly.modality.spec.modality != "text":
        return dict(weights)
    x = assembly.modality.prepare(tf.constant(sorted(set(texts()))))
    return dict(weights) | {"body": fit(weights["body"], x)}


def all_weights(assembly: Assembly, model_dir: str) -> dict[str, Any]:
    """The weights of a SavedModel in the form of the learner that made it.

    Raises:
      UserError: they are not those of this learner, by name or shape.
    """
    own, there = to_dicts(assembly.learner.init(0)), read_weights(model_dir)
    wanted = dict(_paths(own))
    wrong = [
        name for name in wanted if name not in there or _shape(there, name) != _shape(wanted, name)
    ]
    if wrong:
        raise UserError(
            f"`--model` must have the weights of its learner, {assembly.learner_name}, in this "
            f"version: {model_dir} differs in {', '.join(wrong)}. Train it again, or use the "
            "version that did."
        )
    return _replaced(own, there)


def read_weights(model_dir: str) -> dict[str, np.ndarray]:
    """The meta-learned weights of a SavedModel by path, such as `body/conv1_kernel`."""
    prefix = f"{model_dir}/variables/variables"
    if not tf.io.gfile.exists(f"{prefix}.index"):
        raise UserError(
            f"`{KEY}` must be the folder of a model, which holds saved_model.pb: {model_dir} is "
            "none. Give a pushed version, a run's folder or zoo:NAME."
        )
    reader = tf.train.load_checkpoint(prefix)
    graph = TrackableObjectGraph.FromString(reader.get_tensor(_GRAPH))
    root = {child.local_name: child.node_id for child in graph.nodes[0].children}
    keys = _keys(graph, root[_WEIGHTS], "") if _WEIGHTS in root else []
    return {name: reader.get_tensor(key) for name, key in sorted(keys)}


def _keys(graph: Any, node: int, above: str) -> Iterator[tuple[str, str]]:
    """The path of each variable below a node of the object graph, and its key in the checkpoint.

    The key is one of several paths to a variable, and not always the one through the weights.
    """
    for child in graph.nodes[node].children:
        path, attributes = above + child.local_name, graph.nodes[child.node_id].attributes
        if attributes:
            yield path, attributes[0].checkpoint_key
        else:
            yield from _keys(graph, child.node_id, f"{path}/")


def _check_encoder(assembly: Assembly, model_dir: str) -> None:
    """Weights learned over one encoder's features mean nothing over another's."""
    own, about = assembly.learner.network.backbone.encoder, read_metadata(model_dir)
    there = about.get("encoder", {}).get("sha256")
    here = own.about["sha256"] if own else None
    if there != here:
        raise UserError(
            f"`{KEY}` must be a model over the same pretrained encoder: {model_dir} has "
            f"{there or 'none'}, `learner.backbone` has {here or 'none'}."
        )


def _paths(weights: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    """Each weight with its path in the nest."""
    found: list[tuple[str, Any]] = []
    for name in sorted(weights):
        value = weights[name]
        nested = isinstance(value, Mapping)
        found += _paths(value, f"{above}{name}/") if nested else [(above + name, value)]
    return found


def _replaced(weights: Mapping[str, Any], new: Mapping[str, Any], above: str = "") -> dict:
    """The nest with the weights whose paths are in `new` replaced."""
    return {
        name: _replaced(value, new, f"{above}{name}/")
        if isinstance(value, Mapping)
        else tf.constant(new.get(above + name, value), value.dtype)
        for name, value in weights.items()
    }


def _shape(weights: Mapping[str, Any], name: str) -> list[int]:
    return list(weights[name].shape)


def _why(name: str, wanted: Mapping[str, Any], there: Mapping[str, Any]) -> str:
    if name not in there:
        return f"{name} (not there)"
    return f"{name} ({_shape(there, name)} there, {_shape(wanted, name)} here)"

"""The signatures `adapt_on_server` and `predict_on_server`, which no SavedModel has.

The first is `adapt` with a handle in place of the adapted weights, which the server keeps; the
second is `predict` with that handle in place of the weights. Clients see them in the metadata where
the server offers them.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from serving.model_server.adapted_cache import AdaptedCache, Tensors
from serving.model_server.predict import Runner
from serving.model_server.servable import Servable
from serving.protocol.status import invalid_argument
from serving.saved_model.signatures import (
    ADAPT,
    ADAPT_ON_SERVER,
    ADAPTED_HANDLE,
    ADAPTED_PREFIX,
    PREDICT,
    PREDICT_ON_SERVER,
)

_TENSOR = f"{ADAPTED_HANDLE}:0"
"""The handle's name among a graph's tensors, though no graph has it."""


def offer(servable: Servable, cache: AdaptedCache) -> None:
    """Adds both signatures to a version that has `adapt` and `predict`."""
    adapt, predict = (servable.signature_defs.get(name) for name in (ADAPT, PREDICT))
    if adapt is None or predict is None:
        return
    by_handle = meta_graph_pb2.SignatureDef()
    by_handle.CopyFrom(predict)
    for name in [name for name in by_handle.inputs if name.startswith(ADAPTED_PREFIX)]:
        del by_handle.inputs[name]
    to_handle = meta_graph_pb2.SignatureDef()
    to_handle.CopyFrom(adapt)
    to_handle.outputs.clear()
    for infos in (to_handle.outputs, by_handle.inputs):
        infos[ADAPTED_HANDLE].name = _TENSOR
        infos[ADAPTED_HANDLE].dtype = types_pb2.DT_STRING
        infos[ADAPTED_HANDLE].tensor_shape.dim.add().size = -1
    servable.signature_defs |= {ADAPT_ON_SERVER: to_handle, PREDICT_ON_SERVER: by_handle}
    servable.when_closed(lambda: cache.drop(_version(servable)))


def with_handles(run: Runner, cache: AdaptedCache) -> Runner:
    """A runner of requests to both signatures and all others, which `run` runs."""

    def run_with_handles(
        servable: Servable,
        feeds: Mapping[str, np.ndarray],
        fetches: Sequence[str],
        deadline: float | None,
    ) -> list[np.ndarray]:
        if _TENSOR in fetches:
            names = [info.name for info in servable.signature_defs[ADAPT].outputs.values()]
            weights = dict(zip(names, run(servable, feeds, names, deadline)))
            episodes = len(next(iter(weights.values())))
            handles = [
                cache.add(_version(servable), _episode(weights, number, episodes))
                for number in range(episodes)
            ]
            return [np.array(handles, object)]
        if _TENSOR in feeds:
            tensors = _joined(cache.get(_version(servable), _handles(feeds[_TENSOR])))
            inputs = servable.signature_defs[PREDICT].inputs
            outputs = servable.signature_defs[ADAPT].outputs
            weights = {
                inputs[name].name: tensors[outputs[name].name]
                for name in inputs
                if name.startswith(ADAPTED_PREFIX)
            }
            queries = {name: array for name, array in feeds.items() if name != _TENSOR}
            return run(servable, weights | queries, fetches, deadline)
        return run(servable, feeds, fetches, deadline)

    return run_with_handles


def _version(servable: Servable) -> tuple[str, int]:
    return servable.name, servable.version


def _episode(weights: Tensors, number: int, episodes: int) -> Tensors:
    if episodes == 1:
        return weights  # as TensorFlow gave them, so that nothing is copied
    return {name: tensor[number : number + 1] for name, tensor in weights.items()}


def _handles(array: np.ndarray) -> list[bytes]:
    if array.dtype != object or array.ndim != 1 or not len(array):
        raise invalid_argument(
            f"`{ADAPTED_HANDLE}` must be strings of shape [E], one or more; got "
            f"{'strings' if array.dtype == object else array.dtype} of shape {list(array.shape)}."
        )
    return list(array)


def _joined(episodes: list[Tensors]) -> Tensors:
    """The weights of several episodes as one stack."""
    if len(episodes) == 1:
        return episodes[0]
    try:
        return {name: np.concatenate([e[name] for e in episodes]) for name in episodes[0]}
    except ValueError as error:
        raise invalid_argument(
            f"`{ADAPTED_HANDLE}` of one request must be of episodes with as many classes and "
            "support examples; send others by themselves."
        ) from error

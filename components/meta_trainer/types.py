"""The weights that learners, backbones and the training loop pass to one another; E episodes."""

from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

Weights = Mapping[str, Any]
"""Tensors by name, nested: `{"body": {...}, "head": {"kernel": ..., "bias": ...}}` and what a
learner adds, such as `"rates"`. Meta-learned weights are shared by all episodes; adapted ones are
`[E, ...]`."""


def stack_for_episodes(weights: Weights, episodes: tf.Tensor | int) -> dict[str, Any]:
    """A copy of shared weights for each episode: every tensor `[...]` becomes `[E, ...]`."""

    def stack(w: tf.Tensor) -> tf.Tensor:
        if isinstance(episodes, int) and episodes == 1:
            return tf.reshape(w, [1, *w.shape])
        return tf.tile(w[None], tf.concat([[episodes], tf.ones([w.shape.rank], tf.int32)], axis=0))

    return tf.nest.map_structure(stack, dict(weights))


def merge(*weights: Weights) -> dict[str, Any]:
    """One nest of all; where a name stands in several, the last counts."""
    merged: dict[str, Any] = {}
    for one in weights:
        for name, value in one.items():
            both = isinstance(value, Mapping) and name in merged
            merged[name] = merge(merged[name], value) if both else value
    return merged


def to_dicts(weights: Weights) -> dict[str, Any]:
    """The same nest in plain dicts (those of a `tf.Module` are wrapped to be tracked)."""
    return {n: to_dicts(w) if isinstance(w, Mapping) else w for n, w in weights.items()}


def by_joined_name(weights: Weights) -> dict[str, Any]:
    """The same tensors in one flat dict, in the order of `tf.nest`: `body_conv1_kernel`, ..."""
    return dict(_joined(weights, ""))


def _joined(weights: Weights, prefix: str) -> Iterator[tuple[str, Any]]:
    for name in sorted(weights):
        if isinstance(weights[name], Mapping):
            yield from _joined(weights[name], f"{prefix}{name}_")
        else:
            yield prefix + name, weights[name]

"""Meta-training by several processes: each takes its share of the episodes of a meta-step.

A meta-gradient is a mean over episodes, so that of all workers is the mean of theirs, for shares of
one size. Every worker holds all weights and takes the same step: they stay equal, and only the
first one writes checkpoints and exports. `tf.distribute` joins the processes that TF_CONFIG names,
as Kubeflow's training operator sets it.

If a worker dies, the others fail rather than wait for ever; started again, all go on from the last
checkpoint. None ends before the first has exported, so this holds until the model is written.
"""

import contextlib
import json
import os
import time
from typing import Any, TypeVar

import tensorflow as tf

from components.episodes.types import Episodes
from serving.errors import UserError

Nest = TypeVar("Nest")
_PATIENCE_SECONDS = 120.0
_EXPORT_SECONDS = 3600.0
_LEAVE_SECONDS = 5.0


class Workers:
    """The processes that meta-train together; by default this one alone.

    `index` is that of this process, of `count`; process 0 is the one that writes.
    """

    def __init__(self, strategy: Any = None, index: int = 0, count: int = 1):
        self._strategy = strategy
        self.index, self.count = index, count

    @property
    def is_first(self) -> bool:
        """Whether this process writes checkpoints, logs and the model."""
        return self.index == 0

    def share(self, episodes: Episodes) -> Episodes:
        """This process's part of a stack `[E, ...]`: every `count`-th episode."""
        if self.count == 1:
            return episodes
        return Episodes(*(tensor[self.index :: self.count] for tensor in episodes))

    def mean(self, nest: Nest) -> Nest:
        """The mean of a nest of float tensors over all processes; each must call it."""
        if self._strategy is None:
            return nest
        reduced = self._strategy.run(_all_reduce, args=(tf.nest.flatten(nest),))
        return tf.nest.pack_sequence_as(nest, reduced)

    def agree_on(self, number: float) -> float:
        """One number for all processes, the mean of theirs; each must call it."""
        return number if self._strategy is None else float(self.mean(tf.constant(float(number))))

    def wait_for_first(self) -> None:
        """Returns when the first process calls it, after its export; fails if that one is lost."""
        if self._strategy is None:
            return
        # The first has written all: it need not fail if another is lost.
        lost = (tf.errors.OpError,) if self.is_first else ()
        with contextlib.suppress(*lost):
            self._strategy.run(_all_reduce, args=([tf.zeros([])], _EXPORT_SECONDS))
        if self.is_first:
            time.sleep(_LEAVE_SECONDS)  # the others fetch the result from this process


ALONE = Workers()


def _all_reduce(tensors: list[tf.Tensor], patience: float = _PATIENCE_SECONDS) -> list[tf.Tensor]:
    context = tf.distribute.get_replica_context()
    options = tf.distribute.experimental.CommunicationOptions(timeout_seconds=patience)
    # Copies, since a tensor from outside the replica may have no device, and reducing asks for it.
    copies = [tf.identity(tensor) for tensor in tensors]
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, copies, options=options)


def join(episodes_per_step: int) -> Workers:
    """Joins the processes that TF_CONFIG names. Must come before TensorFlow computes anything.

    Raises:
      UserError: `episodes_per_step` is no multiple of their number, or TF_CONFIG is no cluster.
    """
    index, count = place(os.environ.get("TF_CONFIG", ""))
    if count == 1:
        return ALONE
    if episodes_per_step % count:
        raise UserError(
            f"`training.episodes_per_step` must be a multiple of the number of workers, {count}: "
            f"got {episodes_per_step}."
        )
    return Workers(tf.distribute.MultiWorkerMirroredStrategy(), index, count)


def place(tf_config: str) -> tuple[int, int]:
    """(index of this process, number of processes) of TF_CONFIG; (0, 1) where there is none.

    A chief, where there is one, comes before the workers; other kinds take no part.

    Raises:
      UserError: it is not JSON, or this process has no place in it.
    """
    if not tf_config:
        return 0, 1
    try:
        config = json.loads(tf_config)
        cluster, task = config.get("cluster", {}), config.get("task", {})
        chiefs, workers = (len(cluster.get(kind, ())) for kind in ("chief", "worker"))
        index = int(task.get("index", 0)) + (chiefs if task.get("type") == "worker" else 0)
    except (ValueError, AttributeError, TypeError) as error:
        raise UserError(
            f"TF_CONFIG must be JSON with `cluster` and `task`: {error}; got {tf_config!r}."
        ) from None
    count = max(chiefs + workers, 1)
    if task.get("type", "chief") not in ("chief", "worker") or not 0 <= index < count:
        raise UserError(
            f"TF_CONFIG must give this process a place among {count} of chief and worker: "
            f"got {task}."
        )
    return index, count

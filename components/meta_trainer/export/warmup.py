"""The warm-up requests of a trained model: a real episode, for each signature that it offers."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from components.episodes.dataset import parse_episodes, read_split
from components.episodes.format import decode_stored
from components.episodes.record import EpisodeSetRecord
from components.episodes.types import Support
from components.meta_trainer.build import Assembly
from components.meta_trainer.types import Weights, by_joined_name
from components.modalities.encoders import encoded_request
from serving.saved_model import signatures as sig
from serving.saved_model.warmup import WarmupRequest


def warmup_requests(
    inputs: Mapping[str, np.ndarray],
    class_names: Sequence[str],
    assembly: Assembly,
    weights: Weights,
) -> Iterator[WarmupRequest]:
    """Yields requests of the common shapes: one query, and as many as an episode has.

    `inputs` are `support_x`, `support_y` and `query_x` of one episode, and `class_names` those of
    its labels. `adaptation_path` has no request: the evaluator calls it, not a client.
    """
    support = {name: inputs[name] for name in (sig.SUPPORT_X, sig.SUPPORT_Y)}
    query_x = {sig.QUERY_X: inputs[sig.QUERY_X]}
    yield WarmupRequest(sig.ADAPT_AND_PREDICT, support | {sig.QUERY_X: inputs[sig.QUERY_X][:, :1]})
    yield WarmupRequest(sig.ADAPT_AND_PREDICT, support | query_x)
    yield WarmupRequest(sig.ADAPT, support)
    yield WarmupRequest(sig.PREDICT, _adapted(support, assembly, weights) | query_x)
    encoded = encoded_request(inputs, class_names, assembly.modality.spec)
    if encoded is not None:
        yield WarmupRequest(sig.ENCODED, encoded)


def first_episode(uri: str, record: EpisodeSetRecord) -> tuple[dict[str, np.ndarray], list[str]]:
    """The inputs and the class names of the first episode of the split `eval`."""
    (serialized,) = read_split(uri, "eval").take(1).as_numpy_iterator()
    episode = parse_episodes([serialized], record.example_spec).numpy()
    names = (sig.SUPPORT_X, sig.SUPPORT_Y, sig.QUERY_X)
    inputs = {name: getattr(episode, name) for name in names}
    return inputs, decode_stored(serialized).class_names


def _adapted(
    support: Mapping[str, np.ndarray], assembly: Assembly, weights: Weights
) -> dict[str, np.ndarray]:
    """The outputs of the signature `adapt`, by name."""
    x = assembly.modality.prepare(tf.constant(support[sig.SUPPORT_X]))
    y = tf.constant(support[sig.SUPPORT_Y])
    of_learner = Support(x, assembly.task.prepare_labels(y))
    adapted = by_joined_name(assembly.learner.adapt(weights, of_learner) | {sig.SUPPORT_Y: y})
    return {sig.ADAPTED_PREFIX + name: np.asarray(tensor) for name, tensor in adapted.items()}

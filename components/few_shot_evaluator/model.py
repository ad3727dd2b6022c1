"""An exported model called in this process, NumPy in, NumPy out."""

import numpy as np
import tensorflow as tf

from components.episodes.novelty import is_encoder_alone
from components.episodes.types import Episodes
from components.feature_cache import FeatureCache
from components.modalities.base import ExampleSpec
from components.tasks.task import Prediction, Task
from serving.saved_model import signatures as sig
from serving.saved_model.metadata import read_metadata


class ExportedModel:
    """A SavedModel called through TensorFlow's Python runtime, for the numbers of an evaluation.

    What is to be served is loaded by `serving.model_server.servable.Servable` instead, in a C++
    session: by the server, by the client for models on disk, and by the ServingValidator.
    """

    def __init__(self, saved_model_dir: str, task: Task):
        self.task = task
        # Kept: the functions hold the model's variables only weakly.
        self._loaded = tf.saved_model.load(saved_model_dir)
        self._predict = self._loaded.signatures[sig.ADAPT_AND_PREDICT]
        self._path = self._loaded.signatures.get(sig.PATH)
        metadata = read_metadata(saved_model_dir)
        self.temperature: float = metadata.get("temperature", 1.0)
        self.is_encoder_alone = is_encoder_alone(metadata)
        self._features = None
        encode = self._loaded.signatures.get(sig.ENCODE)
        self._from_features = self._loaded.signatures.get(sig.FROM_FEATURES)
        if encode is not None:
            self._spec = ExampleSpec.from_json(metadata["example_spec"])
            about = metadata["encoder"]
            self._features = FeatureCache(lambda x: encode(x)[sig.FEATURES], self._spec, about)

    @property
    def has_encoder(self) -> bool:
        """Whether it gives features of a pretrained encoder, as they were before meta-training."""
        return self._features is not None

    @property
    def has_path(self) -> bool:
        """Whether the model gives its predictions before and after each inner step."""
        return self._path is not None

    def predict(self, episodes: Episodes) -> Prediction:
        """The predictions for all queries, `[E, Q, ...]`."""
        return self.outputs(episodes)[self.task.prediction]

    def outputs(self, episodes: Episodes) -> dict[str, np.ndarray]:
        """All outputs of `serving_default`, by name."""
        predict = self._predict
        if self._from_features is not None:
            predict, episodes = self._from_features, self.encode(episodes)
        return {name: t.numpy() for name, t in _call(predict, episodes).items()}

    def serve(self, episodes: Episodes) -> Prediction:
        """As `predict`, but by `serving_default`: nothing is kept from call to call."""
        return _call(self._predict, episodes)[self.task.prediction].numpy()

    def encode(self, episodes: Episodes) -> Episodes:
        """The episodes with features in place of examples, `[E, S, D]` and `[E, Q, D]`."""
        x, query_x = self._encode(episodes.support_x), self._encode(episodes.query_x)
        return episodes._replace(support_x=x, query_x=query_x)

    def _encode(self, examples: np.ndarray) -> np.ndarray:
        """Features `[E, B, D]` of examples `[E, B, ...]`; each example is encoded once."""
        assert self._features is not None
        if not len(examples):
            return np.zeros([*examples.shape[:2], 0], np.float32)
        flat = examples.reshape(-1, *examples.shape[2:])
        features = self._features.features([self._spec.to_bytes(example) for example in flat])
        return features.reshape(*examples.shape[:2], -1)

    def path(self, episodes: Episodes) -> np.ndarray:
        """The predictions before and after each inner step, `[E, steps + 1, Q, ...]`."""
        return _call(self._path, episodes)[self.task.path_prediction].numpy()


def _call(function, episodes: Episodes) -> dict[str, tf.Tensor]:
    names = sig.SUPPORT_X, sig.SUPPORT_Y, sig.QUERY_X
    return function(**{name: tf.constant(getattr(episodes, name)) for name in names})

"""The frozen features of examples, computed once: in memory, and in a folder that runs share.

A feature is known by the content of its example and by what the encoder says of itself (its
sha256 among it). The folder is FEWSHOT_CACHE_DIR, by default ~/.cache/fewshot; delete it at will.
"""

import contextlib
import hashlib
import json
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from components.modalities.base import ExampleSpec
from serving import atomic

EXAMPLES_PER_CALL = 64
IDENTITY = ("name", "source", "licence")
"""What an encoder is called and where it lies changes no feature."""


def content_keys(stored: tf.Tensor) -> tf.Tensor:
    """A key for the content of each example as stored, int64; a graph computes the same."""
    return tf.strings.to_hash_bucket_fast(stored, tf.int64.max)


class FeatureCache:
    """Features `[D]` float32 of examples as stored."""

    def __init__(
        self,
        encode: Callable[[tf.Tensor], tf.Tensor],
        spec: ExampleSpec,
        about: Mapping[str, str],
    ):
        """`encode` gives features `[n, D]` of examples `[n, *spec.shape]`, of one length each."""
        batch = tf.TensorSpec([None, *spec.shape], tf.as_dtype(spec.dtype))
        self._encode = tf.function(encode, [batch], autograph=False)  # traced once
        self._spec = spec
        known = {key: value for key, value in about.items() if key not in IDENTITY}
        text = json.dumps([known, spec.to_json()], sort_keys=True)
        root = os.environ.get("FEWSHOT_CACHE_DIR") or Path.home() / ".cache/fewshot"
        self.folder = Path(root, "features", hashlib.sha256(text.encode()).hexdigest()[:16])
        self._features: dict[int, np.ndarray] = {}
        for file in sorted(self.folder.glob("*.npz")):
            with np.load(file) as stored:
                self._features |= zip(stored["keys"].tolist(), stored["features"])

    def features(self, stored: Sequence[bytes]) -> np.ndarray:
        """The features `[n, D]` of examples as stored; those not known yet are computed."""
        keys = content_keys(tf.constant(list(stored), tf.string)).numpy().tolist()
        new = {k: s for k, s in zip(keys, stored) if k not in self._features}
        if new:
            self._add(new)
        return np.stack([self._features[key] for key in keys])

    def _add(self, new: Mapping[int, bytes]) -> None:
        # Of like length together: the shorter are padded to the longest of a call.
        ordered = sorted(new, key=lambda key: len(new[key]))
        calls = []
        for at in range(0, len(ordered), EXAMPLES_PER_CALL):
            keys = ordered[at : at + EXAMPLES_PER_CALL]
            calls.append(self._spec_array([new[key] for key in keys]))
        # One call for each core at a time, since operations run on a single thread.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            features = np.concatenate(list(pool.map(lambda x: self._encode(x).numpy(), calls)))
        self._features |= zip(ordered, features)
        with contextlib.suppress(OSError):  # a home that cannot be written to keeps nothing
            path = self.folder / f"{uuid.uuid4().hex}.npz"
            with atomic.replacement(path) as temporary, open(temporary, "wb") as file:
                np.savez(file, keys=np.array(ordered, np.int64), features=features)

    def _spec_array(self, stored: Sequence[bytes]) -> Any:
        if self._spec.dtype == "string":
            return np.array(stored, object)
        examples = [self._spec.from_bytes(one) for one in stored]
        longest = max(len(one) for one in examples) if None in self._spec.shape else 0
        pad = [(0, 0)] * (len(self._spec.shape) - 1)
        padded = [np.pad(x, [(0, max(longest - len(x), 0)), *pad]) for x in examples]
        return np.stack(padded)

"""Meta-training on frozen features: each example is encoded once, before the first step."""

import dataclasses
import sys
import time
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from components.episodes import format as fmt
from components.episodes.dataset import parse_episodes, read_split
from components.episodes.types import Episodes
from components.feature_cache import FeatureCache, content_keys
from components.meta_trainer.build import Assembly
from components.meta_trainer.options import AugmentOptions
from components.meta_trainer.training.input_pipeline import AUGMENTED, Parse


def on_features(assembly: Assembly) -> Assembly:
    """The assembly for episodes of features: nothing is left to prepare."""
    return assembly._replace(modality=assembly.modality._replace(prepare=tf.identity))


def features_once(
    assembly: Assembly, augment: AugmentOptions, uri: str, splits: Sequence[str]
) -> Parse | None:
    """Encodes all examples of the splits; the result reads episodes of features `[E, S, D]`.

    `None` where there is no costly encoder, or where `augment` changes what it is given.
    """
    encoder = assembly.learner.network.backbone.encoder
    if encoder is None or not encoder.costly:
        return None
    changes = [option for option in AUGMENTED if getattr(augment, option)]
    if changes:
        print(
            f"features are computed anew in every step, since `training.augment.{changes[0]}` "
            "changes the inputs of the encoder",
            file=sys.stderr,
        )
        return None
    started = time.monotonic()
    stored = sorted(set().union(*(stored_examples(uri, split) for split in splits)))
    cache = FeatureCache(encoder.prepare, assembly.modality.spec, encoder.about)
    features = cache.features(stored)
    seconds = time.monotonic() - started
    print(f"features of {len(stored)} examples in {seconds:.0f} s", file=sys.stderr)
    keys = content_keys(tf.constant(stored))
    rows = tf.lookup.KeyValueTensorInitializer(keys, tf.range(1, len(stored) + 1))
    table = tf.lookup.StaticHashTable(rows, default_value=0)  # 0: padding
    values = tf.constant(np.pad(features, [(1, 0), (0, 0)]))

    spec = dataclasses.replace(assembly.modality.spec, dtype="string", shape=())

    def features_of(x: tf.Tensor) -> tf.Tensor:
        return tf.gather(values, table.lookup(content_keys(x)))

    def parse(serialized: tf.Tensor) -> Episodes:
        episodes = parse_episodes(serialized, spec)
        x, query_x = features_of(episodes.support_x), features_of(episodes.query_x)
        return episodes._replace(support_x=x, query_x=query_x)

    return parse


def stored_examples(uri: str, split: str) -> set[bytes]:
    """All examples of a split as stored."""
    strings = tf.io.VarLenFeature(tf.string)
    features = {fmt.SUPPORT_INPUT: strings, fmt.QUERY_INPUT: strings}
    found: set[bytes] = set()
    for serialized in read_split(uri, split).batch(256):
        for part in tf.io.parse_example(serialized, features).values():
            found.update(part.values.numpy().tolist())
    return found

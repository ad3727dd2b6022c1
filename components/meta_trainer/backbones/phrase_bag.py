"""A text of any language as a meta-learned embedding and as its spelling.

    f = [u, z],   u = sum_t g(t) v(t) / |...|,   z = counts of s(t) h(t) / |...|

u is the weighted mean of the learned vectors v of a text's tokens, as in `embedding_bag`; z are its
tokens, weighted by h and counted in the same numbers as those of a phrase's vector
(`components/signed_counts.py`). So a head that adds z answers with the phrase that is
spelled most like the query to begin with. g and h begin as inverse document frequencies; g is
meta-learned and h stays: learned, it fitted the training languages, and others had lower recall.
"""

import numpy as np
import tensorflow as tf
from pydantic import Field

from components.meta_trainer.backbones.base import Backbone, generator
from components.meta_trainer.backbones.embedding_bag import GATES, TABLE
from components.meta_trainer.types import Weights
from components.options import options_class
from components.signed_counts import SIZE, WORDS, signed_counts

SPELLING_GATES = "spelling_gates"
LEAST_WEIGHT = 0.05


@options_class
class PhraseBagOptions:
    """Options of `phrase_bag`."""

    buckets: int = Field(default=32_768, ge=2)
    """Rows of the tables; tokens with the same hash modulo this number share one."""
    size: int = Field(default=192, ge=1)
    """Numbers in an embedding."""


def phrase_bag(options: PhraseBagOptions, feature_shape: tuple[int, ...]) -> Backbone:
    """Embedding and spelling side by side; `feature_shape` is `(L,)`, hashes of the tokens."""
    del feature_shape
    depth = options.size + SIZE

    def init(seed: int) -> Weights:
        vectors = generator(seed, TABLE).normal(size=[options.buckets, options.size])
        return {
            TABLE: tf.constant(vectors / options.size**0.5, tf.float32),
            GATES: tf.zeros([options.buckets]),
            SPELLING_GATES: tf.zeros([options.buckets]),
        }

    def fit(weights: Weights, x: tf.Tensor) -> Weights:
        holding = np.zeros([options.buckets])
        for tokens in x.numpy():
            holding[np.unique(tokens[tokens > 0] % options.buckets)] += 1
        frequencies = np.maximum(np.log((1 + len(x)) / (1 + holding)), LEAST_WEIGHT)
        gates = np.log(frequencies).astype(np.float32)
        return dict(weights) | {GATES: tf.constant(gates), SPELLING_GATES: tf.constant(gates)}

    def features(weights: Weights, x: tf.Tensor, mask, statistics=None):
        del mask, statistics  # nothing is normalised: every example stands alone
        rows = x % options.buckets
        gates = tf.exp(tf.gather(weights[GATES], rows)) * tf.cast(x > 0, tf.float32)
        bag = tf.einsum("ebl,ebld->ebd", gates, tf.gather(weights[TABLE], rows))
        flat = tf.reshape(x, [-1, x.shape[-1]])
        rarity = tf.stop_gradient(weights[SPELLING_GATES])
        of_spelling = tf.exp(tf.gather(rarity, flat % options.buckets))
        counts = tf.reshape(
            signed_counts(flat, of_spelling), tf.concat([tf.shape(x)[:2], [SIZE]], axis=0)
        )
        embedding = tf.math.l2_normalize(bag, axis=-1, epsilon=1e-9)
        both = tf.concat([embedding, counts], axis=-1)
        return tf.ensure_shape(both, [*x.shape[:2], depth]), {}

    frozen = frozenset({TABLE, GATES, SPELLING_GATES})
    # On a CPU, XLA adds up counts and gradients of the table one token after the other.
    return Backbone(
        init,
        features,
        depth,
        frozen,
        fit=fit,
        copied=SIZE,
        words=WORDS,
        tables=True,
        compiles=False,
    )

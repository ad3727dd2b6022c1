"""Hashed tokens to a weighted mean of learned embeddings, then dense layers.

    h = sum_t g(t) v(t) / |sum_t g(t) v(t)|,   g(t) = exp(a(t))

v(t) and a(t) are rows of two tables. They begin as random vectors and equal weights: h is then a
random projection of the bag of tokens, which keeps distances (Johnson and Lindenstrauss 1984), and
meta-training improves on that by learning which tokens matter and which are alike.

With `idf` the weights begin as inverse document frequencies, those of TF-IDF:

    g(t) = 1 + log (1 + n) / (1 + n(t)),   n(t) of the n training texts hold t

With `exact`, the features hold the bag itself too, b(w) = sum over t = w of g(t), a number for
each row w, of length 1: a projection to few numbers makes different texts look a little alike.

References:
  Joulin et al. 2017, "Bag of Tricks for Efficient Text Classification", arXiv 1607.01759;
  Arora et al. 2017, "A Simple but Tough-to-Beat Baseline for Sentence Embeddings" (weights).
"""

import numpy as np
import tensorflow as tf
from pydantic import Field

from components.meta_trainer.backbones.base import Backbone, generator, glorot
from components.meta_trainer.kernels.normalisation import Mode, Normalisation
from components.meta_trainer.types import Weights
from components.options import options_class

TABLE, GATES, SHARE = "token_vectors", "token_gates", "embedding_share"


@options_class
class EmbeddingBagOptions:
    """Options of `embedding_bag`."""

    buckets: int = Field(default=16_384, ge=2)
    """Rows of the tables; tokens with the same hash modulo this number share one."""
    size: int = Field(default=256, ge=1)
    """Numbers in an embedding."""
    exact: bool = False
    """Whether the features hold, beside the mean embedding, the weighted bag of tokens itself."""
    embedding_share: float = Field(default=1.0, gt=0)
    """For `exact`: length of the mean embedding, that of the bag being 1; a start, meta-learned."""
    idf: bool = False
    """Whether the weights of tokens begin as inverse document frequencies of the training texts."""
    gate_rate: float = Field(default=1.0, gt=0)
    """Factor of a(t) and of the share's logarithm: how much faster they are learned."""
    scale: float = Field(default=4.0, gt=0)
    """Length to which the mean embedding is scaled."""
    hidden: int = Field(default=0, ge=0)
    """Units of each dense layer."""
    layers: int = Field(default=0, ge=0)
    """Number of layers [dense, normalisation, ReLU] after the mean."""
    normalisation: Mode = "support"
    """Whose moments normalise a query: see `normalisation.py`."""


def embedding_bag(options: EmbeddingBagOptions, feature_shape: tuple[int, ...]) -> Backbone:
    """A weighted mean of token embeddings, then dense layers.

    The tables are meta-learned and not adapted: an episode's few words would leave all others
    unchanged. `feature_shape` is `(L,)`, hashes of the tokens of one text, 0 where there is none.
    """
    del feature_shape
    norm = Normalisation(options.normalisation)
    layers = [f"dense{i + 1}" for i in range(options.layers)]
    bag_size = options.size + options.exact * options.buckets
    depths = [bag_size] + [options.hidden] * options.layers

    def init(seed: int) -> Weights:
        vectors = generator(seed, TABLE).normal(size=[options.buckets, options.size])
        weights: dict[str, tf.Tensor] = {
            TABLE: tf.constant(vectors / options.size**0.5, tf.float32),
            GATES: tf.zeros([options.buckets]),
        }
        if options.exact:
            start = np.log(options.embedding_share) / options.gate_rate
            weights[SHARE] = tf.constant(start, tf.float32)
        for layer, before, after in zip(layers, depths, depths[1:]):
            weights[f"{layer}_kernel"] = glorot(seed, f"{layer}_kernel", [before, after])
            weights |= norm.init(layer, after)
        return weights

    def fit(weights: Weights, x: tf.Tensor) -> Weights:
        holding = np.zeros([options.buckets])
        for tokens in x.numpy():
            holding[np.unique(tokens[tokens > 0] % options.buckets)] += 1
        frequencies = 1 + np.log((1 + len(x)) / (1 + holding))
        gates = tf.constant(np.log(frequencies) / options.gate_rate, tf.float32)
        return dict(weights) | {GATES: gates}

    def features(weights: Weights, x: tf.Tensor, mask, statistics=None):
        computed: dict[str, tf.Tensor] = {}
        rows = x % options.buckets
        gates = tf.exp(options.gate_rate * tf.gather(weights[GATES], rows))
        gates *= tf.cast(x > 0, tf.float32)
        bag = tf.einsum("ebl,ebld->ebd", gates, tf.gather(weights[TABLE], rows))
        x = options.scale * tf.math.l2_normalize(bag, axis=-1)
        if options.exact:
            exact = tf.math.l2_normalize(_bag(gates, rows, options.buckets), axis=-1)
            share = tf.exp(options.gate_rate * weights[SHARE])
            x = tf.concat([share * x, options.scale * exact], axis=-1)
        for layer in layers:
            x = tf.matmul(x, weights[f"{layer}_kernel"])
            x = x[:, :, None, None, :]
            x, of_layer = norm.apply(weights, layer, x, mask, statistics, slope=0.0)
            computed |= of_layer
            x = x[:, :, 0, 0, :]
        return x, computed

    frozen = frozenset(
        {TABLE, GATES, SHARE} | {name for layer in layers for name in norm.names(layer)}
    )
    backbone = Backbone(init, features, depths[-1], frozen, inductive=norm.inductive, tables=True)
    return backbone._replace(fit=fit) if options.idf else backbone


def _bag(gates: tf.Tensor, rows: tf.Tensor, buckets: int) -> tf.Tensor:
    """Sums the weights `[E, B, L]` of a text's tokens by their rows: `[E, B, buckets]`."""
    shape = tf.shape(rows)
    texts = shape[0] * shape[1]
    places = tf.reshape(rows, [texts, -1]) + buckets * tf.range(texts)[:, None]
    sums = tf.math.unsorted_segment_sum(
        tf.reshape(gates, [-1]), tf.reshape(places, [-1]), texts * buckets
    )
    return tf.reshape(sums, [shape[0], shape[1], buckets])

"""Fixed descriptors beside a network's features, so that meta-training begins where they are.

    h = [exp(r a_1) u_1, exp(r a_2) u_2, ...],   u_b = (x_b - mean_S x_b) / |x_b - mean_S x_b|

x_1 are the network's features, the other blocks are descriptors; those of spectrograms are divided
by their deviations over the support set too. The shares a_b are meta-learned and begin at 0: the
cosine of two examples is a weighted mean of their cosines by each block.
"""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import tensorflow as tf

from components.meta_trainer.backbones.base import Backbone
from components.meta_trainer.descriptors.image import image_descriptors
from components.meta_trainer.descriptors.spectrum import spectrum_descriptors
from components.meta_trainer.types import Weights

Kind = Literal["none", "image", "spectrum"]
NETWORK = "network"
RATE = 10.0
"""The factor r: how much faster the shares are learned than the network."""


class _Descriptors(NamedTuple):
    """Descriptors of one kind of input: `[E, B, ...]` to blocks `[E, B, d]` by name."""

    describe: Callable[[tf.Tensor], dict[str, tf.Tensor]]
    scaled: bool  # whether each number is divided by its deviation over the support set


_KINDS = {
    "image": _Descriptors(image_descriptors, scaled=False),
    "spectrum": _Descriptors(spectrum_descriptors, scaled=True),
}


def with_descriptors(backbone: Backbone, kind: Kind, feature_shape: tuple[int, ...]) -> Backbone:
    """The backbone, which gives features `[E, B, D]`, with descriptors beside them."""
    if kind == "none":
        return backbone
    describe, scaled = _KINDS[kind]
    blank = describe(tf.zeros([1, 1, *feature_shape]))
    sizes = {name: int(block.shape[-1]) for name, block in blank.items()}
    shares = {name: f"{name}_share" for name in (NETWORK, *sizes)}

    def init(seed: int) -> Weights:
        return dict(backbone.init(seed)) | {share: tf.zeros([]) for share in shares.values()}

    def features(weights: Weights, x: tf.Tensor, mask, statistics=None):
        learned, computed = backbone.features(weights, x, mask, statistics)
        blocks = {NETWORK: learned} | describe(x)
        if statistics is None:
            statistics = _moments(blocks, mask, sizes if scaled else {})
            computed = computed | statistics
        parts = []
        for name, block in blocks.items():
            block -= _of_each(statistics[f"{name}_mean"])
            if scaled and name != NETWORK:
                block *= _of_each(statistics[f"{name}_scale"])
            share = tf.exp(RATE * weights[shares[name]])
            parts.append(share * tf.math.l2_normalize(block, axis=-1, epsilon=1e-9))
        return tf.concat(parts, axis=-1), computed

    return backbone._replace(
        init=init,
        features=features,
        feature_size=backbone.feature_size + sum(sizes.values()),
        frozen_names=backbone.frozen_names | frozenset(shares.values()),
    )


def _of_each(moments: tf.Tensor) -> tf.Tensor:
    """Moments `[E, d]`, or `[d]` of all episodes together, for blocks `[E, B, d]`."""
    return tf.reshape(moments, [-1, 1, moments.shape[-1]])


def _moments(blocks: Mapping[str, tf.Tensor], mask, scaled) -> dict[str, tf.Tensor]:
    """The means `[E, d]` of blocks `[E, B, d]` over the examples that count, 1 in the mask.

    Of the `scaled` blocks also the factors `[E, d]` that make their deviations 1.
    """
    moments = {}
    for name, block in blocks.items():
        counts = tf.ones(tf.shape(block)[:2]) if mask is None else mask
        counts = tf.cast(counts, block.dtype)[..., None]
        number = tf.maximum(tf.reduce_sum(counts, axis=1), 1)
        mean = tf.reduce_sum(block * counts, axis=1) / number
        moments[f"{name}_mean"] = mean
        if name in scaled:
            squares = tf.reduce_sum(tf.square(block - mean[:, None]) * counts, axis=1) / number
            # What is the same in all examples of the support set stays as it is.
            factor = tf.math.rsqrt(tf.maximum(squares, 1e-9))
            moments[f"{name}_scale"] = tf.where(squares > 1e-9, factor, 1)
    return moments

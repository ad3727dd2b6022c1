"""The four-block convolutional network of few-shot learning's papers.

References:
  Vinyals et al. 2016, "Matching Networks", arXiv 1606.04080 (the architecture);
  Finn et al. 2017, "MAML", arXiv 1703.03400, appendix A.1 (strides in place of pooling).
"""

from typing import Literal

import tensorflow as tf
from pydantic import Field

from components.meta_trainer.backbones.base import Backbone, glorot
from components.meta_trainer.descriptors.beside import Kind, with_descriptors
from components.meta_trainer.kernels import convolution
from components.meta_trainer.kernels.normalisation import Mode, Normalisation
from components.meta_trainer.kernels.pieces import in_pieces
from components.meta_trainer.types import Weights
from components.options import options_class
from serving.errors import UserError


@options_class
class Conv4Options:
    """Options of `conv4`. The defaults are the Omniglot network of the MAML paper."""

    filters: int = Field(default=64, ge=1)
    """Channels of every block."""
    blocks: int = Field(default=4, ge=1)
    """Number of blocks of convolution, normalisation, ReLU."""
    downsample: Literal["stride", "max_pool"] = "stride"
    """Halve each block by stride 2, or by 2 x 2 maximum as for mini-ImageNet."""
    pooling: Literal["mean", "flatten"] = "mean"
    """The features: the mean of the last block over positions, or all of its values."""
    normalisation: Mode = "support"
    """Whose moments normalise a query: see `normalisation.py`."""
    descriptors: Kind = "none"
    """Fixed descriptors beside the network's features, by the kind of input: pixels, edges
    (HOG), waves and colours of images; the mean spectrum and MFCCs of spectrograms."""


def conv4(options: Conv4Options, feature_shape: tuple[int, ...]) -> Backbone:
    """Blocks of [3 x 3 convolution, normalisation, ReLU], no bias before a normalisation.

    `feature_shape` is `(H, W, C)` of one example.
    """
    height, width, channels = feature_shape
    norm = Normalisation(options.normalisation)
    layers = [f"conv{i + 1}" for i in range(options.blocks)]
    depths = [channels] + [options.filters] * options.blocks
    sizes = [_sizes(size, options) for size in (height, width)]
    flat = options.filters * (sizes[0] * sizes[1] if options.pooling == "flatten" else 1)

    def init(seed: int) -> Weights:
        weights: dict[str, tf.Tensor] = {}
        for layer, before, after in zip(layers, depths, depths[1:]):
            weights[f"{layer}_kernel"] = glorot(seed, f"{layer}_kernel", [3, 3, before, after])
            weights |= norm.init(layer, after)
        return weights

    def features(weights: Weights, x: tf.Tensor, mask, statistics=None):
        computed: dict[str, tf.Tensor] = {}
        pool = None if options.downsample == "stride" else convolution.max_pool
        for layer in layers:
            x = convolution.task_conv(x, weights[f"{layer}_kernel"], stride=stride)
            x, of_layer = norm.apply(weights, layer, x, mask, statistics, slope=0.0, pool=pool)
            computed |= of_layer
        if options.pooling == "mean":
            return tf.reduce_mean(x, axis=[2, 3]), computed
        return tf.reshape(x, tf.concat([tf.shape(x)[:2], [flat]], axis=0)), computed

    frozen = frozenset(name for layer in layers for name in norm.names(layer))
    stride = 2 if options.downsample == "stride" else 1
    pieces = in_pieces(-(-height // stride), -(-width // stride))
    backbone = Backbone(init, features, flat, frozen, inductive=norm.inductive, in_pieces=pieces)
    return with_descriptors(backbone, options.descriptors, feature_shape)


def _sizes(size: int, options: Conv4Options) -> int:
    """Positions left in one direction after all blocks."""
    for _ in range(options.blocks):
        size = -(-size // 2) if options.downsample == "stride" else size // 2
    if size < 1:
        raise UserError(
            f"`learner.backbone.blocks` must fit the image, which each block halves: got "
            f"{options.blocks}. Lower it, or raise `data.image_size`."
        )
    return size

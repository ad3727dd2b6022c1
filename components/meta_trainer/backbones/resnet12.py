"""ResNet-12, the larger network of few-shot learning's papers: four residual blocks of three.

    h(x) = pool( relu( conv-norm-relu-conv-norm-relu-conv-norm(x) + conv1x1-norm(x) ) )

Channels f, 2f, 4f, 8f (64 to 512 in the paper), each block halving height and width by a 2 x 2
maximum; then the mean over positions. Leaky rectification with slope 0.1, as the paper has it.

References:
  Oreshkin et al. 2018, "TADAM", arXiv 1805.10123, section 3.1 (the architecture);
  Lee et al. 2019, "MetaOptNet", arXiv 1904.03758, section 4.1.
"""

import itertools

import tensorflow as tf
from pydantic import Field

from components.meta_trainer.backbones.base import Backbone, glorot
from components.meta_trainer.kernels import convolution
from components.meta_trainer.kernels.dense import pointwise
from components.meta_trainer.kernels.moments import rectify
from components.meta_trainer.kernels.normalisation import Mode, Normalisation
from components.meta_trainer.types import Weights
from components.options import options_class
from serving.errors import UserError

SLOPE = 0.1
CONVOLUTIONS = 3


@options_class
class Resnet12Options:
    """Options of `resnet12`."""

    filters: int = Field(default=64, ge=1)
    """Channels of the first block; each later one has twice as many. 16 suits two cores."""
    blocks: int = Field(default=4, ge=1, le=6)
    """Number of blocks; each halves height and width."""
    normalisation: Mode = "support"
    """Whose moments normalise a query: see `normalisation.py`."""


def resnet12(options: Resnet12Options, feature_shape: tuple[int, ...]) -> Backbone:
    """Residual blocks of three convolutions on `(H, W, C)`, then the mean over positions.

    Raises:
      UserError: the image is too small to be halved by every block.
    """
    height, width, channels = feature_shape
    if min(height, width) >> options.blocks < 1:
        raise UserError(
            f"`learner.backbone.blocks` must leave at least one pixel: {options.blocks} blocks "
            f"halve an image of {height} x {width} to nothing. Lower it, or enlarge "
            "`data.image_size`."
        )
    norm = Normalisation(options.normalisation)
    depths = [channels, *(options.filters << block for block in range(options.blocks))]

    def layers(block: int) -> list[str]:
        return [f"block{block + 1}_conv{i + 1}" for i in range(CONVOLUTIONS)]

    def shortcut(block: int) -> str:
        return f"block{block + 1}_shortcut"

    def init(seed: int) -> Weights:
        weights: dict[str, tf.Tensor] = {}
        for block, (before, after) in enumerate(itertools.pairwise(depths)):
            kernels = {f"{layer}_kernel": [3, 3, after, after] for layer in layers(block)}
            kernels[f"{layers(block)[0]}_kernel"] = [3, 3, before, after]
            kernels[f"{shortcut(block)}_kernel"] = [before, after]
            weights |= {name: glorot(seed, name, shape) for name, shape in kernels.items()}
            for layer in [*layers(block), shortcut(block)]:
                weights |= norm.init(layer, after)
        return weights

    def features(weights: Weights, x: tf.Tensor, mask, statistics=None):
        computed: dict[str, tf.Tensor] = {}

        def normalise(layer: str, x: tf.Tensor, slope: float = 1.0) -> tf.Tensor:
            x, of_layer = norm.apply(weights, layer, x, mask, statistics, slope)
            computed.update(of_layer)
            return x

        for block in range(options.blocks):
            skip = normalise(shortcut(block), pointwise(x, weights[f"{shortcut(block)}_kernel"]))
            for index, layer in enumerate(layers(block)):
                x = convolution.task_conv(x, weights[f"{layer}_kernel"])
                x = normalise(layer, x, SLOPE if index < CONVOLUTIONS - 1 else 1.0)
            x = convolution.max_pool(rectify(x + skip, SLOPE))
        return tf.reduce_mean(x, axis=[2, 3]), computed

    every = [n for block in range(options.blocks) for n in [*layers(block), shortcut(block)]]
    frozen = frozenset(name for layer in every for name in norm.names(layer))
    return Backbone(init, features, depths[-1], frozen, inductive=norm.inductive)

"""A network from images to images: features at every pixel, to each of which the head applies.

    h_1 = relu(norm(conv(fold([x, row, column]))))
    h_l = h_{l-1} + relu(norm(conv(h_{l-1})))
    features = [relu(unfold(dense(h_L))), x]

`fold` puts each square of pixels into the channels of one position (space to depth), so that few
3 x 3 convolutions see far, at a fraction of the cost; `unfold` is its inverse. Rows and columns are
inputs, since what a style does to a pixel may depend on where it is (a slant does).
"""

from collections.abc import Callable

import tensorflow as tf
from pydantic import Field

from components.meta_trainer.backbones.base import Backbone, glorot
from components.meta_trainer.kernels import convolution
from components.meta_trainer.kernels.dense import pointwise
from components.meta_trainer.kernels.normalisation import Mode, Normalisation
from components.meta_trainer.types import Weights
from components.options import options_class
from serving.errors import UserError

UNFOLD = "unfold_kernel"


@options_class
class ImageToImageOptions:
    """Options of `image_to_image`."""

    filters: int = Field(default=64, ge=4)
    """Channels at each folded position."""
    features: int = Field(default=16, ge=1)
    """Channels at each pixel, of which the head takes a weighted sum."""
    layers: int = Field(default=4, ge=1)
    """Number of convolutions."""
    fold: int = Field(default=2, ge=1)
    """Pixels of a folded position in each direction; must divide the image's height and width."""
    normalisation: Mode = "none"
    """Whose moments normalise a query: see `normalisation.py`."""


def image_to_image(options: ImageToImageOptions, feature_shape: tuple[int, ...]) -> Backbone:
    """Features at every pixel, `[E, B, H, W, features + C]`, of examples of the shape `(H, W, C)`.

    Raises:
      UserError: the image cannot be folded.
    """
    height, width, channels = feature_shape
    fold, area = options.fold, options.fold**2
    if height % fold or width % fold:
        raise UserError(
            f"`learner.backbone.fold` must divide the image's sides: got {fold} for "
            f"{height} x {width} pixels."
        )
    norm = Normalisation(options.normalisation)
    layers = [f"conv{i + 1}" for i in range(options.layers)]
    depth = (channels + 2) * area

    def init(seed: int) -> Weights:
        weights: dict[str, tf.Tensor] = {}
        for index, layer in enumerate(layers):
            shape = [3, 3, options.filters if index else depth, options.filters]
            weights[f"{layer}_kernel"] = glorot(seed, f"{layer}_kernel", shape)
            weights |= norm.init(layer, options.filters)
        unfolded = area * options.features
        weights[UNFOLD] = glorot(seed, UNFOLD, [options.filters, unfolded])
        return weights

    def features(weights: Weights, x: tf.Tensor, mask, statistics=None):
        computed: dict[str, tf.Tensor] = {}
        h = _fold(_with_places(x), fold)
        for index, layer in enumerate(layers):
            new = convolution.task_conv(h, weights[f"{layer}_kernel"])
            new, of_layer = norm.apply(weights, layer, new, mask, statistics, slope=0.0)
            computed |= of_layer
            h = h + new if index else new
        pixels = tf.nn.relu(_unfold(pointwise(h, weights[UNFOLD]), fold))
        return tf.concat([pixels, x], axis=-1), computed

    # Without normalisation the offsets are the biases of the convolutions: adapted like the rest.
    of_norms = [name for layer in layers for name in norm.names(layer)]
    frozen = frozenset(of_norms if options.normalisation != "none" else [])
    positions, size = (height, width), options.features + channels
    return Backbone(init, features, size, frozen, positions, inductive=norm.inductive)


def _with_places(x: tf.Tensor) -> tf.Tensor:
    """Appends row and column, -1..1, to the channels of `[E, B, H, W, C]`."""
    height, width = x.shape[2:4]
    rows, columns = tf.meshgrid(
        tf.linspace(-1.0, 1.0, height), tf.linspace(-1.0, 1.0, width), indexing="ij"
    )
    places = tf.cast(tf.stack([rows, columns], axis=-1), x.dtype)
    shape = tf.concat([tf.shape(x)[:4], [2]], axis=0)
    return tf.concat([x, tf.broadcast_to(places, shape)], axis=-1)


def _fold(x: tf.Tensor, fold: int) -> tf.Tensor:
    """`[E, B, H, W, C]` -> `[E, B, H / fold, W / fold, C fold^2]`."""
    return _per_image(lambda images: tf.nn.space_to_depth(images, fold), x) if fold > 1 else x


def _unfold(x: tf.Tensor, fold: int) -> tf.Tensor:
    """The inverse of `_fold`."""
    return _per_image(lambda images: tf.nn.depth_to_space(images, fold), x) if fold > 1 else x


def _per_image(function: Callable[[tf.Tensor], tf.Tensor], x: tf.Tensor) -> tf.Tensor:
    """Applies a function of images `[n, H, W, C]` to `[E, B, H, W, C]`."""
    out = function(tf.reshape(x, [-1, *x.shape[2:]]))
    shape = tf.concat([tf.shape(x)[:2], out.shape[1:]], axis=0)
    return tf.ensure_shape(tf.reshape(out, shape), [None, None, *out.shape[1:]])

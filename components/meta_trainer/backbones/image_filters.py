"""Features at every pixel of pictures of any size: what simple styles are a weighted sum of.

    n = [x, blurred x, their luma, the slope of that]                   fixed
    h = conv(n), then h + relu(conv(h)) for each other layer            3 x 3
    z = relu(dense([n, screens, bins(x), relu(h)])), then z + relu(dense(z))
    features = [relu(dense(z)), n, products of two channels of x]

`screens` are cos and sin of 2 pi row / p and 2 pi column / p, for a period p of some pixels:
halftone and hatching repeat so from the top left corner on. `bins(x)` is how near a value is to
each of some fixed ones: curves and steps are weighted sums of it. A linear head includes every
quadratic map of a pixel's colour, so it need not be behind one that is fitted to the same support.
"""

import math

import tensorflow as tf
from pydantic import Field

from components.meta_trainer.backbones.base import Backbone, generator, glorot
from components.meta_trainer.kernels import convolution
from components.meta_trainer.kernels.shapes import shape_of
from components.meta_trainer.types import Weights
from components.options import options_class

_BLURS = (1, 5)
"""Numbers of passes of (1, 2, 1) / 4 in both directions: deviations of 0.7 and 1.6 pixels."""
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


@options_class
class ImageFiltersOptions:
    """Options of `image_filters`."""

    filters: int = Field(default=32, ge=1)
    """Channels of every hidden layer."""
    features: int = Field(default=64, ge=1)
    """Learned features of a pixel, beside the fixed ones."""
    layers: int = Field(default=2, ge=1)
    """Number of 3 x 3 convolutions."""
    dense_layers: int = Field(default=3, ge=1)
    """Number of layers of each pixel alone."""
    periods: tuple[int, ...] = (4, 6)
    """Periods of screens, in pixels."""
    bins: int = Field(default=17, ge=2)
    """Number of values that each channel, and luma, is compared with."""


def image_filters(options: ImageFiltersOptions, feature_shape: tuple[int, ...]) -> Backbone:
    """Features `[E, B, H, W, D]` of pictures `[E, B, H, W, C]` of any height and width."""
    height, width, channels = feature_shape
    fixed = 3 * channels + 2 * (1 + len(_BLURS))
    seen = fixed + 4 * len(options.periods) + (channels + 1) * options.bins + options.filters
    hidden = options.filters
    convs = [f"conv{i + 1}" for i in range(options.layers)]
    denses = [f"dense{i + 1}" for i in range(options.dense_layers)]

    def init(seed: int) -> Weights:
        shapes = {name: [3, 3, hidden if i else fixed, hidden] for i, name in enumerate(convs)}
        shapes |= {name: [hidden if i else seen, hidden] for i, name in enumerate(denses)}
        shapes["features"] = [hidden, options.features]
        weights: dict[str, tf.Tensor] = {}
        for name, shape in shapes.items():
            kernel, offset = f"{name}_kernel", f"{name}_offset"
            weights[kernel] = glorot(seed, kernel, shape)
            # Bends of the layers' functions begin at different values.
            spread = 0.0 if name in convs else 0.5
            values = generator(seed, offset).uniform(-spread, spread, shape[-1:])
            weights[offset] = tf.constant(values, tf.float32)
        return weights

    def features(weights: Weights, x: tf.Tensor, mask=None, statistics=None):
        del mask, statistics
        near = _neighbourhood(x)
        h = None
        for name in convs:
            new = convolution.task_conv(near if h is None else h, weights[f"{name}_kernel"])
            new = new + _per_example(weights[f"{name}_offset"], 3)
            h = new if h is None else h + tf.nn.relu(new)
        assert h is not None
        episodes, examples, rows, columns, _ = shape_of(x)
        luma = near[..., fixed - 2 * (1 + len(_BLURS)) :][..., :1]
        screens = tf.broadcast_to(
            _screens(rows, columns, options.periods),
            [episodes, examples, rows, columns, 4 * len(options.periods)],
        )
        bins = _bins(tf.concat([x, luma], axis=-1), options.bins)
        z = _flat(tf.concat([near, screens, bins, tf.nn.relu(h)], axis=-1))
        for number, name in enumerate(denses):
            new = tf.nn.relu(_dense(weights, name, z))
            z = z + new if number else new
        learned = tf.nn.relu(_dense(weights, "features", z))
        products = [x[..., i : i + 1] * x[..., i:] for i in range(channels)]
        out = tf.concat([learned, _flat(near), *map(_flat, products)], axis=-1)
        return tf.reshape(out, [episodes, examples, rows, columns, size]), {}

    size = options.features + fixed + channels * (channels + 1) // 2
    return Backbone(init, features, size, positions=(height, width), any_size=True)


def _neighbourhood(x: tf.Tensor) -> tf.Tensor:
    """`[E, B, H, W, 3 C + 6]`: the picture and its blurs, the luma of each, the slope of each."""
    pictures, done = [x], 0
    for passes in _BLURS:
        blurred = pictures[-1]
        for _ in range(passes - done):
            blurred = _smooth(_smooth(blurred, 2), 3)
        pictures.append(blurred)
        done = passes
    weights = _LUMA if x.shape[-1] == 3 else (1.0 / x.shape[-1],) * x.shape[-1]
    lumas = tf.concat(
        [tf.reduce_sum(p * tf.cast(weights, p.dtype), -1, keepdims=True) for p in pictures], -1
    )
    across, down = (_slope(_smooth(lumas, 5 - axis), axis) for axis in (2, 3))
    slope = tf.sqrt(tf.square(across) + tf.square(down) + 1e-4)
    return tf.concat([*pictures, lumas, slope], axis=-1)


def _smooth(x: tf.Tensor, axis: int) -> tf.Tensor:
    """The mean of each value, counted twice, and those before and after it on an axis."""
    before, after = _neighbours(x, axis)
    return (before + 2.0 * x + after) / 4.0


def _slope(x: tf.Tensor, axis: int) -> tf.Tensor:
    before, after = _neighbours(x, axis)
    return after - before


def _neighbours(x: tf.Tensor, axis: int) -> tuple[tf.Tensor, tf.Tensor]:
    """The values before and after each on an axis; those at the edge have themselves."""
    first, last = tf.gather(x, [0], axis=axis), tf.gather(x, [shape_of(x)[axis] - 1], axis=axis)
    start = [slice(None)] * axis
    before = tf.concat([first, x[(*start, slice(None, -1))]], axis=axis)
    return before, tf.concat([x[(*start, slice(1, None))], last], axis=axis)


def _screens(rows, columns, periods: tuple[int, ...]) -> tf.Tensor:
    """`[rows, columns, 4 periods]`."""
    places = tf.meshgrid(tf.range(rows), tf.range(columns), indexing="ij")
    # The remainder first: a float32 angle of thousands of turns would be inexact.
    angles = [
        2.0 * math.pi / period * tf.cast(place % period, tf.float32)
        for period in periods
        for place in places
    ]
    return tf.stack([f(angle) for angle in angles for f in (tf.cos, tf.sin)], axis=-1)


def _bins(x: tf.Tensor, count: int) -> tf.Tensor:
    """`[..., C]` in 0..1 to `[..., C count]`: 1 at each of `count` values, 0 at its neighbours."""
    distance = tf.abs(x[..., None] - tf.linspace(tf.cast(0, x.dtype), 1, count)) * (count - 1)
    near = tf.nn.relu(1.0 - distance)
    return tf.reshape(near, [*shape_of(x)[:-1], x.shape[-1] * count])


def _dense(weights: Weights, name: str, rows: tf.Tensor) -> tf.Tensor:
    """Rows `[E, n, D]` times a kernel, plus an offset."""
    return tf.matmul(rows, weights[f"{name}_kernel"]) + _per_example(weights[f"{name}_offset"], 1)


def _per_example(offset: tf.Tensor, axes: int) -> tf.Tensor:
    """An offset `[F]`, or `[E, F]` as `[E, 1, ..., F]` with so many axes of one value."""
    if offset.shape.rank == 1:
        return offset
    return tf.reshape(offset, [-1, *[1] * axes, offset.shape[-1]])


def _flat(x: tf.Tensor) -> tf.Tensor:
    """`[E, B, H, W, D]` as rows `[E, n, D]`."""
    return tf.reshape(x, [shape_of(x)[0], -1, x.shape[-1]])

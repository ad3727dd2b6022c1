"""Layers with a task axis: each episode has weights of its own, and all are computed at once.

Shape letters: E episodes, B examples of an episode (support or query), H, W, C as usual, F
filters. A kernel may also be shared by all episodes; it then has no leading E. Every function is
differentiable as often as needed (second-order MAML differentiates twice).
"""

import tensorflow as tf


def task_conv(x: tf.Tensor, kernel: tf.Tensor, *, stride: int = 1) -> tf.Tensor:
    """3 x 3 convolution with SAME padding, one kernel per episode.

    Args:
      x: `[E, B, H, W, C]`.
      kernel: `[E, 3, 3, C, F]`, or `[3, 3, C, F]` shared by all episodes.
      stride: 1 or 2, in both directions.

    Returns:
      `[E, B, ceil(H / stride), ceil(W / stride), F]`.
    """
    patches = im2col(x, stride)
    episodes, examples, height, width, depth = _shape(patches)
    filters = kernel.shape[-1]
    rows = tf.reshape(patches, [episodes, examples * height * width, depth])
    shared = kernel.shape.rank == 4
    flat = tf.reshape(kernel, [depth, filters] if shared else [episodes, depth, filters])
    return tf.reshape(tf.matmul(rows, flat), [episodes, examples, height, width, filters])


def task_dense(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """`[E, B, D]` times `[E, D, F]` (or `[D, F]`), plus `[E, F]` (or `[F]`): `[E, B, F]`."""
    return tf.matmul(x, kernel) + (bias if bias.shape.rank == 1 else bias[:, None, :])


def moments(x: tf.Tensor, weights: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance of each channel over the examples of an episode and all positions.

    Args:
      x: `[E, B, H, W, F]`.
      weights: `[E, B]`, 1 for an example that counts and 0 for padding.

    Returns:
      mean and (biased) variance, each `[E, 1, 1, 1, F]`.
    """
    _, _, height, width, _ = _shape(x)
    share = weights / tf.reduce_sum(weights, axis=1, keepdims=True)
    share = share[:, :, None, None, None] / tf.cast(height * width, x.dtype)
    mean = tf.reduce_sum(x * share, axis=[1, 2, 3], keepdims=True)
    variance = tf.reduce_sum(tf.square(x - mean) * share, axis=[1, 2, 3], keepdims=True)
    return mean, variance


def normalise(
    x: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor, offset: tf.Tensor, *, epsilon: float = 1e-3
) -> tf.Tensor:
    """`(x - mean) / sqrt(variance + epsilon) + offset`, shapes broadcast over `[E, B, H, W, F]`."""
    return (x - mean) * tf.math.rsqrt(variance + epsilon) + offset


def im2col(x: tf.Tensor, stride: int) -> tf.Tensor:
    """The 3 x 3 neighbourhoods: `[E, B, H, W, C]` -> `[E, B, H', W', 9 C]`, SAME padding.

    Its gradient is `col2im`, and that one's is `im2col`: both are linear and each other's
    transpose, so that derivatives of any order cost one of the two.
    """

    @tf.custom_gradient
    def forward(x: tf.Tensor):
        return _im2col(x, stride), backward

    size = _shape(x)[2:4]

    @tf.custom_gradient
    def backward(patches: tf.Tensor):
        return _col2im(patches, stride, size), forward

    return forward(x)


def max_pool(x: tf.Tensor) -> tf.Tensor:
    """2 x 2 maximum, odd edges dropped: `[E, B, H, W, F]` -> `[E, B, H // 2, W // 2, F]`."""
    height, width = x.shape[2] // 2 * 2, x.shape[3] // 2 * 2
    x = x[:, :, :height, :width]
    rows = tf.maximum(x[:, :, 0::2], x[:, :, 1::2])
    return tf.maximum(rows[:, :, :, 0::2], rows[:, :, :, 1::2])


def _padding(size: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME padding of a window of 3, before and after."""
    total = max((-(-size // stride) - 1) * stride + 3 - size, 0)
    return total // 2, total - total // 2


def _im2col(x: tf.Tensor, stride: int) -> tf.Tensor:
    height, width = x.shape[2], x.shape[3]
    padded = tf.pad(x, [[0, 0], [0, 0], _padding(height, stride), _padding(width, stride), [0, 0]])
    rows, columns = -(-height // stride), -(-width // stride)
    slices = [
        padded[
            :,
            :,
            i : i + (rows - 1) * stride + 1 : stride,
            j : j + (columns - 1) * stride + 1 : stride,
        ]
        for i in range(3)
        for j in range(3)
    ]
    return tf.concat(slices, axis=-1)


def _col2im(patches: tf.Tensor, stride: int, size: tuple) -> tf.Tensor:
    """The transpose of `_im2col`: adds each patch back to where it came from."""
    height, width = size
    top, bottom = _padding(height, stride)
    left, right = _padding(width, stride)
    episodes, examples, rows, columns, depth = _shape(patches)
    channels = depth // 9
    full = [height + top + bottom, width + left + right]
    total = None
    for index in range(9):
        i, j = divmod(index, 3)
        piece = patches[..., index * channels : (index + 1) * channels]
        spread = _dilate(_dilate(piece, 2, stride), 3, stride)
        after = [full[0] - i - spread.shape[2], full[1] - j - spread.shape[3]]
        placed = tf.pad(spread, [[0, 0], [0, 0], [i, after[0]], [j, after[1]], [0, 0]])
        total = placed if total is None else total + placed
    return total[:, :, top : top + height, left : left + width]


def _dilate(x: tf.Tensor, axis: int, stride: int) -> tf.Tensor:
    """Puts `stride - 1` zeros between neighbours along `axis` (2 or 3)."""
    if stride == 1:
        return x
    shape = _shape(x)
    shape[axis] *= stride
    zeros = [[0, stride - 1] if a == axis + 1 else [0, 0] for a in range(6)]
    spread = tf.reshape(tf.pad(tf.expand_dims(x, axis + 1), zeros), shape)
    last = shape[axis] - stride + 1
    return spread[:, :, :last] if axis == 2 else spread[:, :, :, :last]


def _shape(x: tf.Tensor) -> list:
    """The static size where it is known, else the dynamic one."""
    dynamic = tf.shape(x)
    return [dynamic[i] if size is None else size for i, size in enumerate(x.shape)]

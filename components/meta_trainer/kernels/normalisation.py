"""Normalisation of few-shot networks: whose moments a query is normalised with.

Batch normalisation as in MAML's code uses the moments of the query's own batch: one query at a
time it falls to chance (Bronskill et al. 2020, "TaskNorm", arXiv 2003.03284, table 1). Four modes
are inductive (each query's prediction depends on the support set and that query alone) and can be
served:

  support       y = (x - mu_S) / sigma_S + beta                    (MetaBN, eq. 6 there)
  task_norm     mu = alpha mu_S + (1 - alpha) mu_x, and
                sigma^2 = alpha (sigma_S^2 + (mu_S - mu)^2)
                          + (1 - alpha) (sigma_x^2 + (mu_x - mu)^2),
                alpha = sigmoid(a |S| + b), x alone giving mu_x    (TaskNorm-I, eq. 8-10 there)
  example       the moments of each example alone, over its positions and channels
                (layer normalisation, Ba et al. 2016, arXiv 1607.06450)
  none          y = x + beta

and one is for comparison with the papers, never blessed for serving:

  transductive  the moments of the batch that is passed, all queries together
"""

import functools
from collections.abc import Callable
from typing import Literal, NamedTuple

import tensorflow as tf

from components.meta_trainer.kernels.moments import EPSILON, moments, normalise, rectify
from components.meta_trainer.kernels.pieces import piece
from components.meta_trainer.types import Weights

Mode = Literal["support", "task_norm", "example", "transductive", "none"]


class Normalisation(NamedTuple):
    """How the layers of a network are normalised; for the modes see the module."""

    mode: Mode

    @property
    def inductive(self) -> bool:
        """Whether a query is normalised from the support set and itself alone."""
        return self.mode != "transductive"

    def init(self, layer: str, filters: int) -> dict[str, tf.Tensor]:
        """The weights of a layer's normalisation at the start: `<layer>_offset` `[F]`, ..."""
        weights = {f"{layer}_offset": tf.zeros([filters])}
        if self.mode == "task_norm":
            # sigmoid(0.02 |S| + 0) starts at an even blend, more of the support set for larger S.
            weights[f"{layer}_blend_slope"] = tf.constant(0.02)
            weights[f"{layer}_blend_bias"] = tf.constant(0.0)
        return weights

    def names(self, layer: str) -> list[str]:
        """Names of the weights of a layer's normalisation."""
        return list(self.init(layer, 1))

    def apply(
        self,
        weights: Weights,
        layer: str,
        x: tf.Tensor,
        mask: tf.Tensor | None,
        statistics: Weights | None,
        slope: float = 1.0,
        pool: Callable[[tf.Tensor], tf.Tensor] | None = None,
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Normalises and rectifies activations `x` `[E, B, H, W, F]` of the layer with this name.

        `weights` hold `<layer>_offset` `[F]` or `[E, F]` and, for task_norm, the blend. Examples
        with a `mask` `[E, B]` of 0, padding, do not count in the moments; all count where it is
        `None`. `statistics` are those of the support set's pass, each `[E, ...]`, or shared by all
        episodes, `[F]` (the size `[1]`); `None` to compute them from `x`. For the slope see
        `moments.rectify`. `pool` takes maxima of the result over positions. They are taken of `x`,
        once its moments are known: that is the same, since what follows never falls as `x` rises,
        and leaves less to normalise. Also returns the statistics `<layer>_mean`, ..., each
        `[E, ...]`; none where they are shared.
        """
        of_layer = {name: weights[name] for name in self.names(layer)}
        given = {name: m for name, m in (statistics or {}).items() if name.startswith(f"{layer}_")}
        compute = functools.partial(self._compute, layer, slope, pool)
        return piece(compute, of_layer, x, mask, None if statistics is None else given)

    def _compute(self, layer, slope, pool, weights, x, mask, statistics):
        """The value of `apply`."""
        offset = weights[f"{layer}_offset"]
        if offset.shape.rank == 2:
            offset = offset[:, None, None, None, :]
        pool = pool or (lambda x: x)
        if self.mode == "none":
            return rectify(pool(x) + offset, slope), {}
        if self.mode == "example":
            mean, variance = _own_moments(x, axis=[2, 3, 4])
            return rectify((pool(x) - mean) * tf.math.rsqrt(variance + EPSILON) + offset, slope), {}
        if statistics is None or self.mode == "transductive":
            mask = tf.ones(tf.shape(x)[:2], x.dtype) if mask is None else tf.cast(mask, x.dtype)
            mean, variance = moments(x, mask)
            size = tf.reduce_sum(mask, axis=1)
        else:
            mean = _of_channels(statistics[f"{layer}_mean"])
            variance = _of_channels(statistics[f"{layer}_variance"])
            size = statistics.get(f"{layer}_size")
        flat = {f"{layer}_mean": mean, f"{layer}_variance": variance}
        returned = self.inductive and mean.shape.rank == 5
        computed = {name: m[:, 0, 0, 0, :] for name, m in flat.items()} if returned else {}
        if self.mode == "task_norm":
            computed[f"{layer}_size"] = size
            evidence = weights[f"{layer}_blend_slope"] * size + weights[f"{layer}_blend_bias"]
            alpha = tf.sigmoid(evidence)[:, None, None, None, None]
            mean, variance = _blend(x, mean, variance, alpha)
        return normalise(pool(x), mean, variance, offset, slope), computed


def _of_channels(moment: tf.Tensor) -> tf.Tensor:
    """`[E, F]` to `[E, 1, 1, 1, F]`; `[F]` as it is."""
    return moment if moment.shape.rank == 1 else moment[:, None, None, None, :]


def _blend(x, mean, variance, alpha) -> tuple[tf.Tensor, tf.Tensor]:
    """Moments of the support set blended with those of each example: `[E, B, 1, 1, F]`."""
    own_mean, own_variance = _own_moments(x, axis=[2, 3])
    blended = alpha * mean + (1 - alpha) * own_mean
    spread = alpha * (variance + tf.square(mean - blended)) + (1 - alpha) * (
        own_variance + tf.square(own_mean - blended)
    )
    return blended, spread


def _own_moments(x: tf.Tensor, axis: list[int]) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance of each example."""
    # Not tf.nn.moments: it stops a gradient that vanishes to first order, but not to second.
    mean = tf.reduce_mean(x, axis=axis, keepdims=True)
    return mean, tf.reduce_mean(tf.square(x - mean), axis=axis, keepdims=True)

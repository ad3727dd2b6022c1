"""The interface of a backbone: pure functions from weights and examples to features."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from components.meta_trainer.types import Weights


class Encoder(NamedTuple):
    """A pretrained encoder under a backbone: frozen, known by its files, and exported as it is.

    Attributes:
      prepare: examples as stored, `[..., *example]` -> the `x` of `Backbone.features`, inside the
        graph and in place of the modality's own preparation.
      modality: the kind of examples that it takes, such as "text".
      constants: variables and lookup tables that `prepare` and `features` read. They are in the
        exported model, and have neither moments nor checkpoints nor an episode axis.
      about: name, source, licence as stated and sha256, as reports name the encoder.
      costly: whether what `prepare` gives is worth keeping: features of an example, float32 `[D]`.
      encode: examples as stored `[n, *example]` -> features float32 `[n, D]` as before
        meta-training, which baselines use; not needed where `costly`, since `prepare` gives them.
      sample_rate: audio: samples per second of the recordings that `prepare` takes; those of other
        rates are converted before.
    """

    prepare: Callable[[tf.Tensor], tf.Tensor]
    modality: str
    constants: tuple[Any, ...]
    about: Mapping[str, str]
    costly: bool = False
    encode: Callable[[tf.Tensor], tf.Tensor] | None = None
    sample_rate: int | None = None

    @property
    def frozen_features(self) -> Callable[[tf.Tensor], tf.Tensor] | None:
        """What gives the features as before meta-training, if anything does."""
        return self.prepare if self.costly else self.encode


class Backbone(NamedTuple):
    """A network without its head, as pure functions over explicit weights.

    Attributes:
      init: `seed -> weights` by name, shared by all episodes (no leading E).
      features: `(weights, x [E, B, ...], mask [E, B] or None, statistics or None)
        -> (features [E, B, D], statistics)`. Weights are shared or `[E, ...]`. A mask of 0 marks
        padding; `None` means that all examples count. With statistics `None`, those of
        normalisation are computed from the examples of `x` that count (the support set's pass)
        and returned, each `[E, ...]`; if given, they are used as they are (the queries' pass), each
        `[E, ...]` or shared by all episodes.
      feature_size: D.
      frozen_names: names of weights that gradient-based learners do not adapt (the offsets of
        normalisation: Finn et al.'s code meta-learns them and does not adapt them).
      positions: sizes of the axes that the features keep, such as an image's height and width:
        features are then `[E, B, *positions, D]`, and all positions share the head.
      inductive: whether the features of an example depend, beside the weights and the given
        statistics, on that example alone.
      any_size: whether features are computed for pictures of any height and width, though
        `positions` are those of meta-training.
      encoder: the pretrained encoder under it; `None` for a network that begins at random.
      fit: `(weights, x [n, ...]) -> weights` to begin with, given all inputs of meta-training, in
        place of those of `init`; `None` where data do not matter.
      copied: so many of the last features are what the outputs begin as: the kernel of a linear
        head is for the others alone, and these are added, times a factor of the head.
      tables: whether weights are tables of tokens, which all episodes share: none adapts its own.
      words: so many of the first copied features, and of the outputs, count words.
      compiles: whether XLA compiles it well; if not, `training.jit_compile` does nothing.
      in_pieces: whether XLA shall compile only what stands between its convolutions (`pieces.py`).
    """

    init: Callable[[int], Weights]
    features: Callable[..., tuple[tf.Tensor, Weights]]
    feature_size: int
    frozen_names: frozenset[str] = frozenset()
    positions: tuple[int, ...] = ()
    inductive: bool = True
    any_size: bool = False
    encoder: Encoder | None = None
    fit: Callable[[Weights, tf.Tensor], Weights] | None = None
    copied: int = 0
    words: int = 0
    tables: bool = False
    compiles: bool = True
    in_pieces: bool = False


def glorot(seed: int, name: str, shape: Sequence[int]) -> tf.Tensor:
    """Glorot-uniform values, drawn from the seed and the weight's name alone."""
    receptive = int(np.prod(shape[:-2], dtype=np.int64))
    limit = np.sqrt(6.0 / (receptive * (shape[-2] + shape[-1])))
    return tf.constant(generator(seed, name).uniform(-limit, limit, shape), tf.float32)


def generator(seed: int, name: str) -> np.random.Generator:
    """A random generator of its own for each (seed, name)."""
    return np.random.Generator(np.random.PCG64([seed, zlib.crc32(name.encode())]))

"""Any SavedModel as a frozen encoder of images, recordings or texts: one of its signatures.

The signature's own input says which: strings are texts, four axes are images, one or two are
recordings. Several vectors of an example, such as those of positions or times, are averaged.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

from components.meta_trainer.encoders.pictures import as_pictures
from components.modalities.rates import lengths
from serving.errors import UserError

KEY = "learner.backbone"
USUAL_SIGNATURES = ("serving_default", "default")
USUAL_OUTPUTS = ("default", "outputs", "embedding", "embeddings", "features", "feature_vector")
PROBE_SIDE, PROBE_SAMPLES = 64, 16000


class Choice(NamedTuple):
    """What a configuration says of a SavedModel; empty or `None` where the model shall say it.

    Attributes:
      signature, output: their names.
      image_size: height and width of the pictures that it takes, in pixels.
      input_range: the numbers that stand for black and white.
    """

    signature: str = ""
    output: str = ""
    image_size: int = 0
    input_range: tuple[float, float] | None = None


class SavedModelEncoder(tf.Module):
    """Examples as stored, `[n, *example]`, -> features `[n, depth]` float32, by a signature."""

    def __init__(self, folder: Path, choice: Choice):
        """Loads the model and tries it on one example.

        Raises:
          UserError: it cannot be loaded, or has no such signature, input or output.
        """
        super().__init__()
        try:
            self._loaded = tf.saved_model.load(str(folder))
        except Exception as error:  # whatever TensorFlow raises of a damaged folder
            first = str(error).strip().split("\n")[0]
            raise UserError(f"`{KEY}.path`: {folder} cannot be loaded: {first}") from error
        self._choice = choice
        signatures = self._loaded.signatures
        self.signature = _choose("signature", choice.signature, signatures, USUAL_SIGNATURES)
        self._function = signatures[self.signature]
        inputs = self._function.structured_input_signature[1]
        self._input = _choose("input", "", inputs, ())
        self._spec = inputs[self._input]
        outputs = self._function.structured_outputs
        self.output = _choose("output", choice.output, outputs, USUAL_OUTPUTS)
        self.modality = _modality(self._spec, self.signature)
        self._one_by_one = self.modality == "audio" and self._spec.shape[-1] is None
        self._one_by_one |= self._spec.shape.rank < 2 and self.modality == "audio"
        self._one_by_one |= self._spec.shape.rank > 0 and self._spec.shape[0] == 1
        fixed = self._spec.shape[1] if self.modality == "image" else None
        if fixed and choice.image_size not in (0, fixed):
            raise UserError(
                f"`{KEY}.image_size` must be {fixed}, which signature {self.signature!r} takes: "
                f"got {choice.image_size}."
            )
        self.depth = 0
        try:
            self.depth = int(self._encode(self._probe()).shape[-1])
        except tf.errors.OpError as error:
            first = str(error.message).strip().split("\n")[0]
            raise UserError(
                f"`{KEY}.path`: signature {self.signature!r} of {folder} must take {self.modality} "
                f"of {self._spec.shape}: it gave {first}"
            ) from error

    def __call__(self, examples: tf.Tensor) -> tf.Tensor:
        """Features of `examples`; see the class."""
        if not self._one_by_one:
            return self._encode(examples)
        numbers = tf.range(tf.shape(examples)[0])
        spec = tf.TensorSpec([self.depth], tf.float32)
        return tf.map_fn(
            lambda i: self._encode(examples[i : i + 1])[0], numbers, fn_output_signature=spec
        )

    def _encode(self, examples: tf.Tensor) -> tf.Tensor:
        found = self._function(**{self._input: self._as_input(examples)})[self.output]
        found = tf.cast(found, tf.float32)
        if self.modality == "audio" and self._spec.shape.rank == 1:
            found = found[None]  # of one recording
        between = list(range(1, found.shape.rank - 1))
        return tf.reduce_mean(found, axis=between) if between else found

    def _as_input(self, examples: tf.Tensor) -> tf.Tensor:
        spec = self._spec
        if self.modality == "text":
            return tf.reshape(examples, [tf.shape(examples)[0], *spec.shape[1:]])
        if self.modality == "image":
            own = self._choice.image_size or None
            return as_pictures(
                examples,
                size=(spec.shape[1] or own, spec.shape[2] or own),
                channels=spec.shape[3],
                dtype=spec.dtype,
                limits=self._choice.input_range,
            )
        if spec.shape[-1] is None:  # one recording, without what pads it
            x = tf.pad(examples, [[0, 0], [0, 1]])[:, : tf.maximum(lengths(examples)[0], 1)]
        else:
            samples = spec.shape[-1]
            x = tf.pad(examples, [[0, 0], [0, samples]])[:, :samples]
        return x[0] if spec.shape.rank == 1 else x

    def _probe(self) -> tf.Tensor:
        if self.modality == "text":
            return tf.constant(["a text"])
        if self.modality == "image":
            side = self._choice.image_size or PROBE_SIDE
            return tf.zeros([1, side, side, 3], tf.uint8)
        return tf.ones([1, PROBE_SAMPLES])


def _modality(spec: tf.TensorSpec, signature: str) -> str:
    rank = spec.shape.rank
    if spec.dtype == tf.string and rank in (1, 2):
        return "text"
    if rank == 4 and spec.shape[3] in (1, 3, None):
        return "image"
    if spec.dtype.is_floating and rank in (1, 2):
        return "audio"
    raise UserError(
        f"`{KEY}.signature` must name one that takes images [n, height, width, 1 or 3], recordings "
        f"[n, samples] or [samples], or texts [n]: {signature!r} takes {spec.dtype.name} "
        f"{spec.shape}."
    )


def _choose(what: str, name: str, there: Iterable[str], usual: Iterable[str]) -> str:
    """The configured name, or a usual one, or the only one."""
    names = sorted(there)
    if name in names:
        return name
    found = [one for one in usual if one in names] or (names if len(names) == 1 else [])
    if name or not found:
        got = repr(name) if name else "none of them"
        raise UserError(
            f"`{KEY}.{what}` must be one of the {what}s that the SavedModel has, "
            f"{', '.join(names) or 'which are none'}: got {got}."
        )
    return found[0]

"""A network of keras.applications, cut at a layer: built, given weights, and called by them."""

import difflib
import hashlib
import importlib
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from components.meta_trainer.encoders.pictures import as_pictures
from serving.errors import UserError

KEY = "learner.backbone"
DOWNLOAD, NOTHING = "imagenet", "none"
BLOCK = re.compile(r".*?(?:block|expanded_conv)_?\d+[a-z]?(?=_)")
"""What of a layer's name says which block it is of, such as `conv5_block3` and `block7a`."""


class KerasEncoder(NamedTuple):
    """A network without its classifier.

    Attributes:
      model: from pictures as `prepare` gives them to features, `[n, ..., depth]`.
      prepare: images as stored `[n, H, W, C]` -> float32 `[n, size, size, 3]`, scaled.
      sha256: of the weights.
    """

    model: Any
    prepare: Callable[[tf.Tensor], tf.Tensor]
    sha256: str

    @property
    def depth(self) -> int:
        """How many numbers a picture's features are."""
        return int(self.model.output_shape[-1])

    def call(self, trainable: Sequence[tf.Tensor], images: tf.Tensor) -> tf.Tensor:
        """Features `[n, depth]` by these values of all trainable weights, averaged over places."""
        fixed = [variable.value for variable in self.model.non_trainable_variables]
        outputs, _ = self.model.stateless_call(list(trainable), fixed, images, training=False)
        places = list(range(1, outputs.shape.rank - 1))
        return tf.reduce_mean(outputs, axis=places) if places else outputs


def build(application: str, weights: str, layer: str, size: int) -> KerasEncoder:
    """Builds the network for pictures of `size` x `size`; `weights` as in the options.

    Raises:
      UserError: there is no such network, layer or file, or the file is of another network, or
        nothing can be downloaded.
    """
    there = {n: f for n, f in vars(keras.applications).items() if n[:1].isupper() and callable(f)}
    if application not in there:
        near = difflib.get_close_matches(application, there, 3, 0.4) or sorted(there)
        raise UserError(
            f"`{KEY}.application` must be a network of keras.applications, such as "
            f"{', '.join(near)}: got {application!r}."
        )
    builder = there[application]
    model = _with_weights(builder, weights, size)
    names = [one.name for one in model.layers]
    if layer and layer not in names:
        near = difflib.get_close_matches(layer, names, 3, 0.4) or names[-3:]
        raise UserError(
            f"`{KEY}.layer` must be a layer of {application}, such as {', '.join(near)}: got "
            f"{layer!r}."
        )
    if layer:
        model = keras.Model(model.inputs, model.get_layer(layer).output)
    scale = importlib.import_module(builder.__module__).preprocess_input

    def prepare(images: tf.Tensor) -> tf.Tensor:
        return scale(as_pictures(images, size=(size, size), limits=(0.0, 255.0)))

    digest = hashlib.sha256()
    for variable in model.variables:
        digest.update(variable.numpy().tobytes())
    return KerasEncoder(model, prepare, digest.hexdigest())


def _with_weights(builder: Callable[..., Any], weights: str, size: int) -> Any:
    file = Path(weights).expanduser()
    if weights not in (DOWNLOAD, NOTHING) and not file.is_file():
        raise UserError(
            f"`{KEY}.path` must be a file of weights, {DOWNLOAD!r} for Keras's own download, or "
            f"{NOTHING!r}: got {weights!r}."
        )
    arguments: dict[str, Any] = {"include_top": False, "input_shape": (size, size, 3)}
    given = {NOTHING: None, DOWNLOAD: DOWNLOAD}.get(weights, str(file))
    state = random.getstate()
    random.seed(0)  # weights from nothing are the same in each process
    try:
        return builder(weights=given, **arguments)
    except Exception as error:  # whatever Keras or the network raises
        reason = str(error).strip().split("\n")[0]
        how = (
            f"Download them on a machine with a network and set `{KEY}.path` to the file."
            if weights == DOWNLOAD
            else f"It must be of {builder.__name__} without its classifier (include_top=False)."
        )
        raise UserError(
            f"`{KEY}.path` must give weights of {builder.__name__} for {size} x {size} pixels: "
            f"{weights!r} gave {reason.rstrip('.')}. {how}"
        ) from error
    finally:
        random.setstate(state)


def last_block(model: Any, application: str) -> list[Any]:
    """The trainable variables from the first layer of the last block on.

    Raises:
      UserError: its layers have no names of blocks.
    """
    blocks = [BLOCK.match(layer.name) for layer in model.layers]
    names = [match[0] for match in blocks if match]
    if not names:
        raise UserError(
            f"`{KEY}.trainable` must be none or all for {application}, whose layers are not named "
            "by blocks: got 'last_block'."
        )
    first = next(i for i, match in enumerate(blocks) if match and match[0] == names[-1])
    return [v for layer in model.layers[first:] for v in layer.trainable_variables]

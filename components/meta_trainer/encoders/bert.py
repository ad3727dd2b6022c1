"""BERT's encoder on stock TensorFlow operations; a text's vector is the mean of its last layer.

References: Devlin et al. 2019, "BERT", arXiv 1810.04805; Reimers and Gurevych 2019,
"Sentence-BERT", arXiv 1908.10084, section 3 (mean pooling).
"""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from components.meta_trainer.encoders.files import EncoderFiles, read_safetensors


class Bert(tf.Module):
    """Token ids `[n, L]` int32, 0 for none, -> unit vectors `[n, D]` float32."""

    def __init__(self, files: EncoderFiles):
        super().__init__()
        config = files.config
        self._layers, self._heads = config["num_hidden_layers"], config["num_attention_heads"]
        self._epsilon = config.get("layer_norm_eps", 1e-12)
        self.size = int(config["hidden_size"])
        self.max_tokens = int(config["max_position_embeddings"])
        self._weights = variables(read_safetensors(files.folder / "model.safetensors"))

    def __call__(self, ids: tf.Tensor) -> tf.Tensor:
        mask = tf.cast(ids > 0, tf.float32)
        x = self._embed(ids)
        for layer in range(self._layers):
            x = self._layer(x, mask, f"encoder.layer.{layer}")
        total = tf.einsum("nl,nld->nd", mask, x)
        return tf.math.l2_normalize(total, axis=-1)

    def _embed(self, ids: tf.Tensor) -> tf.Tensor:
        tables = [self._weights[f"embeddings.{kind}_embeddings.weight"] for kind in KINDS]
        words, positions, types = tables
        x = tf.gather(words, ids) + positions[: tf.shape(ids)[1]] + types[0]
        return self._normalise(x, "embeddings.LayerNorm")

    def _layer(self, x: tf.Tensor, mask: tf.Tensor, name: str) -> tf.Tensor:
        attended = self._attend(x, mask, f"{name}.attention.self")
        attended = self._dense(attended, f"{name}.attention.output.dense")
        x = self._normalise(x + attended, f"{name}.attention.output.LayerNorm")
        inner = tf.nn.gelu(self._dense(x, f"{name}.intermediate.dense"))
        return self._normalise(
            x + self._dense(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm"
        )

    def _attend(self, x: tf.Tensor, mask: tf.Tensor, name: str) -> tf.Tensor:
        def heads(part: str) -> tf.Tensor:
            split = [*tf.unstack(tf.shape(x)[:2]), self._heads, self.size // self._heads]
            return tf.reshape(self._dense(x, f"{name}.{part}"), split)

        scores = tf.einsum("nlhd,nmhd->nhlm", heads("query"), heads("key"))
        scores *= (self.size // self._heads) ** -0.5
        weights = tf.nn.softmax(scores - 1e9 * (1 - mask[:, None, None]))
        mixed = tf.einsum("nhlm,nmhd->nlhd", weights, heads("value"))
        return tf.reshape(mixed, tf.shape(x))

    def _dense(self, x: tf.Tensor, name: str) -> tf.Tensor:
        flat = tf.reshape(x, [-1, x.shape[-1]])
        y = tf.matmul(flat, self._weights[f"{name}.weight"], transpose_b=True)
        y += self._weights[f"{name}.bias"]
        return tf.reshape(y, tf.concat([tf.shape(x)[:-1], y.shape[-1:]], axis=0))

    def _normalise(self, x: tf.Tensor, name: str) -> tf.Tensor:
        mean, variance = tf.nn.moments(x, axes=[-1], keepdims=True)
        offset, scale = self._weights[f"{name}.bias"], self._weights[f"{name}.weight"]
        return tf.nn.batch_normalization(x, mean, variance, offset, scale, self._epsilon)


KINDS = ("word", "position", "token_type")


def variables(tensors: Mapping[str, np.ndarray]) -> dict[str, tf.Variable]:
    """The weights by name, without the prefix `bert.` and what is no part of the encoder."""
    names = {name.removeprefix("bert."): name for name in tensors}
    return {
        short: tf.Variable(tensors[name], trainable=False, name=short.replace(".", "_"))
        for short, name in names.items()
        if short.startswith(("embeddings.", "encoder.")) and not short.endswith("position_ids")
    }

"""A text encoder distilled to a table: one vector for each token of its vocabulary.

    v(t) = sqrt(log(1 + r(t))) * PCA(encoder([CLS] t [SEP])),   r(t) = the token's place, from 1

A vocabulary is in the order of frequency, so that the weight lowers common tokens (Zipf's law). A
text's vector is the sum of its tokens' vectors; no transformer runs any more.

References: "model2vec", Tulkens and van Dongen 2024; Arora et al. 2017, "A Simple but
Tough-to-Beat Baseline for Sentence Embeddings" (weights).
"""

import io
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from components.meta_trainer.encoders.bert import Bert
from components.meta_trainer.encoders.files import EncoderFiles, file_sha256
from serving import atomic
from serving.errors import UserError

TOKENS_PER_CALL = 2048
HOW = "Make one with `fewshot encoder distil PACKAGE --output PATH`."


class TokenTable(NamedTuple):
    """A vocabulary with a vector for each token.

    Attributes:
      vocabulary: the tokens in the order of their ids.
      vectors: `[V, D]` int8.
      scales: `[V]` float32; a token's vector is `scales * vectors`.
      about: name, source, licence and sha256 of the encoder; once read, also the table's own
        `table_sha256`.
    """

    vocabulary: list[str]
    vectors: np.ndarray
    scales: np.ndarray
    about: dict[str, str]

    def dense(self) -> np.ndarray:
        """The vectors `[V, D]` as float32."""
        return self.vectors * self.scales[:, None]


def distil(files: EncoderFiles, size: int) -> TokenTable:
    """Runs the encoder on each token alone and keeps `size` principal components, at most."""
    encoder = Bert(files)
    first, last = (files.vocabulary.index(token) for token in ("[CLS]", "[SEP]"))
    ids = np.arange(len(files.vocabulary), dtype=np.int32)
    framed = np.stack([np.full_like(ids, first), ids, np.full_like(ids, last)], axis=1)
    run = tf.function(encoder.__call__, input_signature=[tf.TensorSpec([None, 3], tf.int32)])
    starts = range(0, len(ids), TOKENS_PER_CALL)
    encoded = np.concatenate([run(framed[i : i + TOKENS_PER_CALL]).numpy() for i in starts])
    weights = np.sqrt(np.log(2 + ids))
    weights[np.char.startswith(files.vocabulary, "[")] = 0.0
    vectors = weights[:, None] * principal_components(encoded, size)
    scales = np.maximum(np.abs(vectors).max(axis=1), 1e-9) / 127
    rounded = np.round(vectors / scales[:, None]).astype(np.int8)
    return TokenTable(files.vocabulary, rounded, scales.astype(np.float32), files.about)


def principal_components(x: np.ndarray, size: int) -> np.ndarray:
    """The first components `[n, size]` of rows `[n, d]`, centred; fewer where d is smaller."""
    centred = x.astype(np.float64) - x.mean(axis=0, dtype=np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)
    return centred @ axes[:, ::-1][:, :size]


def write_table(table: TokenTable, path: str) -> None:
    """Writes a table to one file, which appears whole."""
    buffer = io.BytesIO()
    about: dict[str, Any] = {"about": table.about, "vocabulary": table.vocabulary}
    text = np.frombuffer(json.dumps(about).encode(), np.uint8)
    np.savez_compressed(buffer, vectors=table.vectors, scales=table.scales, text=text)
    with atomic.replacement(path) as temporary:
        Path(temporary).write_bytes(buffer.getvalue())


def read_table(path: str, key: str) -> TokenTable:
    """Reads a table that `write_table` wrote; the option `key` holds its path.

    Raises:
      UserError: there is no such file, or it is no table.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise UserError(f"`{key}` must be the path of a token table: got {path!r}. {HOW}")
    try:
        with np.load(file) as stored:
            text = json.loads(stored["text"].tobytes())
            vectors, scales = stored["vectors"], stored["scales"]
    except (ValueError, OSError, KeyError) as error:
        raise UserError(f"`{key}` must be a token table: {path} is none ({error}). {HOW}") from None
    about = text["about"] | {"table_sha256": file_sha256(file)}
    return TokenTable(text["vocabulary"], vectors, scales, about)

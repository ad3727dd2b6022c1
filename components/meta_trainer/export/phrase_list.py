"""The list of phrases that an exported model chooses from: a file of the SavedModel.

It is `assets/phrases.txt` there, a phrase a line, and read when the model is loaded: who wants
other phrases changes the file and loads the model anew; nothing is trained.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import tensorflow as tf

from components.episodes import format as fmt
from components.episodes.dataset import read_split
from serving.errors import UserError

FILE_NAME = "phrases.txt"
DEFAULT_COUNT = 200
"""Phrases of the default list: those of most classes of meta-training."""


class PhraseList(tf.Module):
    """The file as an asset, read when the model is loaded, and its lines inside the graph."""

    def __init__(self, path: str):
        super().__init__()
        lines = tf.lookup.TextFileInitializer(
            path,
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
        )
        self.table = tf.lookup.StaticHashTable(lines, default_value="")

    def phrases(self) -> tf.Tensor:
        """The lines that are not empty, `[C]` string."""
        lines = tf.strings.strip(self.table.lookup(tf.range(self.table.size())))
        return tf.boolean_mask(lines, tf.not_equal(lines, ""))


def choose_phrases(path: str | None, uri: str) -> list[str]:
    """The phrases of the file `training.phrases`, or the most frequent of the episodes at `uri`.

    Raises:
      UserError: the file is not there, is not UTF-8, or has fewer than two different phrases.
    """
    if path is None:
        counts = Counter(_stored_phrases(uri))
        ordered = sorted(counts, key=lambda phrase: (-counts[phrase], phrase))
        return [phrase.decode() for phrase in ordered[:DEFAULT_COUNT]]
    try:
        lines = Path(path).expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"`training.phrases` must be a UTF-8 text file with a phrase a line: {path} cannot be "
            f"read ({error})."
        ) from None
    phrases = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if len(phrases) < 2:
        raise UserError(
            f"`training.phrases` must be a file with two different phrases or more, one a line: "
            f"{path} has {len(phrases)}."
        )
    return phrases


def _stored_phrases(uri: str) -> Iterator[bytes]:
    """The phrase of each different example of `train`."""
    strings = tf.io.VarLenFeature(tf.string)
    sides = ((fmt.SUPPORT_INPUT, fmt.SUPPORT_LABEL), (fmt.QUERY_INPUT, fmt.QUERY_LABEL))
    features = {name: strings for side in sides for name in side}
    seen: set[tuple[bytes, bytes]] = set()
    for serialized in read_split(uri, "train").batch(64):
        parsed = tf.io.parse_example(serialized, features)
        for x, y in sides:
            seen.update(zip(_values(parsed[x]), _values(parsed[y])))
    return (phrase for _, phrase in sorted(seen))


def _values(sparse: tf.SparseTensor) -> Iterable[bytes]:
    return sparse.values.numpy().tolist()

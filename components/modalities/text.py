"""Texts: raw UTF-8 strings, hashed into words and parts of words inside the graph.

No vocabulary is built or shipped: a word that meta-training never saw still shares its parts with
words that it did see (Bojanowski et al. 2017, "Enriching Word Vectors with Subword Information",
arXiv 1607.04606).
"""

import numpy as np
import tensorflow as tf

from components.modalities.base import ExampleSpec, Modality
from components.modalities.places import place_of

MAX_CHARACTERS = 1_000  # the rest of a text is ignored
MAX_TOKENS = 128  # words come first; parts of words that do not fit are ignored
PART_LENGTHS = (3, 4)  # lengths of parts of words in characters; a gap between words counts as one
BASELINE_BUCKETS = 4_096  # size of the bag of words of the nearest-centroid baseline


def text_modality(spec: ExampleSpec) -> Modality:
    """The text modality: a scalar string, seen by the network as `[MAX_TOKENS]` int32 hashes.

    0 stands for no token; hashes are 1 to 2^31 - 1, and a backbone folds them to its table's size.
    """

    def prepare(texts: tf.Tensor) -> tf.Tensor:
        hashes = token_hashes(tf.reshape(texts, [-1]))
        hashes = tf.reshape(hashes, tf.concat([tf.shape(texts), [MAX_TOKENS]], axis=0))
        hashes.set_shape([*texts.shape, MAX_TOKENS])
        return hashes

    def decode(encoded: tf.Tensor, name: str, numbers: tf.Tensor) -> tf.Tensor:
        with tf.control_dependencies([_check_words(encoded, name, numbers)]):
            return tf.identity(encoded)

    return Modality(spec, (MAX_TOKENS,), prepare, decode, bag_of_words)


def _check_words(encoded: tf.Tensor, name: str, numbers: tf.Tensor) -> tf.Operation:
    """Checks that a text is empty (padding) or has a word: the network sees nothing of others."""
    wordless = tf.not_equal(encoded, "") & tf.equal(words(encoded).row_lengths(), 0)
    number = tf.reduce_min(tf.where(wordless, numbers, numbers.dtype.max))
    sentence = [place_of("text", number, name), " must have a letter or a digit, and has none."]
    return tf.debugging.Assert(~tf.reduce_any(wordless), [tf.strings.join(sentence)])


def words(texts: tf.Tensor) -> tf.RaggedTensor:
    """Splits texts `[n]` into words `[n, (words)]`: lower case, letters and digits only."""
    valid = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    lower = tf.strings.lower(
        tf.strings.substr(valid, 0, MAX_CHARACTERS, unit="UTF8_CHAR"), encoding="utf-8"
    )
    # An apostrophe does not split a word: "what's" is one.
    joined = tf.strings.regex_replace(lower, "['’]", "")
    return tf.strings.split(tf.strings.regex_replace(joined, r"[^\p{L}\p{M}\p{N}]+", " "))


def token_hashes(texts: tf.Tensor) -> tf.Tensor:
    """Hashes texts `[n]` to `[n, MAX_TOKENS]` int32: words, then their parts; 0 for no token."""
    split = words(texts)
    line = tf.strings.join(["_", tf.strings.reduce_join(split, axis=1, separator="_"), "_"])
    characters = tf.strings.unicode_split(line, "UTF-8")
    parts = tf.strings.ngrams(characters, PART_LENGTHS, separator="")
    # A part may equal a word: the mark makes their hashes differ.
    whole = tf.ragged.map_flat_values(lambda word: tf.strings.join(["=", word]), split)
    tokens = tf.concat([whole, parts], axis=1)
    hashes = tf.ragged.map_flat_values(_hash, tokens)
    return hashes.to_tensor(0, shape=[None, MAX_TOKENS])


def _hash(tokens: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.strings.to_hash_bucket_fast(tokens, tf.int32.max - 1) + 1, tf.int32)


def bag_of_words(texts: np.ndarray) -> np.ndarray:
    """Counts the hashed words of texts `[n]`: `[n, BASELINE_BUCKETS]`, each row of norm 1.

    With the norm divided out, a long and a short text of the same words are close.
    """
    split = words(tf.constant(texts))
    buckets = tf.strings.to_hash_bucket_fast(split.flat_values, BASELINE_BUCKETS).numpy()
    bags = np.zeros((len(texts), BASELINE_BUCKETS), np.float32)
    np.add.at(bags, (split.value_rowids().numpy(), buckets), 1.0)
    return bags / np.maximum(np.linalg.norm(bags, axis=1, keepdims=True), 1e-9)

"""Texts of any language as hashed words and parts of words in Latin letters, inside the graph.

A name, a number or a borrowed word is spelled alike in many languages, once accents are taken off
and letters of other scripts are replaced by Latin ones. Those are read off Unicode's names of the
letters, most of which begin with their sound: CYRILLIC SMALL LETTER ZHE is "zh". Chinese characters
and Hangul stay as they are.

`phrase_vectors` makes a vector of a phrase without any weights: its tokens are counted as in
`components/signed_counts.py`, words apart from parts.
"""

import functools
import re
import unicodedata

import tensorflow as tf

from components.modalities.base import ExampleSpec, Modality
from components.modalities.text import text_modality, words
from components.signed_counts import SIZE, WORDS, signed_counts

MAX_TOKENS = 160  # words come first, then parts from short to long; the rest is ignored
PART_LENGTHS = (2, 3, 4)  # lengths of parts in characters; a gap between words counts as one

_CODES = 0x3100  # code points with an entry in the table: all but Chinese characters and Hangul
_FORMS = "(?:(?:SMALL|FINAL|CANDRA|SHORT|LONG|VOCALIC|DOTLESS|SHARP|OPEN) )*"
_NAME = re.compile(rf"(LETTER|VOWEL SIGN|SYLLABLE) {_FORMS}([A-Z]+)")
_SYLLABARIES = ("HIRAGANA", "KATAKANA", "ETHIOPIC")
_ABUGIDAS = (  # scripts whose consonants are named with a vowel that the next sign replaces
    *("DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU", "KANNADA"),
    *("MALAYALAM", "SINHALA", "KHMER", "MYANMAR", "LAO", "TIBETAN"),
)
_TWO_LETTERS = ("zh", "ch", "sh", "ts", "kh", "yu", "ya", "th", "ps", "ph")
_OTHER_SOUNDS = {  # letters whose names do not begin with their sound
    **{"ef": "f", "em": "m", "en": "n", "er": "r", "es": "s", "el": "l", "ghe": "g", "ie": "e"},
    **{"hard": "", "soft": "", "byelorussian": "i", "eta": "i", "shcha": "sh"},
    **{"eth": "d", "schwa": "e", "eng": "n", "ae": "ae", "oe": "oe"},
}


def latin(character: str) -> str:
    """A lower-case character in Latin letters; as it is where its name does not tell."""
    decomposed = unicodedata.normalize("NFKD", character)
    if decomposed[:1].isascii():
        return "".join(one for one in decomposed if one.isascii())
    name = unicodedata.name(decomposed[0], "")
    found = _NAME.search(name)
    if unicodedata.category(decomposed[0])[0] == "M" and "VOWEL SIGN" not in name:
        return ""
    if found is None:
        return character
    script, sound = name.split()[0], found[2].lower()
    if found[1] == "VOWEL SIGN" or script in _SYLLABARIES:
        return sound
    if script in _ABUGIDAS:
        return sound[:-1] if len(sound) > 1 and sound.endswith("a") else sound
    return _OTHER_SOUNDS.get(sound, sound[: 2 if sound.startswith(_TWO_LETTERS) else 1])


@functools.cache
def _table() -> list[bytes]:
    return [latin(chr(code)).encode() for code in range(_CODES)]


def to_latin(texts: tf.Tensor) -> tf.Tensor:
    """Texts `[n]` in lower case and, as far as the table goes, in Latin letters, `[n]`."""
    valid = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    lower = tf.strings.lower(valid, encoding="utf-8")
    characters = tf.strings.unicode_split(lower, "UTF-8")
    codes = tf.strings.unicode_decode(lower, "UTF-8").flat_values
    replaced = tf.gather(tf.constant(_table()), tf.minimum(codes, _CODES - 1))
    flat = tf.where(codes < _CODES, replaced, characters.flat_values)
    return tf.strings.reduce_join(characters.with_flat_values(flat), axis=1)


def phrase_tokens(texts: tf.Tensor) -> tf.Tensor:
    """Hashes texts `[...]` to `[..., MAX_TOKENS]` int32: 1 to 2^31 - 1, and 0 for no token."""
    split = words(to_latin(tf.reshape(texts, [-1])))
    line = tf.strings.join(["_", tf.strings.reduce_join(split, axis=1, separator="_"), "_"])
    parts = tf.strings.ngrams(tf.strings.unicode_split(line, "UTF-8"), PART_LENGTHS, separator="")
    hashes = tf.concat(
        [
            tf.ragged.map_flat_values(lambda word: _hash(word, 0, WORDS), split),
            tf.ragged.map_flat_values(lambda part: _hash(part, WORDS, SIZE), parts),
        ],
        axis=1,
    ).to_tensor(0, shape=[None, MAX_TOKENS])
    hashes *= tf.cast(split.row_lengths() > 0, tf.int32)[:, None]
    hashes = tf.reshape(hashes, tf.concat([tf.shape(texts), [MAX_TOKENS]], axis=0))
    return tf.ensure_shape(hashes, [*texts.shape, MAX_TOKENS])


def _hash(tokens: tf.Tensor, first: int, end: int) -> tf.Tensor:
    """Hashes whose rest of the division by `SIZE` is one of `first` to `end` - 1."""
    hashes = tf.strings.to_hash_bucket_fast(tokens, tf.int32.max - SIZE)
    return tf.cast(SIZE + hashes // SIZE * SIZE + first + hashes % (end - first), tf.int32)


def phrase_vectors(texts: tf.Tensor) -> tf.Tensor:
    """The vectors of phrases `[...]`: `[..., SIZE]` float32 of length 1, 0 without a word."""
    tokens = phrase_tokens(tf.reshape(texts, [-1]))
    vectors = signed_counts(tokens, tf.ones_like(tokens, tf.float32))
    return tf.reshape(vectors, tf.concat([tf.shape(texts), [SIZE]], axis=0))


def phrases_modality(spec: ExampleSpec) -> Modality:
    """Texts whose labels are phrases, seen by the network as `[MAX_TOKENS]` int32 hashes."""
    return text_modality(spec)._replace(feature_shape=(MAX_TOKENS,), prepare=phrase_tokens)

"""WordPiece, BERT's tokenizer for lower-case models, on stock TensorFlow operations.

Equal to Hugging Face's `tokenizers` (BertNormalizer, BertPreTokenizer, WordPiece):
tests/components/meta_trainer/encoders/wordpiece_cases.json holds its tokens of odd texts.

References: Schuster and Nakajima 2012, "Japanese and Korean Voice Search"; Devlin et al. 2019,
"BERT", arXiv 1810.04805.
"""

import unicodedata
from collections.abc import Iterator, Sequence

import tensorflow as tf

MAX_CHARACTERS = 10_000
"""The rest of a text is ignored: a server's guard against texts of any length."""
MAX_WORD = 100
"""Longer words, in characters, are unknown."""
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""Tokens that a text may name as they are; each stands as a private character meanwhile."""
CHINESE = (
    r"[\x{3400}-\x{4DBF}\x{4E00}-\x{9FFF}\x{F900}-\x{FAFF}\x{20000}-\x{2A6DF}"
    r"\x{2A700}-\x{2B73F}\x{2B740}-\x{2B81F}\x{2B920}-\x{2CEAF}\x{2F800}-\x{2FA1F}]"
)

NEWER = """
61d 7fd 890-891 898-89f 8ca-8e2 9fd-9fe a76 afa-aff b55 c04 c3c c77 c84 d00 d3b-d3c d81 eba 166d
1734 180f 1885-1886 1abf-1ace 1b7d-1b7e 1df6-1dfb 2e43-2e4f 2e52-2e5d a82c a8c5 a8ff a9bd
10d24-10d27 10eab-10ead 10f46-10f50 10f55-10f59 10f82-10f89 11070 11073-11074 110c2 110cd 111c9
111cf 1123e 1133b 11438-1143f 11442-11444 11446 1144b-1144f 1145a-1145b 1145d-1145e 11660-1166c
116b9 1182f-11837 11839-1183b 1193b-1193c 1193e 11943-11946 119d4-119d7 119da-119db 119e0 119e2
11a01-11a0a 11a33-11a38 11a3b-11a47 11a51-11a56 11a59-11a5b 11a8a-11a96 11a98-11a9c 11a9e-11aa2
11b00-11b09 11c30-11c36 11c38-11c3d 11c3f 11c41-11c45 11c70-11c71 11c92-11ca7 11caa-11cb0
11cb2-11cb3 11cb5-11cb6 11d31-11d36 11d3a 11d3c-11d3d 11d3f-11d45 11d47 11d90-11d91 11d95 11d97
11ef3-11ef4 11ef7-11ef8 11f43-11f4f 11fff 12ff1-12ff2 13430-1343f 16e97-16e9a 16f4f 16fe2 16fe4
1cf00-1cf2d 1cf30-1cf46 1e000-1e006 1e008-1e018 1e01b-1e021 1e023-1e024 1e026-1e02a 1e130-1e136
1e2ae 1e2ec-1e2ef 1e944-1e94a 1e95e-1e95f
"""
"""Marks and signs, as code points, that are letters to the reference: it knows Unicode 8.0."""


class WordPiece(tf.Module):
    """Texts `[n]` -> token ids `[n, (tokens)]` of a vocabulary, whose order gives the ids."""

    def __init__(self, vocabulary: Sequence[str]):
        super().__init__()
        special = {
            private(i): vocabulary.index(t) for i, t in enumerate(SPECIAL) if t in vocabulary
        }
        self._unknown = vocabulary.index("[UNK]")
        self._longest = max(len(token.removeprefix("##")) for token in vocabulary)
        words = [*vocabulary, *special], [*range(len(vocabulary)), *special.values()]
        self._ids = _table(*words, default=-1, dtype=tf.int32)
        characters = dict(changed_characters())
        self._characters = _table([*characters], [*characters.values()], "\0", tf.string)

    def __call__(self, texts: tf.Tensor) -> tf.RaggedTensor:
        words = tf.strings.split(self._normalise(texts))
        distinct, places = tf.unique(words.flat_values)
        pieces = self._pieces(distinct)
        of_words = tf.gather(pieces, places)
        real = of_words >= 0
        flat = tf.boolean_mask(of_words, real)
        counts = tf.reduce_sum(tf.cast(real, tf.int64), axis=1)
        by_word = tf.RaggedTensor.from_row_lengths(flat, counts, validate=False)
        return words.with_values(by_word).merge_dims(1, 2)

    def _normalise(self, texts: tf.Tensor) -> tf.Tensor:
        """Lower case without accents; words, signs and Chinese characters parted by spaces."""
        text = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
        text = tf.strings.substr(text, 0, MAX_CHARACTERS, unit="UTF8_CHAR")
        text = tf.strings.regex_replace(text, r"\p{Co}", "")
        text = tf.strings.regex_replace(text, newer_characters(), private(len(SPECIAL)))
        for i, token in enumerate(SPECIAL):
            escaped = token.replace("[", r"\[").replace("]", r"\]")
            text = tf.strings.regex_replace(text, escaped, f" {private(i)} ")
        text = tf.strings.regex_replace(text, r"[\t\n\r\p{Z}]", " ")
        text = tf.strings.regex_replace(text, r"[\p{Cc}\p{Cf}\x{FFFD}]", "")
        text = tf.strings.regex_replace(text, CHINESE, r" \0 ")
        characters = tf.strings.unicode_split(text, "UTF-8")
        changed = self._characters.lookup(characters.flat_values)
        kept = tf.where(tf.equal(changed, "\0"), characters.flat_values, changed)
        text = tf.strings.reduce_join(characters.with_values(kept), axis=1)
        return tf.strings.regex_replace(text, r"[!-/:-@\[-`{-~\p{P}]", r" \0 ")

    def _pieces(self, words: tf.Tensor) -> tf.Tensor:
        """Ids of each word's pieces, the longest first piece first, `[w, pieces]`; -1 for none."""
        length = tf.strings.length(words, unit="UTF8_CHAR")
        takes = tf.range(self._longest, 0, -1)
        shape = tf.stack([tf.size(words), self._longest])

        def one_more(position: tf.Tensor, ids: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            start = tf.minimum(position, tf.maximum(length - 1, 0))
            each = [tf.repeat(t, self._longest) for t in (words, start)]
            parts = tf.strings.substr(*each, tf.tile(takes, shape[:1]), unit="UTF8_CHAR")
            marks = tf.where(tf.repeat(start > 0, self._longest), "##", "")
            found = tf.reshape(self._ids.lookup(tf.strings.join([marks, parts])), shape)
            first = tf.argmax(found >= 0, axis=1, output_type=tf.int32)
            piece = tf.gather(found, first, batch_dims=1)
            open_ = position < length
            # A word whose rest begins with no piece is unknown as a whole.
            lost = open_ & ((piece < 0) | (length > MAX_WORD))
            unknown = tf.where(lost, self._unknown, -1)
            ids = tf.where(lost[:, None], -1, ids)
            ids = tf.concat([ids, tf.where(open_ & ~lost, piece, unknown)[:, None]], axis=1)
            end = tf.minimum(position + tf.gather(takes, first), length)
            return tf.where(lost, length, tf.where(open_, end, position)), ids

        _, ids = tf.while_loop(
            lambda position, _: tf.reduce_any(position < length),
            one_more,
            (tf.zeros_like(length), tf.zeros([tf.size(words), 0], tf.int32)),
            shape_invariants=(tf.TensorShape([None]), tf.TensorShape([None, None])),
        )
        return ids


def private(i: int) -> str:
    """The character that stands for a special token: no text keeps one of its own."""
    return chr(0xE000 + i)


def newer_characters() -> str:
    """The regular expression of `NEWER`."""
    ranges = [[f"\\x{{{end}}}" for end in each.split("-")] for each in NEWER.split()]
    return f"[{''.join('-'.join(ends) for ends in ranges)}]"


def changed_characters() -> Iterator[tuple[str, str]]:
    """(character, what it becomes): decomposed, marks left out, each part in lower case."""
    for code in (*range(0xD800), *range(0xF900, 0x30000), *range(0xE0100, 0xE01F0)):
        character = chr(code)
        parts = unicodedata.normalize("NFD", character)
        kept = "".join(c.lower() for c in parts if unicodedata.category(c) != "Mn")
        if kept != character:
            yield character, kept


def _table(keys: Sequence, values: Sequence, default, dtype) -> tf.lookup.StaticHashTable:
    pairs = tf.lookup.KeyValueTensorInitializer(keys, values, tf.string, dtype)
    return tf.lookup.StaticHashTable(pairs, default)

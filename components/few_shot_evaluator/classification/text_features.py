"""TF-IDF of words and of parts of words, hashed: no vocabulary is kept."""

from collections.abc import Iterable, Sequence

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.preprocessing import normalize

from components.episodes.dataset import read_split
from components.episodes.format import decode_stored

MAX_EPISODES = 1_000  # the weights of terms are fitted to the texts of as many episodes of `train`
BUCKETS = 2**16
_COUNTERS = [
    HashingVectorizer(n_features=BUCKETS, alternate_sign=False, norm=None, **kind)
    for kind in (
        {"ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"},
        {"analyzer": "char_wb", "ngram_range": (2, 4)},
    )
]


def count_terms(texts: Iterable[str | bytes]) -> list[sparse.csr_matrix]:
    """Counts of words and pairs of words, and of parts of words: each `[n, BUCKETS]`."""
    plain = [text.decode() if isinstance(text, bytes) else text for text in texts]
    return [counter.transform(plain) for counter in _COUNTERS]


def fit_weights(texts: Iterable[str | bytes]) -> list[TfidfTransformer]:
    """Inverse document frequencies of terms; a term in none of the texts weighs the most."""
    return [TfidfTransformer(sublinear_tf=True).fit(counts) for counts in count_terms(texts)]


def training_weights(examples_uri: str) -> list[TfidfTransformer]:
    """`fit_weights` to the texts of the `train` split of an Examples artifact."""
    texts: set[bytes] = set()
    for serialized in read_split(examples_uri, "train").take(MAX_EPISODES).as_numpy_iterator():
        episode = decode_stored(serialized)
        texts |= {*episode.support_x, *episode.query_x}
    return fit_weights(sorted(texts))


def tfidf(
    support: np.ndarray, query: np.ndarray, weights: Sequence[TfidfTransformer] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Features of texts `[S]` and `[Q]`: `[S, d]` and `[Q, d]` float64, of the support's terms.

    Words and parts of words weigh the same. Without `weights` those of the support set are used.
    """
    weights = weights or fit_weights(support)

    def weigh(texts: np.ndarray) -> sparse.csr_matrix:
        parts = [weight.transform(n) for weight, n in zip(weights, count_terms(texts))]
        return normalize(sparse.hstack(parts, format="csr"))

    known = weigh(support)
    terms = np.unique(known.indices)
    return known[:, terms].toarray(), weigh(query)[:, terms].toarray()

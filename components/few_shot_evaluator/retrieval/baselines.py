"""The baselines of retrieval: how like a query each candidate is, without any meta-learning.

All see texts in Latin letters, as the model does. `Pairs` holds one episode; each baseline gives
similarities `[Q, C]`.

References: Smadja, McKeown, Hatzivassiloglou 1996, "Translating Collocations for Bilingual
Lexicons" (a dictionary by the Dice coefficient).
"""

from collections import Counter
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.modalities.phrases import MAX_TOKENS, phrase_tokens, to_latin
from components.modalities.text import words

SPELLING = "spelling"
DICTIONARY = "dictionary"
BOTH = "dictionary_and_spelling"
REGRESSION = "regression_and_spelling"
ALL = "dictionary_regression_and_spelling"
NAMES = {
    SPELLING: "the candidate spelled most like the query (TF-IDF of words and their parts)",
    DICTIONARY: "a dictionary of words, from the pairs (Dice coefficient)",
    BOTH: "dictionary and spelling, added",
    REGRESSION: "ridge regression of the phrase's parts on the text's, and spelling, added",
    ALL: "dictionary, regression and spelling, added",
}
PENALTY = 0.3
"""Of the ridge regression: 0.1, 0.3 and 1 gave the same recall to 0.01."""
BUCKETS = 8_192


class Pairs(NamedTuple):
    """The texts of one episode: `[n]` bytes each."""

    support: np.ndarray
    phrases: np.ndarray
    queries: np.ndarray
    candidates: np.ndarray


def similarities(pairs: Pairs) -> dict[str, np.ndarray]:
    """The similarities `[Q, C]` of each baseline."""
    bags = _bags(pairs)
    spelling = _scaled(bags.queries @ bags.candidates.T)
    dictionary = _scaled(_dictionary(pairs))
    regression = _scaled(_regression(bags))
    return {
        SPELLING: spelling,
        DICTIONARY: dictionary,
        BOTH: dictionary + spelling,
        REGRESSION: regression + spelling,
        ALL: dictionary + regression + spelling,
    }


def _scaled(values: np.ndarray) -> np.ndarray:
    """Values of standard deviation 1, so that their sum weighs all alike."""
    return values / max(float(values.std()), 1e-9)


def _bags(pairs: Pairs) -> Pairs:
    """TF-IDF of words and parts of words, each row of length 1; frequencies are the episode's."""
    counts = [_counts(texts) for texts in pairs]
    holding = sum((bag > 0).sum(axis=0) for bag in counts)
    weights = np.log((1 + sum(map(len, counts))) / (1 + holding))
    bags = [bag * weights for bag in counts]
    return Pairs(*(bag / np.maximum(np.linalg.norm(bag, axis=1)[:, None], 1e-9) for bag in bags))


def _counts(texts: np.ndarray) -> np.ndarray:
    """Which tokens each text has, `[n, BUCKETS]` of 0 and 1."""
    tokens = phrase_tokens(tf.constant(texts)).numpy()
    bags = np.zeros((len(texts), BUCKETS), np.float32)
    rows = np.repeat(np.arange(len(texts)), MAX_TOKENS)[tokens.ravel() > 0]
    bags[rows, tokens.ravel()[tokens.ravel() > 0] % BUCKETS] = 1.0
    return bags


def _regression(bags: Pairs) -> np.ndarray:
    """Kernel ridge regression from the bag of a text to that of its phrase."""
    mean_x, mean_y = bags.support.mean(axis=0), bags.phrases.mean(axis=0)
    x, y = bags.support - mean_x, bags.phrases - mean_y
    dual = np.linalg.solve(x @ x.T + PENALTY * np.eye(len(x)), y)
    return (bags.queries - mean_x) @ x.T @ (dual @ (bags.candidates - mean_y).T)


def _dictionary(pairs: Pairs) -> np.ndarray:
    """How well the words of the candidate translate those of the query."""
    support, phrases, queries, candidates = map(_words, pairs)
    together: dict[bytes, Counter[bytes]] = {}
    of_text, of_phrase = Counter[bytes](), Counter[bytes]()
    for text, phrase in zip(support, phrases):
        of_text.update(text)
        of_phrase.update(phrase)
        for word in text:
            together.setdefault(word, Counter()).update(phrase)
    found = np.zeros((len(queries), len(candidates)))
    for row, query in enumerate(queries):
        dice: dict[bytes, float] = {}
        for word in query & together.keys():
            for other, count in together[word].items():
                share = 2 * count / (of_text[word] + of_phrase[other])
                dice[other] = max(dice.get(other, 0.0), share)
        for column, candidate in enumerate(candidates):
            total = sum(dice.get(word, 0.0) for word in candidate)
            found[row, column] = total / np.sqrt(len(candidate) + 1)
    return found


def _words(texts: np.ndarray) -> list[set[bytes]]:
    return [set(row) for row in words(to_latin(tf.constant(texts))).to_list()]

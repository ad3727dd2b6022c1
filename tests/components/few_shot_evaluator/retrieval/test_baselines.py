"""The baselines of retrieval on a language whose words are all known from the pairs."""

import numpy as np

from components.few_shot_evaluator.retrieval import baselines

WORDS = {"red": "rouge", "old": "vieux", "big": "grand"}
WORDS |= {"cat": "chat", "house": "maison", "tom": "tom"}


def pairs() -> tuple[baselines.Pairs, np.ndarray]:
    """An episode whose support set shows every word twice or more."""
    adjectives, nouns = ("red", "old", "big"), ("cat", "house", "tom")
    phrases = [f"{a} {n}" for a in adjectives for n in nouns]
    texts = [" ".join(WORDS[word] for word in phrase.split()) for phrase in phrases]
    x, y = (np.array([one.encode() for one in side], object) for side in (texts, phrases))
    queries = np.array([0, 4, 8])
    support = np.setdiff1d(np.arange(9), queries)
    return baselines.Pairs(x[support], y[support], x[queries], y[queries]), np.arange(3)


def test_a_dictionary_from_the_pairs_finds_every_phrase():
    episode, answers = pairs()
    of_name = baselines.similarities(episode)
    assert list(of_name) == list(baselines.NAMES)
    assert (of_name[baselines.DICTIONARY].argmax(axis=1) == answers).all()
    assert (of_name[baselines.ALL].argmax(axis=1) == answers).all()


def test_spelling_needs_no_pairs():
    episode, _ = pairs()
    names = np.array([b"Tom Smith", b"two houses"], object)
    episode = episode._replace(queries=np.array(["Том Смит".encode()], object), candidates=names)
    assert baselines.similarities(episode)[baselines.SPELLING].argmax() == 0

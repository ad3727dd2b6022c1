"""Requests made of others: recordings of other lengths are padded at the end."""

import numpy as np

from components.serving_validator import good_requests
from serving.saved_model import signatures as sig


def recordings(support: int, queries: int) -> good_requests.Request:
    """One episode of two support examples and one query, of these lengths."""
    return {
        sig.SUPPORT_X: np.ones((1, 2, support), np.float32),
        sig.SUPPORT_Y: np.array([[0, 1]], np.int32),
        sig.QUERY_X: np.ones((1, 1, queries), np.float32),
    }


def test_episodes_of_recordings_of_other_lengths_are_stacked():
    both = good_requests.stack([recordings(5, 3), recordings(4, 7)])
    assert both[sig.SUPPORT_X].shape == (2, 2, 5) and both[sig.QUERY_X].shape == (2, 1, 7)
    assert both[sig.SUPPORT_X][1, 0].tolist() == [1, 1, 1, 1, 0]
    assert both[sig.SUPPORT_Y].tolist() == [[0, 1], [0, 1]]


def test_padding_may_be_longer_or_shorter_than_the_support_set():
    for support, queries in ((5, 3), (3, 5)):
        padded = good_requests.pad(recordings(support, queries))
        assert padded[sig.SUPPORT_X].shape == (1, 4, 5)
        assert padded[sig.SUPPORT_Y].tolist() == [[0, 1, -1, -1]]

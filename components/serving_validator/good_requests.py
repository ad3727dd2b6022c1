"""The right requests that a model is checked with, made of real episodes.

Shape letters: E episodes, N ways, S support examples, Q query examples.
"""

from collections.abc import Sequence

import numpy as np

from serving.saved_model import signatures as sig

Request = dict[str, np.ndarray]
"""The inputs of a request by name."""


def stack(requests: Sequence[Request]) -> Request:
    """Joins requests along E, as a server that batches does."""
    return {name: _join([one[name] for one in requests], axis=0) for name in requests[0]}


def pad(good: Request, number: int = 2) -> Request:
    """The same request with `number` further support examples that are marked as padding.

    They are the queries, not zeros: a model that looks at them predicts otherwise.
    """
    extra = np.resize(good[sig.QUERY_X], (1, number, *good[sig.QUERY_X].shape[2:]))
    labels = np.full((1, number), sig.PADDING_LABEL, np.int32)
    return good | {
        sig.SUPPORT_X: _join([good[sig.SUPPORT_X], extra], axis=1),
        sig.SUPPORT_Y: np.concatenate([good[sig.SUPPORT_Y], labels], axis=1),
    }


def _join(parts: Sequence[np.ndarray], *, axis: int) -> np.ndarray:
    """Joins along `axis`; recordings, whose last axis varies, get zeros at the end."""
    longest = max(part.shape[-1] for part in parts)
    if parts[0].ndim < 3 or all(part.shape[-1] == longest for part in parts):
        return np.concatenate(parts, axis=axis)
    padding = [[(0, 0)] * (part.ndim - 1) + [(0, longest - part.shape[-1])] for part in parts]
    return np.concatenate([np.pad(*pair) for pair in zip(parts, padding)], axis=axis)


def without_class(good: Request, label: int) -> Request:
    """The same request with the support examples of one class marked as padding."""
    y = good[sig.SUPPORT_Y]
    return good | {sig.SUPPORT_Y: np.where(y == label, sig.PADDING_LABEL, y).astype(np.int32)}


def relabel(good: Request, new_labels: Sequence[int]) -> Request:
    """The same request with the label `new_labels[y]` in place of y; padding stays padding."""
    labels = np.array([*new_labels, sig.PADDING_LABEL], np.int32)
    return good | {sig.SUPPORT_Y: labels[good[sig.SUPPORT_Y]]}

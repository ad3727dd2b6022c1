"""Every way to get a request wrong, one request each.

Shape letters: E episodes, N ways, S support examples, Q query examples.
"""

from typing import NamedTuple

import numpy as np

from components.modalities.base import ExampleSpec
from components.modalities.encoders import wav
from components.serving_validator.good_requests import Request, stack
from components.tasks.task import Task, with_first
from serving.saved_model import signatures as sig


class BadRequest(NamedTuple):
    """A request that a model must refuse, with a message that names one of the inputs in `blames`.

    `blames` is empty where only TensorFlow's own decoder notices, which does not know the name.
    """

    name: str  # what is wrong with it
    signature: str
    inputs: Request
    blames: tuple[str, ...]


def bad_requests(
    good: Request, *, max_ways: int, spec: ExampleSpec, task: Task
) -> list[BadRequest]:
    """One request for each rule of `serving_default`, broken in that one way.

    `good` is a right request of one episode, `max_ways` the lowest label that is too high.
    """
    x, y, q = good[sig.SUPPORT_X], good[sig.SUPPORT_Y], good[sig.QUERY_X]
    support = (sig.SUPPORT_X, sig.SUPPORT_Y)
    twice = stack([good, good])

    def request(name: str, blames: tuple[str, ...], **changed: np.ndarray) -> BadRequest:
        return BadRequest(name, sig.ADAPT_AND_PREDICT, good | changed, blames)

    requests = [
        request("support_x of a lower rank", support, support_x=x[0]),
        request("support_x of a higher rank", support, support_x=x[np.newaxis]),
        request("support_y of a lower rank", (sig.SUPPORT_Y,), support_y=y[0]),
        request("query_x of a lower rank", (sig.QUERY_X,), query_x=q[0]),
        request("an empty support set", support, support_x=x[:, :0], support_y=y[:, :0]),
        request("fewer labels than support examples", support, support_y=y[:, :-1]),
        request("more episodes in query_x", (sig.QUERY_X,), query_x=twice[sig.QUERY_X]),
        request("more episodes in support_y", support, support_y=twice[sig.SUPPORT_Y]),
        request(
            "fewer episodes in query_x",
            (*support, sig.QUERY_X),
            support_x=twice[sig.SUPPORT_X],
            support_y=twice[sig.SUPPORT_Y],
        ),
    ]
    requests += [
        request(name, (sig.SUPPORT_Y,), support_y=labels)
        for name, labels in task.wrong_labels(y, max_ways).items()
    ]
    if spec.shape and spec.shape[0] is not None:
        requests += [
            request("support examples of another size", (sig.SUPPORT_X,), support_x=x[:, :, :-1]),
            request("query examples of another size", (sig.QUERY_X,), query_x=q[:, :, :-1]),
        ]
    if spec.dtype == "string":
        blank = with_first(q, b"")
        requests.append(request("an empty text in query_x", (sig.QUERY_X,), query_x=blank))
    if spec.dtype.startswith("float"):
        requests += [
            request("NaN in support_x", (sig.SUPPORT_X,), support_x=with_first(x, np.nan)),
            request("NaN in query_x", (sig.QUERY_X,), query_x=with_first(q, np.nan)),
        ]
    return requests


def bad_encoded_requests(good: Request, *, spec: ExampleSpec) -> list[BadRequest]:
    """One request for each rule of `adapt_and_predict_encoded`, broken in that one way."""
    x, labels, q = good[sig.SUPPORT_X], good[sig.SUPPORT_LABELS], good[sig.QUERY_X]
    support = (sig.SUPPORT_X, sig.SUPPORT_LABELS)
    no_labels = np.full_like(labels, b"")

    def request(name: str, blames: tuple[str, ...], **changed: np.ndarray) -> BadRequest:
        return BadRequest(f"encoded: {name}", sig.ENCODED, good | changed, blames)

    requests = [
        request("support_x of a lower rank", (sig.SUPPORT_X,), support_x=x[0]),
        request("query_x of a lower rank", (sig.QUERY_X,), query_x=q[0]),
        request("an empty support set", support, support_x=x[:, :0], support_labels=labels[:, :0]),
        request("a support set of padding only", support, support_labels=no_labels),
        request("fewer labels than support examples", support, support_labels=labels[:, :-1]),
        request("more episodes in query_x", (sig.QUERY_X,), query_x=np.concatenate([q, q])),
    ]
    if spec.dtype != "string":
        junk = b"not a file of this kind"
        requests += [
            request("undecodable support_x", (sig.SUPPORT_X,), support_x=with_first(x, junk)),
            request("undecodable query_x", (sig.QUERY_X,), query_x=with_first(q, junk)),
            request("support_x cut off in the middle", (), support_x=_cut_first(x)),
            request("query_x cut off in the middle", (), query_x=_cut_first(q)),
        ]
    else:
        blank = with_first(q, b" ")
        requests.append(request("a blank text in query_x", (sig.QUERY_X,), query_x=blank))
    if spec.modality == "audio":
        requests += [
            request(name, (sig.QUERY_X,), query_x=with_first(q, wav(samples, **form)))
            for name, samples, form in _wrong_recordings(spec.sample_rate or 0)
        ]
    return requests


def _wrong_recordings(rate: int) -> list[tuple[str, np.ndarray, dict[str, int]]]:
    second = np.linspace(-0.5, 0.5, rate, dtype=np.float32)
    return [
        ("a wav of 0 seconds in query_x", second[:0], {"sample_rate": rate}),
        ("a stereo wav in query_x", second, {"sample_rate": rate, "channels": 2}),
        ("a wav of another rate in query_x", second, {"sample_rate": rate + 1}),
    ]


def _cut_first(files: np.ndarray) -> np.ndarray:
    """The same files, of which the first ends in the middle."""
    return with_first(files, files.flat[0][: len(files.flat[0]) // 2])

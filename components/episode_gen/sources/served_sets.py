"""The support sets in a log of requests: whose examples, under which labels."""

import hashlib
from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np

from serving.protocol.tensors import read_tensor
from serving.saved_model import signatures as names

_WITHOUT = {
    names.PREDICT: "a request has adapted weights in place of a support set",
    names.PREDICT_ON_SERVER: "a request has a handle in place of a support set",
    names.FROM_FEATURES: "a request has features in place of examples",
}


class NoSupportSet(Exception):
    """A request has no support set of classes; the message is half a sentence."""


class SupportSet(NamedTuple):
    """The labelled examples of one episode, without padding, in the order in which they came."""

    examples: list[Any]  # each a file or a text as bytes, or an array
    labels: list[str]
    named: bool  # whether the labels are names that the client gave

    @property
    def digests(self) -> list[bytes]:
        """A hash of the content of each example."""
        return [_digest(example) for example in self.examples]


def request_of(record: Any) -> tuple[str, str]:
    """The names of the model and of the signature (empty: the default) of a PredictionLog."""
    spec = record.log_metadata.model_spec
    if record.WhichOneof("log_type") == "predict_log":
        request = record.predict_log.request.model_spec
        return spec.name or request.name, spec.signature_name or request.signature_name
    return spec.name, spec.signature_name


def support_sets(record: Any) -> list[SupportSet]:
    """The support set of each episode of a PredictionLog's request.

    Raises:
      NoSupportSet: it has none.
    """
    kind = record.WhichOneof("log_type")
    if kind != "predict_log":
        raise NoSupportSet(f"a {kind} has no support set" if kind else "a record has no request")
    _, signature = request_of(record)
    if signature in _WITHOUT:
        raise NoSupportSet(_WITHOUT[signature])
    tensors = record.predict_log.request.inputs
    label_name = names.SUPPORT_LABELS if names.SUPPORT_LABELS in tensors else names.SUPPORT_Y
    if names.SUPPORT_X not in tensors or label_name not in tensors:
        raise NoSupportSet("a request has no inputs `support_x` and `support_y`")
    try:
        x, y = (read_tensor(tensors[name]) for name in (names.SUPPORT_X, label_name))
    except ValueError as error:
        raise NoSupportSet(f"a tensor cannot be read ({error})") from None
    if y.dtype.kind == "f":
        raise NoSupportSet("the targets of a regression model are no classes")
    if y.ndim != 2 or x.ndim < 2 or x.shape[:2] != y.shape or y.dtype.kind not in "Oi":
        raise NoSupportSet("`support_x` and its labels are not of one shape [E, S]")
    return [_support_set(*pair) for pair in zip(x, y)]


def _support_set(examples: np.ndarray, labels: np.ndarray) -> SupportSet:
    named = labels.dtype == object
    padding = b"" if named else names.PADDING_LABEL
    used = [place for place, label in enumerate(labels.tolist()) if label != padding]
    texts = [
        label.decode(errors="backslashreplace") if named else str(label)
        for label in (labels.tolist()[place] for place in used)
    ]
    return SupportSet([examples[place] for place in used], texts, named)


def set_key(found: SupportSet, digests: list[bytes]) -> str:
    """A name for a support set: equal for equal ones, whatever the order of their examples.

    Numbers of classes do not count either, but names do.
    """
    classes: dict[str, list[bytes]] = defaultdict(list)
    for label, digest in zip(found.labels, digests):
        classes[label].append(digest)
    contents = sorted(
        (name.encode(errors="surrogatepass") if found.named else b"", sorted(members))
        for name, members in classes.items()
    )
    return hashlib.sha256(repr(contents).encode()).hexdigest()[:16]


def _digest(example: Any) -> bytes:
    digest = hashlib.sha256()
    if isinstance(example, np.ndarray):
        digest.update(f"{example.dtype} {example.shape}\0".encode())
        example = np.ascontiguousarray(example).tobytes()
    elif not isinstance(example, bytes):  # a scalar: an example without a shape
        example = np.asarray(example).tobytes()
    digest.update(example)
    return digest.digest()[:16]

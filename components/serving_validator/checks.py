"""The rules that a served model must keep, one function a rule.

The rules are those of `serving.saved_model.signatures`. Each check takes a `ModelUnderTest` and
returns nothing, or raises `CheckFailed` with one sentence.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from components.modalities.encoders import encoded_request
from components.modalities.phrases import phrase_vectors
from components.serving_validator import good_requests
from components.serving_validator.bad_requests import BadRequest, bad_encoded_requests, bad_requests
from components.serving_validator.good_requests import Request
from components.serving_validator.model_under_test import ModelUnderTest
from serving.protocol import status
from serving.saved_model import signatures as sig

PYTHON_OPERATIONS = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})
# Enough to see whether queries affect one another; each is a request of its own.
SINGLE_QUERIES = 10


class CheckFailed(Exception):
    """A model breaks a rule; the message is one sentence."""


Check = Callable[[ModelUnderTest], None]


def offers_the_agreed_signature(model: ModelUnderTest) -> None:
    """`serving_default` has the inputs and outputs that `signatures` names, with their dtypes."""
    definition = model.servable.signature_defs.get(sig.ADAPT_AND_PREDICT)
    if definition is None:
        raise CheckFailed(f"the model has no signature `{sig.ADAPT_AND_PREDICT}`")
    example = model.spec.dtype
    inputs = {sig.SUPPORT_X: example, sig.SUPPORT_Y: model.task.label_dtype, sig.QUERY_X: example}
    task = model.task
    for kind, wanted, optional, infos in (
        ("input", inputs, {}, definition.inputs),
        ("output", task.output_dtypes, task.optional_output_dtypes, definition.outputs),
    ):
        dtypes = {name: tf.as_dtype(info.dtype).name for name, info in infos.items()}
        if dict(dtypes.items() - optional.items()) != wanted:
            raise CheckFailed(
                f"the {kind}s of `{sig.ADAPT_AND_PREDICT}` must be {_names(wanted)}: "
                f"got {_names(dtypes)}"
            )


def calls_no_python(model: ModelUnderTest) -> None:
    """The graph holds no operation that calls back into a Python process."""
    with open(f"{model.folder}/saved_model.pb", "rb") as file:
        saved = SavedModel.FromString(file.read())
    nodes = []
    for meta in saved.meta_graphs:
        nodes += meta.graph_def.node
        for function in meta.graph_def.library.function:
            nodes += function.node_def
    calls = sorted(PYTHON_OPERATIONS & {node.op for node in nodes})
    if calls:
        raise CheckFailed(f"the graph calls Python, which no server has: {', '.join(calls)}")


def gives_predictions(model: ModelUnderTest) -> None:
    """The outputs of `serving_default` have the agreed shapes and values that make sense."""
    for request in model.requests:
        outputs = model.run(sig.ADAPT_AND_PREDICT, request)
        queries = (1, request[sig.QUERY_X].shape[1])
        fault = model.task.find_fault(outputs, queries, model.ways, model.tolerance)
        if fault:
            raise CheckFailed(fault)


def answers_each_query_alone(model: ModelUnderTest) -> None:
    """One query at a time and all at once give the same numbers."""
    good = model.requests[0]
    together = model.predict(good)
    for query in range(min(together.shape[1], SINGLE_QUERIES)):
        one = slice(query, query + 1)
        alone = model.predict(good | {sig.QUERY_X: good[sig.QUERY_X][:, one]})
        what = f"the predictions for query {query} sent alone and with the others"
        _require_equal(alone, together[:, one], what, model.tolerance)


def ignores_padding(model: ModelUnderTest) -> None:
    """Support examples of the label -1 change no prediction."""
    good = model.requests[0]
    padded = model.predict(good_requests.pad(good))
    what = "the predictions with and without padding in the support set"
    _require_equal(padded, model.predict(good), what, model.tolerance)


def keeps_episodes_apart(model: ModelUnderTest) -> None:
    """Two episodes in one request get the predictions that each gets alone."""
    first, second = model.requests[:2]
    stacked = model.predict(good_requests.stack([first, second]))
    alone = np.concatenate([model.predict(first), model.predict(second)])
    what = "the predictions for an episode alone and in one request with another"
    _require_equal(stacked, alone, what, model.tolerance)


def gives_absent_classes_nothing(model: ModelUnderTest) -> None:
    """A class without a support example gets probability 0, and the others still sum to 1."""
    probabilities = model.predict(good_requests.without_class(model.requests[0], 0))
    what = "the probability of a class without support examples and 0"
    _require_equal(probabilities[..., 0], 0.0, what, 0.0)
    total, what = probabilities.sum(axis=-1), "the sum of `probabilities` and 1"
    _require_equal(total, 1.0, what, model.tolerance)


def adapts_once_for_many_queries(model: ModelUnderTest) -> None:
    """`adapt` and then `predict` give what `serving_default` gives."""
    good = model.requests[0]
    adapted = model.run(sig.ADAPT, {k: good[k] for k in (sig.SUPPORT_X, sig.SUPPORT_Y)})
    outputs = model.run(sig.PREDICT, adapted | {sig.QUERY_X: good[sig.QUERY_X]})
    what = f"the predictions of `{sig.ADAPT}` and `{sig.PREDICT}` and of `{sig.ADAPT_AND_PREDICT}`"
    prediction = outputs[model.task.prediction]
    _require_equal(prediction, model.predict(good), what, model.tolerance)


def reads(encoded: Request) -> Check:
    """Makes the check that the first request, encoded, gives what `serving_default` gives.

    The labels are put into the order of `class_names`, which may change a learner's predictions.
    """

    def check(model: ModelUnderTest) -> None:
        outputs = model.run(sig.ENCODED, encoded)
        names = [name.decode() for name in outputs[sig.CLASS_NAMES][0]]
        if not set(model.class_names) <= set(names):
            raise CheckFailed(f"`class_names` must hold those of the request: got {names}")
        order = [names.index(name) for name in model.class_names]
        expected = model.predict(good_requests.relabel(model.requests[0], order))
        what = f"the predictions of `{sig.ENCODED}` and of `{sig.ADAPT_AND_PREDICT}`"
        _require_equal(outputs[sig.PROBABILITIES], expected, what, model.tolerance)
        labels = np.array(outputs[sig.CLASS_NAMES][0])[outputs[sig.PREDICTIONS]]
        if (labels != outputs[sig.PREDICTED_LABELS]).any():
            raise CheckFailed("`predicted_labels` must be the names of `predictions`")

    return check


def finds_phrases(encoded: Request) -> Check:
    """Makes the check that the phrase given for a query is the one nearest to its vector."""

    def check(model: ModelUnderTest) -> None:
        outputs = model.run(sig.ENCODED, encoded)
        phrases = outputs[sig.CLASS_NAMES][0]
        vectors = phrase_vectors(tf.constant(phrases)).numpy()
        nearest = (model.predict(model.requests[0]) @ vectors.T).max(axis=-1)
        found = vectors[outputs[sig.PREDICTIONS]]
        similarity = (model.predict(model.requests[0]) * found).sum(axis=-1)
        what = f"the similarity of the phrases of `{sig.ENCODED}` and that of the nearest ones"
        _require_equal(similarity, nearest, what, model.tolerance)
        if (phrases[outputs[sig.PREDICTIONS]] != outputs[sig.PREDICTED_LABELS]).any():
            raise CheckFailed("`predicted_labels` must be the phrases of `predictions`")

    return check


def refuses(bad: BadRequest) -> Check:
    """Makes the check that a request is INVALID_ARGUMENT, with a sentence that names the input."""

    def check(model: ModelUnderTest) -> None:
        try:
            model.run(bad.signature, bad.inputs)
        except status.StatusError as error:
            message = error.message.splitlines()[0]
            if error.code != status.INVALID_ARGUMENT:
                code = status.NAMES[error.code]
                raise CheckFailed(f"must be INVALID_ARGUMENT: got {code}, {message!r}") from None
            if bad.blames and not any(name in message for name in bad.blames):
                names = " or ".join(f"`{name}`" for name in bad.blames)
                raise CheckFailed(f"the message must name {names}: got {message!r}") from None
        else:
            raise CheckFailed("must be INVALID_ARGUMENT: the model answered it")

    return check


def checks(model: ModelUnderTest) -> Iterator[tuple[str, Check]]:
    """The checks that apply to a model, each with its name in `checks.json`."""
    yield "offers the agreed signature", offers_the_agreed_signature
    yield "calls no Python", calls_no_python
    yield f"gives {model.task.prediction}", gives_predictions
    if model.task.classes:
        yield "ignores padding", ignores_padding
        yield "gives absent classes nothing", gives_absent_classes_nothing
    yield "answers each query alone", answers_each_query_alone
    yield "keeps episodes apart", keeps_episodes_apart
    offered, first, spec = model.servable.signature_defs, model.requests[0], model.spec
    if sig.ADAPT in offered and sig.PREDICT in offered:
        yield "adapts once for many queries", adapts_once_for_many_queries
    bad = bad_requests(first, max_ways=model.max_ways, spec=spec, task=model.task)
    encode = sig.ENCODED in offered
    encoded = encoded_request(first, model.class_names, spec) if encode else None
    if encoded is not None:
        how = finds_phrases if spec.phrases else reads
        yield "reads encoded examples", how(encoded)
        bad += bad_encoded_requests(encoded, spec=spec)
    for request in bad:
        yield f"refuses {request.name}", refuses(request)


def _require_equal(
    value: np.ndarray, wanted: np.ndarray | float, what: str, tolerance: float
) -> None:
    difference = np.abs(value - wanted).max()
    if not difference <= tolerance:  # a NaN is no equality either
        raise CheckFailed(f"{what} must be equal: they differ by {difference:.2g}")


def _names(dtypes: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({dtype})" for name, dtype in sorted(dtypes.items()))

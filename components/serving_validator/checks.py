"""What a served model must hold to: contract 3, one function a rule.

Each takes a `Trial` and returns nothing, or raises `CheckFailed` with one sentence.
"""

from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from components.modalities.encoders import encoded_request
from components.serving_validator import good_requests
from components.serving_validator.bad_requests import (
    BadRequest,
    bad_encoded_requests,
    bad_requests,
)
from components.serving_validator.good_requests import Inputs
from components.serving_validator.session_model import PYTHON_OPERATIONS
from components.serving_validator.trial import Trial
from serving.saved_model import signatures as sig

# Enough to see whether queries touch one another; each is a request of its own.
QUERIES_ASKED_ALONE = 10


class CheckFailed(Exception):
    """A model breaks a rule; the message is one sentence."""


Check = Callable[[Trial], None]


def offers_the_agreed_signature(trial: Trial) -> None:
    """`serving_default` has the inputs and outputs that `signatures` names, with their dtypes."""
    definition = trial.model.signatures.get(sig.ADAPT_AND_PREDICT)
    if definition is None:
        raise CheckFailed(f"the model has no signature `{sig.ADAPT_AND_PREDICT}`")
    example = tf.as_dtype(trial.spec.dtype)
    regression = trial.spec.regression
    label = tf.float32 if regression else tf.int32
    answers = {sig.PROBABILITIES: tf.float32, sig.PREDICTIONS: tf.int32}
    wanted = {
        "input": {sig.SUPPORT_X: example, sig.SUPPORT_Y: label, sig.QUERY_X: example},
        "output": {sig.TARGETS: tf.float32} if regression else answers,
    }
    for kind, found in (("input", definition.inputs), ("output", definition.outputs)):
        came = {name: tf.as_dtype(info.dtype) for name, info in found.items()}
        if came != wanted[kind]:
            raise CheckFailed(
                f"the {kind}s of `{sig.ADAPT_AND_PREDICT}` must be {_names(wanted[kind])}: "
                f"got {_names(came)}"
            )


def calls_no_python(trial: Trial) -> None:
    """The graph holds no operation that calls back into a Python process."""
    found = sorted(PYTHON_OPERATIONS & trial.model.operations)
    if found:
        raise CheckFailed(f"the graph calls Python, which no server has: {', '.join(found)}")


def gives_probabilities(trial: Trial) -> None:
    """Probabilities are finite, 0..1, sum to 1 and agree with the predictions."""
    for inputs in trial.episodes:
        outputs = trial.model.run(sig.ADAPT_AND_PREDICT, inputs)
        probabilities, predictions = outputs[sig.PROBABILITIES], outputs[sig.PREDICTIONS]
        queries = (1, inputs[sig.QUERY_X].shape[1])
        *of_probabilities, ways = probabilities.shape
        if tuple(of_probabilities) != queries or ways < trial.ways or predictions.shape != queries:
            raise CheckFailed(
                f"`probabilities` must be {(*queries, trial.ways)} and `predictions` {queries}: "
                f"got {probabilities.shape} and {predictions.shape}"
            )
        if not np.isfinite(probabilities).all():
            raise CheckFailed("`probabilities` holds a NaN or an infinity")
        if probabilities.min() < 0 or probabilities.max() > 1 + trial.tolerance:
            raise CheckFailed("`probabilities` must lie in 0..1")
        _equal(probabilities.sum(axis=-1), 1.0, "the sum of `probabilities` and 1", trial.tolerance)
        if (predictions != probabilities.argmax(axis=-1)).any():
            raise CheckFailed("`predictions` must be the class of the largest probability")


def gives_targets(trial: Trial) -> None:
    """Targets are finite and of the agreed shape."""
    for inputs in trial.episodes:
        targets = trial.answer(inputs)
        wanted = (1, inputs[sig.QUERY_X].shape[1], *(trial.spec.target_shape or ()))
        if targets.shape != wanted:
            raise CheckFailed(f"`targets` must be {wanted}: got {targets.shape}")
        if not np.isfinite(targets).all():
            raise CheckFailed("`targets` holds a NaN or an infinity")


def answers_each_query_alone(trial: Trial) -> None:
    """One query at a time and all at once give the same numbers."""
    good = trial.episodes[0]
    together = trial.answer(good)
    for query in range(min(together.shape[1], QUERIES_ASKED_ALONE)):
        one = slice(query, query + 1)
        alone = trial.answer(good | {sig.QUERY_X: good[sig.QUERY_X][:, one]})
        what = f"query {query} asked alone and with the others"
        _equal(alone, together[:, one], what, trial.tolerance)


def ignores_padding(trial: Trial) -> None:
    """Support examples of the label -1 change no result."""
    good = trial.episodes[0]
    padded = trial.answer(good_requests.pad(good))
    what = "the answers with and without padding in the support set"
    _equal(padded, trial.answer(good), what, trial.tolerance)


def keeps_episodes_apart(trial: Trial) -> None:
    """Two episodes in one request are answered as each alone."""
    first, second = trial.episodes[:2]
    stacked = trial.answer(good_requests.stack([first, second]))
    alone = np.concatenate([trial.answer(first), trial.answer(second)])
    what = "the answers to an episode alone and in one request with another"
    _equal(stacked, alone, what, trial.tolerance)


def gives_absent_classes_nothing(trial: Trial) -> None:
    """A class without a support example gets probability 0, and the others still sum to 1."""
    absent = 0
    probabilities = trial.answer(good_requests.without_class(trial.episodes[0], absent))
    what = "the probability of a class without support examples and 0"
    _equal(probabilities[..., absent], 0.0, what, 0.0)
    _equal(probabilities.sum(axis=-1), 1.0, "the sum of `probabilities` and 1", trial.tolerance)


def adapts_once_for_many_queries(trial: Trial) -> None:
    """`adapt` and then `predict` give what `serving_default` gives."""
    good = trial.episodes[0]
    adapted = trial.model.run(sig.ADAPT, {k: good[k] for k in (sig.SUPPORT_X, sig.SUPPORT_Y)})
    outputs = trial.model.run(sig.PREDICT, adapted | {sig.QUERY_X: good[sig.QUERY_X]})
    what = f"the answers of `{sig.ADAPT}` and `{sig.PREDICT}` and of `{sig.ADAPT_AND_PREDICT}`"
    _equal(outputs[trial.output], trial.answer(good), what, trial.tolerance)


def reads(encoded: Inputs) -> Check:
    """The check that `adapt_and_predict_encoded` gives what `serving_default` gives for the same
    episode with its labels in the order of `class_names` (which may change a learner's answer)."""

    def check(trial: Trial) -> None:
        outputs = trial.model.run(sig.ENCODED, encoded)
        names = [name.decode() for name in outputs[sig.CLASS_NAMES][0]]
        if not set(trial.class_names) <= set(names):
            raise CheckFailed(f"`class_names` must hold those of the request: got {names}")
        order = [names.index(name) for name in trial.class_names]
        answer = trial.answer(good_requests.relabelled(trial.episodes[0], order))
        what = f"the answers of `{sig.ENCODED}` and of `{sig.ADAPT_AND_PREDICT}`"
        _equal(outputs[sig.PROBABILITIES], answer, what, trial.tolerance)
        labels = np.array(outputs[sig.CLASS_NAMES][0])[outputs[sig.PREDICTIONS]]
        if (labels != outputs[sig.PREDICTED_LABELS]).any():
            raise CheckFailed("`predicted_labels` must be the names of `predictions`")

    return check


def refuses(bad: BadRequest) -> Check:
    """The check that a bad request is INVALID_ARGUMENT, with a sentence that names the input."""

    def check(trial: Trial) -> None:
        try:
            trial.model.run(bad.signature, bad.inputs)
        except tf.errors.InvalidArgumentError as error:
            said = error.message.splitlines()[0]
            if bad.blames and not any(name in said for name in bad.blames):
                blamed = " or ".join(f"`{name}`" for name in bad.blames)
                raise CheckFailed(f"the message must name {blamed}: got {said!r}") from None
        except tf.errors.OpError as error:
            said = error.message.splitlines()[0]
            kind = type(error).__name__
            raise CheckFailed(f"must be INVALID_ARGUMENT: got {kind}, {said!r}") from None
        else:
            raise CheckFailed("was answered, must be INVALID_ARGUMENT")

    return check


def checks(trial: Trial) -> Iterator[tuple[str, Check]]:
    """(name, check) of all that apply to this model."""
    yield "offers the agreed signature", offers_the_agreed_signature
    yield "calls no Python", calls_no_python
    if trial.spec.regression:
        yield "gives targets", gives_targets
    else:
        yield "gives probabilities", gives_probabilities
        yield "ignores padding", ignores_padding
        yield "gives absent classes nothing", gives_absent_classes_nothing
    yield "answers each query alone", answers_each_query_alone
    yield "keeps episodes apart", keeps_episodes_apart
    offered = trial.model.signatures
    if sig.ADAPT in offered and sig.PREDICT in offered:
        yield "adapts once for many queries", adapts_once_for_many_queries
    bad = bad_requests(trial.episodes[0], max_ways=trial.max_ways, spec=trial.spec)
    encoded = None
    if sig.ENCODED in offered:
        encoded = encoded_request(trial.episodes[0], trial.class_names, trial.spec)
    if encoded is not None:
        yield "reads encoded examples", reads(encoded)
        bad += bad_encoded_requests(encoded, spec=trial.spec)
    for request in bad:
        yield f"refuses {request.name}", refuses(request)


def _equal(came: np.ndarray, wanted: np.ndarray | float, what: str, tolerance: float) -> None:
    difference = np.abs(came - wanted).max()
    if not difference <= tolerance:  # a NaN is no equality either
        raise CheckFailed(f"{what} must be equal: they differ by {difference:.2g}")


def _names(dtypes: dict[str, tf.DType]) -> str:
    return ", ".join(f"{name} ({dtype.name})" for name, dtype in sorted(dtypes.items()))

"""Any shape of episode, answered by a running server as the learner itself answers it.

The learner here has neither been exported nor served: it is called on the same numbers.
"""

import numpy as np
import pytest

from tests.serving.exported.small_exports import MODELS, PICTURE, WAYS

pytestmark = pytest.mark.parametrize("name", ["images-maml", "images-protonet"])
CLASSES = ("fox", "owl", "elk", "bat", "cod")[:WAYS]


def draw(shots, queries: int, seed: int = 0):
    """(support set by class, queries): random pictures, `shots[n]` of class n."""
    rng = np.random.default_rng(seed)

    def pictures(count):
        return list(rng.integers(0, 256, (count, *PICTURE), dtype=np.uint8))

    support = {name: pictures(count) for name, count in zip(CLASSES, shots)}
    return support, pictures(queries)


def learners_own(name, support, queries):
    x = np.stack([picture for pictures in support.values() for picture in pictures])[None]
    y = np.repeat(np.arange(len(support)), [len(p) for p in support.values()])[None]
    return MODELS[name].answer(x, y.astype(np.int32), np.stack(queries)[None])[0]


def assert_answered_rightly(connect, name, shots, queries):
    support, queries_x = draw(shots, queries)
    answer = connect(name).classify(support, queries_x)
    assert answer.probabilities.shape == (queries, len(shots))
    np.testing.assert_allclose(answer.probabilities.sum(-1), 1, atol=1e-5)
    right = learners_own(name, support, queries_x)[:, : len(shots)]
    np.testing.assert_allclose(answer.probabilities, right, atol=1e-4)


def test_a_two_way_request_to_a_model_trained_five_way(connect, name):
    assert_answered_rightly(connect, name, shots=(1, 1), queries=4)


@pytest.mark.parametrize("queries", [1, 2, 17, 50])
def test_one_to_fifty_queries(connect, name, queries):
    assert_answered_rightly(connect, name, shots=(1,) * WAYS, queries=queries)


@pytest.mark.parametrize("shots", [1, 3, 20])
def test_one_to_twenty_support_examples_per_class(connect, name, shots):
    assert_answered_rightly(connect, name, shots=(shots,) * WAYS, queries=3)


@pytest.mark.parametrize("shots", [(1, 20), (3, 1, 7), (1, 2, 3, 4, 5)])
def test_uneven_support(connect, name, shots):
    assert_answered_rightly(connect, name, shots=shots, queries=5)


def test_adapt_then_predict_is_serving_default(connect, name):
    support, queries = draw((1, 2, 3), 6)
    client = connect(name)
    whole = client.classify(support, queries)
    adapted = client.adapt(support)
    parts = [adapted.classify([query]).probabilities[0] for query in queries]
    np.testing.assert_allclose(parts, whole.probabilities, atol=1e-6)

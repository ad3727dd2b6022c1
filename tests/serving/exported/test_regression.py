"""Float targets: vectors of numbers, and whole pictures, from a running server."""

import asyncio

import numpy as np
import pytest

from serving.client import AsyncFewShotClient
from serving.errors import UserError
from tests.serving.exported.small_exports import MODELS, PICTURE


def episode(name: str, seed: int = 0):
    """(support_x, support_y, query_x) of one episode, without the dimension E."""
    rng = np.random.default_rng(seed)
    if name == "numbers-maml":
        return rng.normal(size=(4, 2)), rng.normal(size=(4, 3)), rng.normal(size=(5, 2))
    images = [rng.integers(0, 256, (n, *PICTURE), dtype=np.uint8) for n in (4, 5)]
    return images[0], rng.uniform(size=(4, *PICTURE)), images[1]


def learners_own(name, x, y, q):
    dtype = MODELS[name].spec.dtype
    return MODELS[name].answer(
        x[None].astype(dtype), y[None].astype(np.float32), q[None].astype(dtype)
    )[0]


@pytest.mark.parametrize("name", ["numbers-maml", "pictures-anil"])
def test_targets_are_the_learners_own(connect, name):
    x, y, q = episode(name)
    client = connect(name)
    targets = client.regress(x, y, q)
    assert targets.dtype == np.float32 and targets.shape == (5, *y.shape[1:])
    np.testing.assert_allclose(targets, learners_own(name, x, y, q), atol=1e-4)
    adapted = client.adapt_to_targets(x, y)
    one_by_one = [adapted.regress(query[None])[0] for query in q]
    np.testing.assert_allclose(one_by_one, targets, atol=1e-5)


def test_several_episodes_at_once(connect):
    client = connect("numbers-maml")
    episodes = [episode("numbers-maml", seed) for seed in range(5)]

    async def predict_all():
        async with AsyncFewShotClient(client, in_flight=3) as several:
            return await asyncio.gather(*(several.regress(*one) for one in episodes))

    for one, targets in zip(episodes, asyncio.run(predict_all())):
        np.testing.assert_allclose(targets, learners_own("numbers-maml", *one), atol=1e-4)


def test_plain_lists_of_whole_numbers(connect):
    client = connect("numbers-maml")
    x, y, q = [[0, 1], [1, 0]], [[1, 2, 3], [3, 2, 1]], [[1, 1]]
    np.testing.assert_allclose(
        client.regress(x, y, q), client.regress(*(np.array(v, np.float32) for v in (x, y, q)))
    )


@pytest.mark.parametrize(
    "x, y, q, message",
    [
        ([[0.0, 1.0]], [], [[0.0, 0.0]], "one target for each example.* 1 examples and 0 targets"),
        ([], [], [[0.0, 0.0]], "at least one; got 0 examples"),
        ([[0.0, 1.0]], [[1.0, 2.0, 3.0]], [], "`queries` must hold at least one"),
        ([[0.0, 1.0]], [[1.0, 2.0]], [[0.0, 0.0]], r"`support_y` must have shape \[\?, \?, 3\]"),
        ([[0.0, 1.0]], [[1.0, 2.0, np.nan]], [[0.0, 0.0]], "`support_y` must be finite"),
    ],
)
def test_wrong_requests_are_one_sentence(connect, x, y, q, message):
    with pytest.raises(UserError, match=message):
        connect("numbers-maml").regress(x, y, q)


def test_a_picture_of_floats_is_not_cut_to_whole_numbers(connect):
    x, y, q = episode("pictures-anil")
    with pytest.raises(UserError, match="`support_x` must be uint8; got float64"):
        connect("pictures-anil").regress(x / 255, y, q)


def test_a_regression_model_has_no_classes(connect):
    with pytest.raises(UserError, match="is a regression model"):
        connect("numbers-maml").classify({"a": [np.zeros(2)]}, [np.zeros(2)])

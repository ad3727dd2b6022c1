import asyncio
import subprocess
import sys

import numpy as np
import pytest

from serving.client import AsyncFewShotClient, FewShotClient, StatusError
from serving.errors import UserError
from serving.protocol import status
from serving.saved_model import signatures as names
from tests.serving.nearest_centroid import episode, expected, png

EPISODE = episode(ways=3, shots=2, queries=7)
X, Y, Q = names.SUPPORT_X, names.SUPPORT_Y, names.QUERY_X


PNG = png(EPISODE[Q][0, 0])


def by_class(inputs=EPISODE):
    """The first episode's support set, classes named in reverse order of their labels."""
    x, y = inputs[X][0], inputs[Y][0]
    return {f"class-{n}": list(x[y == n]) for n in range(y.max(), -1, -1)}


def right(inputs=EPISODE):
    return expected(inputs)[0][:, ::-1]


def test_arrays(client):
    answer = client.classify(by_class(), list(EPISODE[Q][0]))
    assert answer.class_names == ["class-2", "class-1", "class-0"]
    np.testing.assert_allclose(answer.probabilities, right(), atol=1e-5)
    assert answer.labels == [answer.class_names[i] for i in right().argmax(-1)]


def test_image_files(client, tmp_path):
    support = {name: [png(image) for image in images] for name, images in by_class().items()}
    queries = []
    for number, image in enumerate(EPISODE[Q][0]):
        queries.append(tmp_path / f"{number}.png")
        queries[-1].write_bytes(png(image))
    answer = client.classify(support, queries)
    assert answer.class_names == list(support)
    np.testing.assert_allclose(answer.probabilities, right(), atol=1e-5)


def test_adapt_once_and_predict_many_times(client):
    adapted = client.adapt(by_class())
    whole = client.classify(by_class(), list(EPISODE[Q][0]))
    for query, row in zip(EPISODE[Q][0], whole.probabilities):
        answer = adapted.classify([query])
        assert answer.class_names == whole.class_names
        np.testing.assert_allclose(answer.probabilities[0], row, atol=1e-6)


def test_shared_inputs_are_given_once(client):
    predict = client.bind(names.PREDICT, client.run(names.ADAPT, {X: EPISODE[X], Y: EPISODE[Y]})[0])
    for rows in (slice(0, 2), slice(2, 7)):
        found = predict({Q: EPISODE[Q][:, rows]}).outputs[names.PROBABILITIES]
        np.testing.assert_allclose(found, expected(EPISODE)[:, rows], atol=1e-5)


def test_shared_inputs_are_checked_before_anything_is_sent(client, monkeypatch):
    monkeypatch.setattr(client._transport, "bind", lambda *_: None)
    labels, two = {Y: EPISODE[Y]}, episode(episodes=2)
    with pytest.raises(UserError, match=r"inputs of `predict` must be .*; got `support_y`"):
        client.bind(names.PREDICT, labels)
    with pytest.raises(UserError, match="`support_y` must be int32; got float64"):
        client.bind(names.ADAPT_AND_PREDICT, {Y: EPISODE[Y] / 2})
    with pytest.raises(UserError, match="got `query_x`, `support_y`"):
        client.bind(names.ADAPT_AND_PREDICT, labels)({Q: EPISODE[Q]})
    with pytest.raises(UserError, match="All inputs must have as many episodes"):
        client.bind(names.ADAPT_AND_PREDICT, labels)({X: EPISODE[X], Q: two[Q]})


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_a_stream_is_answered_in_chunks_without_being_read_ahead(client, chunk):
    read = []

    def queries():
        for image in EPISODE[Q][0]:
            read.append(image)
            yield image

    rows = []
    for answer in client.stream(by_class(), queries(), chunk=chunk):
        rows.extend(answer.probabilities)
        assert len(read) == len(rows)
    np.testing.assert_allclose(rows, right(), atol=1e-5)


def test_a_stream_of_files(client):
    support = {name: [png(image) for image in images] for name, images in by_class().items()}
    answers = client.stream(support, map(png, EPISODE[Q][0]), chunk=4)
    rows = np.concatenate([answer.probabilities for answer in answers])
    np.testing.assert_allclose(rows, right(), atol=1e-5)


def test_many_episodes_in_one_request(client):
    inputs = episode(episodes=3)
    lists = {name: array.tolist() for name, array in inputs.items()} | {X: inputs[X], Q: inputs[Q]}
    reply = client.run(names.ADAPT_AND_PREDICT, lists)
    np.testing.assert_allclose(reply.outputs[names.PROBABILITIES], expected(inputs), atol=1e-5)


def test_asyncio_keeps_the_order_of_a_stream(client):
    async def ask():
        async with AsyncFewShotClient(client, in_flight=3) as several:
            adapted = await several.adapt(by_class())
            rows = []
            async for answer in several.stream(adapted, EPISODE[Q][0], chunk=2):
                rows.extend(answer.probabilities)
            whole = await several.classify(by_class(), list(EPISODE[Q][0]))
            part = await several.predict(adapted, [EPISODE[Q][0, 0]])
        return np.array(rows), whole.probabilities, part.probabilities

    rows, whole, part = asyncio.run(ask())
    np.testing.assert_allclose(rows, right(), atol=1e-5)
    np.testing.assert_allclose(whole, right(), atol=1e-5)
    np.testing.assert_allclose(part, right()[:1], atol=1e-5)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({Y: None}, "inputs of `serving_default` must be `query_x`, `support_x`, `support_y`; got"),
        (
            {X: EPISODE[X][0]},
            r"`support_x` must have shape \[\?, \?, 4, 4, 1\]; got \[6, 4, 4, 1\]",
        ),
        ({X: EPISODE[X] / 255}, "`support_x` must be uint8; got float64: convert it first"),
        ({Y: EPISODE[Y].astype(np.int64) + 2**33}, "`support_y` must be int32; got int64"),
        ({Y: EPISODE[Y][:, :2]}, r"must have the \[E, S\] of `support_x`, \[1, 6\]; got \[1, 2\]"),
        ({Q: episode(episodes=2)[Q]}, "All inputs must have as many episodes"),
        ({X: EPISODE[X][:, :0], Y: EPISODE[Y][:, :0]}, "must have at least one example"),
    ],
)
def test_a_request_that_does_not_fit_is_not_sent(client, monkeypatch, changes, message):
    inputs = {k: v for k, v in (EPISODE | changes).items() if v is not None}
    assert client.signatures
    monkeypatch.setattr(client._transport, "bind", lambda *_: None)  # nothing that could send
    with pytest.raises(UserError, match=message):
        client.run(names.ADAPT_AND_PREDICT, inputs)


def test_labels_of_another_width_are_converted(client):
    reply = client.run(names.ADAPT_AND_PREDICT, EPISODE | {Y: EPISODE[Y].astype(np.int64)})
    np.testing.assert_allclose(reply.outputs[names.PROBABILITIES], expected(EPISODE), atol=1e-5)


@pytest.mark.parametrize(
    "support, queries, message",
    [
        ({}, [EPISODE[Q][0, 0]], "`support` must have at least one example of every class"),
        ({"a": []}, [EPISODE[Q][0, 0]], "`support` must have at least one example of every class"),
        (by_class(), [], "`queries` must hold at least one example"),
        ({"a": ["cat.png"]}, ["b.png"], "must be one that can be read; 'cat.png': no such file"),
        ({"a": [b"x"], "b": [np.zeros((4, 4, 1))]}, [b"x"], "of 1 bytes .*: it is not a png"),
        ({"a": [np.zeros((4, 4, 1)), np.zeros((5, 4, 1))]}, [np.zeros((4, 4, 1))], "of one shape"),
        ({"a": [np.zeros((4, 4, 1))]}, [PNG], r"beside files it must be uint8 \[h, w, 1 or 3\]"),
        ({"a": [PNG, 3]}, [PNG], "must be a file, an image or a text; got a int"),
    ],
)
def test_examples_that_are_wrong(client, support, queries, message):
    with pytest.raises(UserError, match=message):
        client.classify(support, queries)


def test_files_cannot_be_adapted_to_once(client):
    with pytest.raises(UserError, match="use `classify`"):
        client.adapt({"a": [b"x"]})


def test_an_unknown_signature_is_named_with_those_there_are(client):
    with pytest.raises(UserError, match=r"no signature `foo`; it offers .*`adapt`"):
        client.run("foo", {})


def test_faults_of_the_model_keep_their_code_and_message(client):
    with pytest.raises(StatusError) as error:
        client.run(names.ADAPT_AND_PREDICT, EPISODE | {Y: EPISODE[Y] - 5})
    assert error.value.code == status.INVALID_ARGUMENT
    assert "`support_y` must lie in 0..N-1" in error.value.message


def test_unknown_models_and_labels(server):
    for target in (f"localhost:{server.port}", f"http://localhost:{server.rest_port}"):
        with FewShotClient.connect(target, "none") as client, pytest.raises(StatusError) as error:
            client.signatures  # noqa: B018
        assert error.value.code == status.NOT_FOUND
        with FewShotClient.connect(target, "few_shot", label="stable") as client:
            reply = client.run(names.ADAPT_AND_PREDICT, EPISODE)
        np.testing.assert_allclose(reply.outputs[names.PROBABILITIES], expected(EPISODE), atol=1e-5)


def test_targets_that_are_none(tmp_path):
    with pytest.raises(UserError, match="must be an existing folder, zoo:NAME, host:port"):
        FewShotClient.connect("absent/folder")
    with pytest.raises(UserError, match=r"must be a folder with saved_model\.pb"):
        FewShotClient.connect(str(tmp_path))


@pytest.mark.parametrize("target", ["http://localhost:1", "localhost:1"])
def test_the_network_clients_import_no_tensorflow(target):
    code = (
        "import sys; from serving.client import FewShotClient; "
        f"FewShotClient.connect({target!r}); "
        "assert not {'tensorflow', 'tfx', 'tensorflow_serving'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_classifier_does_not_regress(client):
    with pytest.raises(UserError, match="gives no targets"):
        client.regress(EPISODE[X][0], EPISODE[Y][0], EPISODE[Q][0])


def test_files_arrays_and_pil_images_may_be_mixed(client):
    """However an image is given, the answer is the same."""
    Image = pytest.importorskip("PIL.Image")
    support = by_class()
    first, *others = support
    support[first] = [png(image) for image in support[first]]
    queries = [Image.fromarray(EPISODE[Q][0, 0][..., 0]), *EPISODE[Q][0, 1:]]
    np.testing.assert_allclose(client.classify(support, queries).probabilities, right(), atol=1e-5)
    assert others

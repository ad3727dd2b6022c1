"""A server's log of requests as class data: the loop from the log to episodes, and mistakes."""

from pathlib import Path

import numpy as np
import pytest
from tensorflow_serving.apis import predict_pb2, regression_pb2

from components.episode_gen.assemble import assemble
from components.episode_gen.catalogue import build_catalogue
from components.episode_gen.check import check_data
from components.episode_gen.copies import without_copies
from components.episode_gen.options import DataOptions, EpisodeCounts, EpisodeOptions
from components.episode_gen.sources import open_source
from components.episode_gen.table import make_planner
from components.episodes.format import decode_episode
from serving.errors import UserError
from serving.files.pictures import to_png
from serving.files.wav import to_wav
from serving.model_server.request_log.disk import LogFiles
from serving.model_server.request_log.messages import prediction_log
from serving.protocol.tensors import as_array, write_tensor
from serving.request_log.files import find_log_files
from serving.saved_model import signatures as names

RNG = np.random.default_rng(0)


def image(*shape) -> np.ndarray:
    return RNG.integers(0, 256, shape or (8, 8, 1), np.uint8)


def vectors(*numbers, size=3) -> list[np.ndarray]:
    return [np.full(size, number, np.float32) for number in numbers]


class Log:
    """Writes requests as a server does."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.files = folder, LogFiles(2**24)

    def add(self, signature="", *, model="m", **inputs) -> None:
        request, response = predict_pb2.PredictRequest(), predict_pb2.PredictResponse()
        for message in (request, response):
            message.model_spec.name = model
            message.model_spec.signature_name = signature
        for name, values in inputs.items():
            write_tensor(as_array(values), request.inputs[name])
        pieces = prediction_log("Predict", request, response, 1.0)
        self.files.write(self.folder / "requests", pieces)

    def sets(self, *episodes, **options) -> None:
        """Adds a request of episodes, each a dictionary of label to examples."""
        x = [[example for some in one.values() for example in some] for one in episodes]
        y = [[label for label, some in one.items() for _ in some] for one in episodes]
        named = isinstance(y[0][0], str)
        labels = {names.SUPPORT_LABELS: y} if named else {names.SUPPORT_Y: np.array(y, np.int32)}
        self.add(support_x=x if named else np.array(x), query_x=[b"q"], **labels, **options)


@pytest.fixture
def log(tmp_path):
    made = Log(tmp_path / "log")
    yield made
    made.files.close()


def options(log, **more) -> DataOptions:
    return DataOptions(**{"source": "served", "path": str(log.folder), "image_size": 8} | more)


def read(data: DataOptions) -> dict[str, bytes]:
    """The content of each example, read by parts, each by a source that is opened anew."""
    parts = open_source(data).parts()
    stored = [one for part in parts for one in open_source(data).read(part)]
    assert len({one.example_id for one in stored}) == len(stored)
    return {one.example_id: one.content for one in stored}


def classes(data: DataOptions) -> dict[str, list[bytes]]:
    """The contents of each class, copies left out."""
    source, stored = open_source(data), read(data)
    catalogue = build_catalogue(source.catalogue(), by_group=data.split_by == "group")
    catalogue, _ = without_copies(catalogue, source.copies)
    return {name: [stored[one] for one in ids] for name, ids in catalogue.examples.items()}


def groups(data: DataOptions) -> list[set[str]]:
    """The names of the classes of each group."""
    found: dict[str, set[str]] = {}
    for entry in open_source(data).catalogue():
        found.setdefault(entry.group, set()).add(entry.class_name)
    return list(found.values())


def test_episodes_hold_the_support_examples_that_were_sent(log):
    sent = [{label: [image() for _ in range(3)] for label in range(2)} for _ in range(3)]
    log.sets(*sent[:2])
    log.sets(sent[2])
    log.sets(sent[0])  # with other queries; it is the same support set
    log.sets({1 - label: some[::-1] for label, some in sent[1].items()})  # and in another order
    shape = EpisodeOptions(ways=2, shots=2, queries=1, counts=EpisodeCounts(8, 0, 0))
    data = options(log, split_counts=(6, 0, 0))
    checked = check_data(data, shape)
    assert len(checked.catalogue.examples) == 6 and not checked.copies
    stored = read(data)
    planner = make_planner(checked.spec, shape, checked.catalogue, checked.splits, checked.across)
    expected = {
        frozenset(example.tobytes() for example in some) for one in sent for some in one.values()
    }
    for index in range(8):
        episode = decode_episode(
            assemble(planner, "train", index, stored.__getitem__), checked.spec
        )
        labels = [*episode.support_y, *episode.query_y]
        examples = [*episode.support_x, *episode.query_x]
        for label in range(2):
            held = {x.tobytes() for x, y in zip(examples, labels) if y == label}
            assert frozenset(held) in expected


def test_a_name_is_one_class_over_all_requests_and_equal_examples_are_one(log):
    first, second, third = ([to_png(image(8, 8, 3)) for _ in range(2)] for _ in range(3))
    log.sets({"fox": first, "owl": second}, signature=names.ENCODED)
    log.sets({"fox": first[:1] + third, "owl": second}, signature=names.ENCODED)
    found = classes(options(log, image_channels=3))
    assert {name: len(contents) for name, contents in found.items()} == {"fox": 4, "owl": 2}
    assert all(len(content) == 8 * 8 * 3 for content in found["fox"])
    assert groups(options(log, image_channels=3)) == [{"fox", "owl"}]
    kept = open_source(options(log, image_channels=3, copies="keep"))
    assert kept.copies == {} and len(list(kept.catalogue())) == 9


def test_by_group_a_name_is_a_class_of_its_own_in_unrelated_requests(log):
    for texts in (["hello", "hi"], ["bye", "see you"]):
        log.sets({"a": texts[:1], "b": texts[1:]}, signature=names.ENCODED)
    assert {name: len(contents) for name, contents in classes(options(log)).items()} == {
        "a": 2,
        "b": 2,
    }
    assert len(classes(options(log, split_by="group"))) == 4


def test_of_a_support_set_that_grows_the_last_is_taken(log):
    log.sets({0: vectors(1), 1: vectors(2)})
    log.sets({0: vectors(1, 3), 1: vectors(2)})
    log.sets({0: vectors(1, 3), 1: vectors(2, 4), 2: vectors(5)})
    found = classes(options(log))
    sizes = sorted(len(contents) for contents in found.values())
    assert sizes == [1, 2, 2]
    assert len(open_source(options(log)).ignored) == 4


def test_support_sets_that_share_an_example_are_one_group(log):
    log.sets({0: vectors(1, 2), 1: vectors(3)})
    log.sets({0: vectors(4, 5), 1: vectors(6)})
    log.sets({0: vectors(6, 7), 1: vectors(2, 8)})  # shares one with each of the others
    log.sets({0: vectors(9, 10)})
    assert sorted(map(len, groups(options(log)))) == [1, 6 - 1]


def test_padding_is_left_out(log):
    log.add(
        support_x=np.stack([vectors(1, 2, 0)]),
        support_y=np.array([[0, 1, names.PADDING_LABEL]], np.int32),
        query_x=np.zeros([1, 1, 3], np.float32),
    )
    log.add(names.ENCODED, model="m", support_x=[["x"]], support_labels=[[""]], query_x=[["x"]])
    assert sorted(map(len, classes(options(log)).values())) == [1, 1]


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_tensors_are_stored_bit_for_bit(log, dtype):
    x = (image() if dtype == np.uint8 else RNG.normal(size=(5,))).astype(dtype)
    log.sets({0: [x]})
    ((content,),) = classes(options(log)).values()
    assert content == x.tobytes()


def test_texts_recordings_and_vectors(tmp_path):
    samples = RNG.uniform(-1, 1, 1600).astype(np.float32)
    cases = {
        "text": ({"a": ["BMW is a car"], "b": ["GIF89a is no picture"]}, {}, "string"),
        "audio": ({"a": [to_wav(samples, 16_000)], "b": [to_wav(-samples, 16_000)]}, {}, "float32"),
        "vector": ({0: vectors(1), 1: vectors(2)}, {}, "float32"),
    }
    for modality, (one, more, dtype) in cases.items():
        log = Log(tmp_path / modality)
        log.sets(one)
        log.files.close()
        data = options(log, **more)
        spec = open_source(data).spec
        assert (spec.modality, spec.dtype) == (modality, dtype)
        assert len(classes(data)) == 2
    log = Log(tmp_path / "tensors of speech")
    log.sets({0: [samples], 1: [-samples]})
    log.files.close()
    assert open_source(options(log)).spec.modality == "vector"
    assert open_source(options(log, modality="audio")).spec.sample_rate == 16_000
    ((content,), _) = classes(options(log, modality="audio")).values()
    assert content == samples.tobytes()


def test_requests_without_a_support_set_are_counted_and_named(log):
    log.sets({0: vectors(1, 2)})
    for _ in range(2):
        log.add(names.PREDICT, adapted_w=np.zeros([1, 3], np.float32), query_x=[[1.0]])
    log.add(names.PREDICT_ON_SERVER, adapted_handle=[b"h"], query_x=[[1.0]])
    log.add(names.FROM_FEATURES, support_x=np.zeros([1, 1, 4], np.float32), support_y=[[0]])
    log.add("other", x=[1.0])
    log.add(support_x=np.zeros([1, 1, 3], np.float32), support_y=np.zeros([1, 1, 1], np.float32))
    regress, answer = regression_pb2.RegressionRequest(), regression_pb2.RegressionResponse()
    answer.model_spec.name, answer.model_spec.signature_name = "m", "r"
    log.files.write(log.folder / "requests", prediction_log("Regress", regress, answer, 1.0))
    source = open_source(options(log))
    assert len(list(source.catalogue())) == 2
    assert source.ignored["2 requests to predict"].startswith("a request has adapted weights")
    assert len(source.ignored) == 6


def test_what_is_written_while_the_log_is_read_changes_nothing(log):
    log.sets({0: vectors(1, 2)})
    source = open_source(options(log))
    before = {entry.example_id for entry in source.catalogue()}
    (part,) = source.parts()
    log.sets({0: vectors(3, 4)})
    log.files.close()  # which renames the file
    assert {one.example_id for one in source.read(part)} == before
    assert {one.example_id for one in open_source(options(log)).read(part)} == before
    assert open_source(options(log)).fingerprint() != source.fingerprint()
    (path,) = find_log_files(log.folder)
    path.unlink()
    with pytest.raises(UserError, match="the request log changed while it was read: requests-"):
        list(source.read(part))


def refusal(data: DataOptions) -> str:
    with pytest.raises(UserError) as error:
        list(open_source(data).catalogue())
    return str(error.value)


def test_a_user_s_mistakes(log, tmp_path):
    with pytest.raises(ValueError, match="must be a folder of a server's request log"):
        DataOptions(source="served")
    assert "is not there" in refusal(options(log))
    log.folder.mkdir()
    assert "holds none. `fewshot serve --log-requests` writes them" in refusal(options(log))
    (log.folder / "a.tfrecord").touch()
    assert "has no whole record" in refusal(options(log))
    log.add("score", x=[1.0])
    assert (
        "has none (1 requests to 'score': a request has no inputs `support_x` and `support_y`)"
        in refusal(options(log))
    )
    log.sets({0: [image(6, 6, 1)]})
    assert "got 8 and 1, and record 1 of requests-" in refusal(options(log))
    log.sets({0: vectors(1)}, model="other")
    assert "`data.name` must name the model" in refusal(options(log, image_size=6))
    assert "as 'm', 'other': got 'x'" in refusal(options(log, name="x"))
    assert len(classes(options(log, name="other"))) == 1
    log.sets({0: vectors(1, size=4)}, model="other")
    assert "float32 [3], and record 3 of" in refusal(options(log, name="other"))
    log.sets({0: [np.zeros(3, np.int64)]}, model="ints")
    assert "has int64 [3]" in refusal(options(log, name="ints"))
    assert "support sets of text examples" in refusal(options(log, name="ints", modality="text"))


def test_examples_and_files_that_cannot_be_read(log):
    log.sets({"a": [to_png(image(9, 9, 3)), to_png(image(90, 90, 3))], "b": [b"\x89PNG\r\n\x1a\n"]})
    data = options(log, max_pixels=1000)
    assert "an example of record 0 of requests-" in refusal(data)
    skipping = options(log, max_pixels=1000, unreadable="skip")
    source = open_source(skipping)
    assert [entry.class_name for entry in source.catalogue()] == ["a"]
    assert len(source.skipped) == 2
    assert len(read(skipping)) == 1
    log.files.close()
    (path,) = find_log_files(log.folder)
    path.write_bytes(path.read_bytes() + b"." * 40)
    assert "is damaged after 1 records" in refusal(data)
    assert len(open_source(skipping).skipped) == 3

"""The files of the request log: what is drawn, its bounds, full disks and damaged files."""

import os
import threading
from pathlib import Path

import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from serving.errors import UserError
from serving.model_server.request_log import disk, log
from serving.model_server.request_log.disk import LogFiles
from serving.model_server.request_log.log import RequestLog
from serving.model_server.request_log.target import LogTarget
from serving.request_log.files import find_log_files, read_records
from tests.serving.model_server.watching import until


def records(folder: Path) -> list:
    return [record for path in find_log_files(folder) for record in read_records(path)]


def message(text: str = "x", size: int = 0):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = text
    request.inputs["x"].string_val.append(b"." * size)
    return request, predict_pb2.PredictResponse()


@pytest.fixture
def request_log(tmp_path):
    """Makes logs into `tmp_path`, closed after the test."""
    made = []

    def make(rate=1.0, *, max_bytes=2**20, queue_bytes=2**20, seed=None, folder=tmp_path):
        target = LogTarget(folder / "requests", rate)
        made.append(
            RequestLog(lambda _: target, max_bytes=max_bytes, queue_bytes=queue_bytes, seed=seed)
        )
        return made[-1]

    yield make
    for one in made:
        one.close()


def count(one: RequestLog, name: str) -> int:
    return {metric: value for metric, _, value in one.metrics()}[name]


def test_the_share_that_is_drawn(request_log):
    drawn = request_log(0.25, seed=7)
    for number in range(1000):
        drawn.add("Predict", "m", lambda number=number: message(str(number)))
    drawn.close()
    assert count(drawn, "records") == 277  # of this seed


def test_equal_seeds_draw_the_same_requests(request_log, tmp_path):
    for name in ("one", "two"):
        drawn = request_log(0.5, seed=3, folder=tmp_path / name)
        for number in range(50):
            drawn.add("Predict", "m", lambda number=number: message(str(number)))
        drawn.close()
    one, two = (
        [record.predict_log.request.model_spec.name for record in records(tmp_path / name)]
        for name in ("one", "two")
    )
    assert one == two and 10 < len(one) < 40


def test_methods_that_run_no_model_are_not_logged(request_log, tmp_path):
    request_log().add("GetModelStatus", "m", message)
    assert records(tmp_path) == []


def test_all_files_stay_within_the_bound_and_the_oldest_goes(tmp_path, caplog):
    files, prefix = LogFiles(4000), tmp_path / "requests"
    for number in range(40):
        assert files.write(prefix, [b"%03d" % number, b"." * 200])
        assert sum(path.stat().st_size for path in find_log_files(tmp_path)) <= 4000
    files.close()
    kept = [
        int(record[:3])
        for path in find_log_files(tmp_path)
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    ]
    assert kept == list(range(40))[-len(kept) :] and len(kept) > 10
    assert files.deleted and "deletes its oldest file" in caplog.text
    assert not files.write(prefix, [b"." * 4000])
    assert len(find_log_files(tmp_path)) > 1  # nothing made room for what never fits


def test_files_of_earlier_servers_count_and_other_files_stay(tmp_path):
    prefix = tmp_path / "requests"
    earlier = LogFiles(4000)
    for _ in range(10):
        earlier.write(prefix, [b"." * 300])
    earlier.close()
    (tmp_path / "requests-notes.tfrecord").write_bytes(b"." * 3000)
    later = LogFiles(2000)
    later.write(prefix, [b"." * 300])
    later.close()
    sizes = {path.name: path.stat().st_size for path in find_log_files(tmp_path)}
    assert sizes.pop("requests-notes.tfrecord") == 3000
    assert 0 < sum(sizes.values()) <= 2000


def test_a_full_queue_drops_and_counts(request_log, monkeypatch):
    held, free = threading.Event(), threading.Event()
    write = LogFiles.write

    def slow(*arguments):
        held.set()
        assert free.wait(30)
        return write(*arguments)

    monkeypatch.setattr(LogFiles, "write", slow)
    one = request_log(queue_bytes=1000)
    for _ in range(10):
        one.add("Predict", "m", lambda: message(size=300))
        assert count(one, "queue_bytes") <= 1000
    assert held.wait(30)
    assert count(one, "dropped_queue_full") == 8
    one.add("Predict", "m", lambda: message(size=1000))  # more than ever fits
    free.set()
    one.close()
    assert (count(one, "records"), count(one, "dropped_queue_full")) == (2, 9)
    assert count(one, "queue_bytes") == 0


def test_a_disk_that_takes_nothing_costs_one_line_and_no_request(request_log, tmp_path, caplog):
    (tmp_path / "file").touch()
    one = request_log(folder=tmp_path / "file")
    for _ in range(20):
        one.add("Predict", "m", message)
    one.close()
    assert count(one, "dropped_disk_failed") == 20
    assert [r.message for r in caplog.records if "is not written" in r.message] != []
    assert len([r for r in caplog.records if "is not written" in r.message]) == 1


def test_after_a_full_disk_the_whole_records_stay(request_log, tmp_path, monkeypatch):
    writer = tf.io.TFRecordWriter

    class Full(writer):
        def write(self, record):
            super().write(record)
            if b"last" in record:
                self.flush()
                raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(disk.tf.io, "TFRecordWriter", Full)
    monkeypatch.setattr(log, "_PAUSE_SECONDS", 0.0)
    one = request_log()
    for text in ("first", "last", "next"):
        one.add("Predict", "m", lambda text=text: message(text))
    one.close()
    logged = [record.predict_log.request.model_spec.name for record in records(tmp_path)]
    assert logged == ["first", "next"]


def test_the_whole_records_of_an_unfinished_file_are_read(request_log, tmp_path):
    one = request_log()
    for text in ("first", "second", "third"):
        one.add("Predict", "m", lambda text=text: message(text))
    until(lambda: count(one, "records") == 3)
    (path,) = find_log_files(tmp_path)
    assert path.name.startswith(".") and path.name.endswith(".partial")
    size = path.stat().st_size
    copy = tmp_path / "killed" / path.name
    copy.parent.mkdir()
    for cut, whole in ((0, 3), (1, 2), (size // 3 + 5, 1), (size, 0)):
        copy.write_bytes(path.read_bytes()[: size - cut])
        assert len(records(copy.parent)) == whole
    # The next server finishes it, but not one that is in use.
    copy.write_bytes(path.read_bytes()[: size - 1])
    for folder in (copy.parent, tmp_path):
        later = LogFiles(2**20)
        later.write(folder / "requests", [b"x"])
        later.close()
    assert not copy.exists() and path.exists()
    assert len(find_log_files(copy.parent)) == 2


def test_a_damaged_file_is_named(tmp_path):
    files = LogFiles(2**20)
    for _ in range(3):
        files.write(tmp_path / "requests", [b"\x0a\x00"])
    files.close()
    (path,) = find_log_files(tmp_path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="is damaged after 1 records"):
        records(tmp_path)


def test_files_that_someone_deleted_are_forgotten(tmp_path):
    files = LogFiles(1000)
    for _ in range(8):
        files.write(tmp_path / "requests", [b"." * 200])
        for path in find_log_files(tmp_path):
            if not path.name.startswith("."):
                os.unlink(path)
    files.close()
    assert files.deleted == 0


def test_what_cannot_be_written_as_a_message_is_counted(request_log, caplog):
    one = request_log()
    one.add("Predict", "m", lambda: 1 / 0)
    assert count(one, "dropped_failed") == 1 and count(one, "queue_bytes") == 0
    assert "A Predict request to model m cannot be logged" in caplog.text

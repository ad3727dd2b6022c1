"""Object storage, on fsspec's in memory."""

import json
import socket

import fsspec
import pytest

from serving.errors import UserError
from serving.model_versions import object_storage as storage


@pytest.fixture
def memory():
    filesystem = fsspec.filesystem("memory")
    if filesystem.exists("/models"):
        filesystem.rm("/models", recursive=True)
    return filesystem


@pytest.fixture
def model(tmp_path):
    (tmp_path / "model/variables").mkdir(parents=True)
    (tmp_path / "model/saved_model.pb").write_bytes(b"graph")
    (tmp_path / "model/variables/variables.index").write_bytes(b"index")
    return tmp_path / "model"


def test_a_version_is_published_with_its_marker_last(memory, model, monkeypatch):
    put = []
    original = type(memory).put_file
    monkeypatch.setattr(
        type(memory),
        "put_file",
        lambda self, local, remote, **kw: (put.append(remote), original(self, local, remote, **kw)),
    )
    url = storage.publish(model, "memory://models/m", now=100)
    assert url == "memory://models/m/100"
    assert put[-1].endswith("100/saved_model.pb") and len(put) == 2
    assert memory.cat_file("/models/m/100/variables/variables.index") == b"index"


def test_versions_grow_even_if_the_clock_does_not(memory, model):
    urls = [storage.publish(model, "memory://models/m", now=now) for now in (100, 100, 5)]
    assert [url.rpartition("/")[2] for url in urls] == ["100", "101", "102"]


def test_what_was_published_is_fetched(memory, model, tmp_path, monkeypatch):
    url = storage.publish(model, "memory://models/m", now=1)
    find = memory.find
    # The marker of a folder, which some tools leave.
    monkeypatch.setattr(
        type(memory),
        "find",
        lambda self, root: [*found, f"{root}/variables/"] if (found := find(root)) else [],
    )
    storage.fetch(url, str(tmp_path / "copy"))
    found = {str(p.relative_to(tmp_path / "copy")) for p in (tmp_path / "copy").rglob("*.*")}
    assert found == {"saved_model.pb", "variables/variables.index"}
    with pytest.raises(FileNotFoundError):
        storage.fetch("memory://models/nothing", str(tmp_path / "none"))


@pytest.mark.parametrize("remote", [True, False])
def test_a_small_file_is_written_and_read(memory, tmp_path, remote):
    location = "memory://models/m/blessed.json" if remote else str(tmp_path / "a/b.json")
    assert storage.read_json(location) is None
    storage.write_json(location, {"model": "x"})
    storage.write_json(location, {"model": "y"})
    assert storage.read_json(location) == {"model": "y"}
    if not remote:
        assert [p.name for p in (tmp_path / "a").iterdir()] == ["b.json"]
        assert json.loads((tmp_path / "a/b.json").read_text()) == {"model": "y"}


def test_minio_is_s3_at_the_endpoint_of_the_environment(monkeypatch):
    arguments = {}
    monkeypatch.setattr(fsspec, "filesystem", lambda kind, **kw: arguments.update(kind=kind, **kw))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://minio:9000")
    _, path = storage.open_filesystem("minio://bucket/a/b?region=x")
    assert path == "bucket/a/b"
    assert arguments == {"kind": "s3", "endpoint_url": "http://minio:9000"}


@pytest.fixture
def hosts(monkeypatch):
    """The hosts that exist: name -> None, or the error of its look-up."""
    known = {}

    def look_up(host, port):
        if known.get(host, socket.EAI_NONAME) is not None:
            raise socket.gaierror(known.get(host, socket.EAI_NONAME), "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(fsspec, "filesystem", lambda kind, endpoint_url: endpoint_url)
    storage._kubeflow_endpoint.cache_clear()
    yield known
    storage._kubeflow_endpoint.cache_clear()


@pytest.mark.parametrize("host", ["seaweedfs.kubeflow", "minio-service.kubeflow"])
def test_the_object_storage_of_old_and_new_kubeflows_is_found(hosts, host):
    hosts[host] = None
    assert storage.open_filesystem("minio://bucket/a") == (f"http://{host}:9000", "bucket/a")


def test_without_kubeflow_s_object_storage_a_sentence_says_what_to_set(hosts):
    with pytest.raises(UserError, match=r"AWS_ENDPOINT_URL must name .* http://HOST:9000"):
        storage.open_filesystem("minio://bucket/a")
    # No answer of the name server may pass: no mistake of the user's, so the step is retried.
    hosts["seaweedfs.kubeflow"] = socket.EAI_AGAIN
    with pytest.raises(ConnectionError):
        storage.open_filesystem("minio://bucket/a")
    hosts["seaweedfs.kubeflow"] = None
    assert storage.open_filesystem("minio://bucket/a")[0] == "http://seaweedfs.kubeflow:9000"

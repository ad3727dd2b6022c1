"""`zoo:NAME` is a folder for all that takes a model, of nothing but the file of the index."""

import dataclasses
import http.server
import tarfile
import threading
from functools import partial

import pytest
from click.testing import CliRunner

from serving import atomic
from serving.errors import UserError
from serving.model_server import command
from serving.model_server.model_config import read_config_file
from serving.zoo import fetch, index, packing


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FEWSHOT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("FEWSHOT_ZOO", raising=False)
    return tmp_path / "cache"


def publish(place, name="letters", version=1, content=b"graph", **more) -> index.Entry:
    """Packs a folder that looks like a model, and adds it to the index of `place`."""
    folder = place.parent / f"{name}-{version}"
    (folder / str(version)).mkdir(parents=True)
    (folder / str(version) / "saved_model.pb").write_bytes(content)
    file = place / f"{name}-{version}.tar.xz"
    packing.pack(folder, file)
    values = {field.name: None for field in dataclasses.fields(index.Entry)} | {
        "name": name,
        "version": version,
        "file": file.name,
        "size": file.stat().st_size,
        "sha256": packing.sha256_of(file),
        "place": place,
    }
    entry = index.Entry(**values | more)
    index.add_entry(entry)
    return entry


@pytest.fixture
def zoo(tmp_path, monkeypatch, cache):
    folder = tmp_path / "own"
    publish(folder)
    publish(folder, version=2, content=b"newer")
    monkeypatch.setenv("FEWSHOT_ZOO", str(folder))
    monkeypatch.setattr(index, "PACKAGED", tmp_path / "none")
    return folder


@pytest.fixture
def site(tmp_path):
    """A web server of the folder `site`."""
    (tmp_path / "site").mkdir()
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path / "site")
    handler.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", tmp_path / "site"
        server.shutdown()


def test_the_newest_version_unless_another_is_named(zoo):
    newest = fetch.local_folder("zoo:letters")
    assert (index.Path(newest) / "2/saved_model.pb").read_bytes() == b"newer"
    assert (index.Path(fetch.local_folder("zoo:letters@1")) / "1/saved_model.pb").exists()


def test_other_targets_stay_as_they_are(cache):
    assert fetch.local_folder("localhost:8500") == "localhost:8500"


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("zoo:leters", "did you mean zoo:letters?"),
        ("zoo:", "see `fewshot zoo list`"),
        ("zoo:letters@3", "must be one of 1, 2: got '3'"),
    ],
)
def test_a_name_that_is_none(zoo, target, sentence):
    with pytest.raises(UserError) as error:
        fetch.local_folder(target)
    assert sentence in str(error.value)


def test_a_second_time_nothing_is_read_again(zoo):
    folder = fetch.local_folder("zoo:letters")
    (zoo / "letters-2.tar.xz").unlink()
    assert fetch.local_folder("zoo:letters") == folder


def test_a_file_that_is_not_the_one_of_the_index_is_refused_and_leaves_nothing(zoo, cache):
    (zoo / "letters-2.tar.xz").write_bytes((zoo / "letters-1.tar.xz").read_bytes())
    with pytest.raises(UserError, match=r"letters-2.tar.xz must be the file of the index.*sha256"):
        fetch.local_folder("zoo:letters")
    assert list(cache.rglob("*saved_model.pb")) == [] and not list(cache.rglob("*.partial"))


def test_a_model_that_is_not_beside_its_index_is_fetched_once(zoo, site, cache):
    url, folder = site
    entry = publish(zoo, name="far", url=f"{url}/far-1.tar.xz")
    entry.beside_index.rename(folder / entry.file)
    found = fetch.fetch(entry)
    assert (found / "1/saved_model.pb").read_bytes() == b"graph"
    assert not list(found.glob("*.tar.xz"))
    (folder / entry.file).unlink()
    assert fetch.fetch(entry) == found


def test_without_a_network_the_file_is_brought_by_hand(zoo, site, tmp_path):
    url, _ = site
    entry = publish(zoo, name="far", url=f"{url}/far-1.tar.xz")
    brought = tmp_path / "brought"
    brought.mkdir()
    with pytest.raises(UserError, match=r"must lie in .*brought as far-1.tar.xz"):
        fetch.fetch(entry, brought)
    entry.beside_index.rename(brought / entry.file)
    with pytest.raises(UserError, match=r"status 404.*fewshot zoo fetch far --from FOLDER"):
        fetch.fetch(entry)
    assert (fetch.fetch(entry, brought) / "1/saved_model.pb").exists()


def test_a_cache_that_cannot_be_written(zoo, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FEWSHOT_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(UserError, match="Name one by FEWSHOT_CACHE_DIR"):
        fetch.local_folder("zoo:letters")


def test_an_index_that_is_none(zoo, tmp_path, monkeypatch, cache):
    monkeypatch.setenv("FEWSHOT_ZOO", str(tmp_path))
    with pytest.raises(UserError, match=r"FEWSHOT_ZOO must name a folder with index\.json"):
        index.read_entries()
    atomic.write_text(tmp_path / "index.json", '{"models": [{"name": "x"}]}')
    with pytest.raises(UserError, match="must be an index of models"):
        index.read_entries()


def test_the_same_files_are_packed_to_the_same_bytes_and_back(tmp_path):
    for name in "a", "b":
        (tmp_path / name / "1").mkdir(parents=True)
        (tmp_path / name / "1/file").write_bytes(b"content")
        packing.pack(tmp_path / name, tmp_path / f"{name}.tar.xz")
    assert (tmp_path / "a.tar.xz").read_bytes() == (tmp_path / "b.tar.xz").read_bytes()
    packing.unpack(tmp_path / "a.tar.xz", tmp_path / "c")
    assert (tmp_path / "c/1/file").read_bytes() == b"content"


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside"])
def test_a_packed_file_writes_nothing_beside_its_folder(tmp_path, name):
    with tarfile.open(tmp_path / "bad.tar.xz", "w:xz") as archive:
        archive.addfile(tarfile.TarInfo(name))
    with pytest.raises(UserError, match="must hold names below its folder"):
        packing.unpack(tmp_path / "bad.tar.xz", tmp_path / "folder")


def test_a_link_in_a_packed_file_is_not_made(tmp_path):
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc"
    with tarfile.open(tmp_path / "bad.tar.xz", "w:xz") as archive:
        archive.addfile(link)
    packing.unpack(tmp_path / "bad.tar.xz", tmp_path / "folder")
    assert not (tmp_path / "folder/link").exists()


def test_a_page_without_a_model_serves_those_that_lie_beside_an_index(zoo, monkeypatch):
    publish(zoo, "words", url="https://example.invalid/words.tar.xz")
    (zoo / "words-1.tar.xz").unlink()  # to be fetched: not of the page
    seen = []
    monkeypatch.setattr(command, "run", seen.append)
    done = CliRunner().invoke(command.serve, ["--ui"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    (model,) = read_config_file(seen[0].model_config_file)
    assert (model.name, seen[0].ui) == ("letters", True)
    assert (model.base_path / "2/saved_model.pb").exists()


def test_a_page_without_a_model_and_an_empty_zoo(cache, monkeypatch):
    monkeypatch.setattr(index, "PACKAGED", cache / "none")
    with pytest.raises(UserError, match="there are none: name a model by `--model`"):
        CliRunner().invoke(command.serve, ["--ui"], catch_exceptions=False)

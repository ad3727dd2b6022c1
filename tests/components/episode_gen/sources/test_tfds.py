import dataclasses
import os
from pathlib import Path

import pytest

from components.episode_gen.catalogue import build_catalogue
from components.episode_gen.check import check_data
from components.episode_gen.options import DataOptions, EpisodeOptions
from components.episode_gen.sources import open_source, tfds_prepare
from components.episode_gen.sources.base import CatalogueEntry, Stored
from components.episode_gen.sources.tfds import Pooled
from components.modalities.base import ExampleSpec
from serving.errors import UserError

PREPARED = os.environ.get("TFDS_DATA_DIR", "")
needs_omniglot = pytest.mark.skipif(
    not (Path(PREPARED) / "omniglot").is_dir(), reason="no prepared Omniglot in TFDS_DATA_DIR"
)
OMNIGLOT = DataOptions(source="tfds", name="omniglot", split_by="group", split_counts=(30, 10, 10))


def test_an_unknown_builder():
    with pytest.raises(UserError, match="got 'nosuchdata'"):
        open_source(DataOptions(source="tfds", name="nosuchdata"))


def test_no_network_and_no_data_fails_at_once_and_names_the_files(tmp_path, monkeypatch):
    monkeypatch.setattr(tfds_prepare, "resolves", lambda host: False)
    data = DataOptions(source="tfds", name="omniglot", data_dir=str(tmp_path))
    with pytest.raises(UserError, match=r"put images_background\.zip.*omniglot/3\.0\.0"):
        open_source(data)


def test_archives_put_there_by_hand_need_no_network(tmp_path, monkeypatch):
    """With every archive in place the preparation starts (and here finds them damaged)."""
    monkeypatch.setattr(tfds_prepare, "resolves", lambda host: pytest.fail("asked for a network"))
    manual = tmp_path / "downloads" / "manual"
    manual.mkdir(parents=True)
    for name in ("background", "background_small1", "background_small2", "evaluation"):
        (manual / f"images_{name}.zip").write_bytes(b"not the archive")
    data = DataOptions(source="tfds", name="omniglot", data_dir=str(tmp_path))
    with pytest.raises(UserError, match="could not be prepared"):
        open_source(data)
    assert not (tmp_path / "omniglot" / "3.0.0").exists()


def test_a_resolver_that_hangs_does_not_hang_us(monkeypatch):
    import threading

    answer = threading.Event()
    monkeypatch.setattr(tfds_prepare.socket, "getaddrinfo", lambda *_: [answer.wait()])
    assert not tfds_prepare.resolves("example.invalid", timeout=0.05)
    answer.set()


CLINC_ARCHIVE = Path(PREPARED).parent / "downloads" / "clinc_oos" / "clinc_oos.zip"


@pytest.mark.skipif(not CLINC_ARCHIVE.is_file(), reason="no clinc_oos.zip beside TFDS_DATA_DIR")
def test_an_archive_put_there_by_hand_is_prepared(tmp_path, monkeypatch):
    """The real preparation, of the real archive, which TFDS checks by its hash."""
    monkeypatch.setattr(tfds_prepare, "resolves", lambda host: False)
    manual = tmp_path / "downloads" / "manual"
    manual.mkdir(parents=True)
    (manual / CLINC_ARCHIVE.name).symlink_to(CLINC_ARCHIVE)
    data = DataOptions(source="tfds", name="clinc_oos", data_dir=str(tmp_path))
    assert len(list(open_source(data).catalogue())) == 150 * 150


@needs_omniglot
def test_omniglot_is_pooled_from_train_and_test_and_split_by_alphabet():
    checked = check_data(OMNIGLOT, EpisodeOptions())
    assert len(checked.catalogue.examples) == 1623
    assert checked.catalogue.size() == 32460
    assert set(map(len, checked.catalogue.examples.values())) == {20}
    alphabets = [{checked.catalogue.groups[n] for n in s} for s in checked.splits.values()]
    assert list(map(len, alphabets)) == [30, 10, 10]


@needs_omniglot
def test_an_id_is_the_slice_that_tfds_would_read():
    import tensorflow_datasets as tfds

    from components.modalities.image import standardise

    source = open_source(OMNIGLOT)
    part = next(part for part in source.parts() if part.startswith("test["))
    stored = next(iter(source.read(part)))
    assert stored.example_id == "test[0]"
    (row,) = tfds.load("omniglot", split="test[0:1]", data_dir=PREPARED)
    image = standardise(row["image"], size=28, channels=1)
    assert stored.content == image.numpy().tobytes()


@needs_omniglot
def test_splits_that_are_not_there():
    with pytest.raises(UserError, match=r"small1, small2, test, train.*got 'train\+valid'"):
        open_source(dataclasses.replace(OMNIGLOT, tfds_splits="train+valid"))


@needs_omniglot
def test_a_feature_that_is_not_there():
    with pytest.raises(UserError, match=r"`data\.label_feature` must name a feature of 'omniglot'"):
        open_source(dataclasses.replace(OMNIGLOT, label_feature="character"))


@pytest.mark.skipif(
    not (Path(PREPARED) / "clinc_oos").is_dir(), reason="no prepared clinc_oos in TFDS_DATA_DIR"
)
def test_text_is_found_with_its_intents_and_domains():
    data = DataOptions(source="tfds", name="clinc_oos", split_by="group", split_counts=(6, 2, 2))
    checked = check_data(data, EpisodeOptions())
    assert checked.spec.dtype == "string"
    assert len(checked.catalogue.examples) == 150
    stored = next(iter(checked.source.read(checked.source.parts()[0])))
    assert stored.content.decode()


class Digits:
    """A source of two examples of one class, as each script of cmaterdb has a class for 7."""

    spec = ExampleSpec("image", "uint8", (1, 1, 1))

    def __init__(self, pixel: bytes):
        self.pixel = pixel

    def catalogue(self):
        return [CatalogueEntry("7", None, f"train[{i}]") for i in range(2)]

    def parts(self):
        return ["train[0:1]", "train[1:2]"]

    def read(self, part):
        start = int(part.partition("[")[2].partition(":")[0])
        yield Stored(f"train[{start}]", self.pixel)

    def fingerprint(self):
        return self.pixel.hex()


def test_joined_data_sets_are_a_group_each_and_keep_their_examples_apart():
    pooled = Pooled({"digits/a": Digits(b"a"), "digits/b:1.0.0": Digits(b"b")})
    catalogue = build_catalogue(pooled.catalogue(), by_group=True)
    assert catalogue.groups == {"digits/a/7": "digits/a", "digits/b:1.0.0/7": "digits/b:1.0.0"}
    stored = {s.example_id: s.content for part in pooled.parts() for s in pooled.read(part)}
    for name, ids in catalogue.examples.items():
        assert {stored[example_id] for example_id in ids} == {name[7:8].encode()}
    assert pooled.fingerprint() != Pooled({"digits/a": Digits(b"a")}).fingerprint()


def test_joined_data_sets_must_be_of_one_kind():
    other = Digits(b"b")
    other.spec = ExampleSpec("text", "string", ())
    with pytest.raises(UserError, match=r"`data\.name` must join data of one kind: 'b'"):
        Pooled({"a": Digits(b"a"), "b": other})


@pytest.mark.skipif(
    not (Path(PREPARED) / "spoken_digit").is_dir(), reason="no prepared spoken_digit"
)
def test_the_speakers_of_spoken_digit_are_kept_apart():
    data = DataOptions(
        source="tfds",
        name="spoken_digit",
        sample_rate=8_000,
        split_by="group",
        split_counts=(3, 1, 1),
    )
    checked = check_data(data, EpisodeOptions())
    assert len(checked.catalogue.examples) == 50 and "theo/7" in checked.catalogue.examples
    speakers = [{checked.catalogue.groups[n] for n in s} for s in checked.splits.values()]
    assert list(map(len, speakers)) == [3, 1, 1] and len(set.union(*speakers)) == 5
    samples = checked.spec.from_bytes(next(iter(checked.source.read("train[0:1]"))).content)
    assert samples.dtype == "float32" and 0 < abs(samples).max() <= 1

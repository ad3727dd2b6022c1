import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from components.episode_gen.check import check_data
from components.episode_gen.options import DataOptions, EpisodeOptions
from components.episode_gen.sources import open_source
from components.modalities.base import ExampleSpec
from components.modalities.image import image_modality, standardise
from serving.errors import UserError
from tests.picture_cases import png_cases, saved_cases, viewer_picture

SMALL = EpisodeOptions(ways=2, shots=1, queries=1)


def folder(path, **options) -> DataOptions:
    return DataOptions(source="folder", path=str(path), **options)


def test_the_parts_hold_every_example_of_the_catalogue_once(image_folder):
    source = open_source(folder(image_folder))
    listed = sorted(entry.example_id for entry in source.catalogue())
    read = sorted(stored.example_id for part in source.parts() for stored in source.read(part))
    assert read == listed and len(listed) == 72


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "gif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_is_what_the_served_encoded_signature_would_make_of_it(tmp_path, suffix, channels):
    (tmp_path / "a").mkdir()
    file = tmp_path / "a" / f"x.{suffix}"
    pixels = np.random.default_rng(0).integers(0, 256, (40, 23, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file)
    source = open_source(folder(tmp_path, image_channels=channels))
    (stored,) = source.read("a")
    served = image_modality(ExampleSpec("image", "uint8", (28, 28, channels))).decode(
        tf.constant([file.read_bytes()]), "query_x", tf.range(1)
    )
    assert stored.content == served[0].numpy().tobytes()


def test_the_option_invert_is_part_of_what_images_are(image_folder):
    assert open_source(folder(image_folder, invert=True)).spec.invert
    assert not open_source(folder(image_folder)).spec.invert


def test_by_group_there_is_one_more_level(grouped_folder):
    entries = list(open_source(folder(grouped_folder, split_by="group")).catalogue())
    assert {entry.group for entry in entries} == {"group_0", "group_1", "group_2"}
    assert "group_0/class_00" in {entry.class_name for entry in entries}


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match="nowhere' is not there"):
        open_source(folder(tmp_path / "nowhere"))


def test_a_folder_without_images(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "notes.txt").write_text("no image")
    with pytest.raises(UserError, match=r"it has none \(1 txt\)"):
        open_source(folder(tmp_path))


def damaged(tmp_path, content: bytes):
    for grey, name in enumerate("abc"):
        (tmp_path / name).mkdir()
        for number in range(2):
            Image.new("L", (30, 30), 2 * grey + number).save(tmp_path / name / f"{number}.png")
    (tmp_path / "b" / "1.png").write_bytes(content)
    return tmp_path


def test_a_file_that_is_no_image_is_named_by_the_check(tmp_path):
    with pytest.raises(UserError, match=r"b/1\.png' cannot \(it is not a png"):
        check_data(folder(damaged(tmp_path, b"hello")), SMALL)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_truncated_image_is_named_when_it_is_read(tmp_path, image_folder, capfd, suffix):
    Image.open(image_folder / "class_00" / "0.png").resize((99, 99)).save(tmp_path / f"x.{suffix}")
    whole = (tmp_path / f"x.{suffix}").read_bytes()
    source = open_source(folder(damaged(tmp_path, whole[: len(whole) // 2])))
    with pytest.raises(UserError, match=r"b/1\.png' cannot \(it ends too early\)"):
        list(source.read("b"))
    assert capfd.readouterr().err == ""  # no decoder's own words


@pytest.mark.parametrize("content", [b"hello", b"\x89PNG\r\n\x1a\n and no more", b"\xff\xd8\xff"])
def test_unreadable_images_are_skipped_and_named_where_asked_for(tmp_path, content):
    source = open_source(folder(damaged(tmp_path, content), unreadable="skip"))
    listed = {entry.example_id for entry in source.catalogue()}
    read = {stored.example_id for part in source.parts() for stored in source.read(part)}
    assert listed == read and "b/1.png" not in listed and len(listed) == 5
    assert list(source.skipped) == ["b/1.png"]


@pytest.fixture
def own_folder(tmp_path, image_folder):
    """A copy of the shared folder, to be changed."""
    return shutil.copytree(image_folder, tmp_path / "own")


def test_what_lies_outside_the_classes_is_refused_or_named(own_folder):
    (own_folder / "loose.png").write_bytes((own_folder / "class_00/0.png").read_bytes())
    (own_folder / "class_00" / "gone.png").symlink_to("nowhere.png")
    (own_folder / "class_00" / "notes.txt").write_text("hello")
    with pytest.raises(UserError, match=r"loose\.png' cannot \(it lies one folder above"):
        list(open_source(folder(own_folder)).catalogue())
    source = open_source(folder(own_folder, unreadable="skip"))
    assert len(list(source.catalogue())) == 72
    assert set(source.skipped) == {"loose.png", "class_00/gone.png"}
    assert set(source.ignored) == {"class_00/notes.txt"}


def test_groups_are_pooled_where_the_splits_are_by_class(grouped_folder):
    (entry, *_) = open_source(folder(grouped_folder, split_by="class")).catalogue()
    assert (entry.class_name, entry.group) == ("class_00", "group_0")


def test_copies_are_found_unless_they_are_to_be_kept(own_folder):
    original = own_folder / "class_01" / "2.png"
    for name in ("class_01/copy.png", "class_07/copy.png"):
        (own_folder / name).write_bytes(original.read_bytes())
    source = open_source(folder(own_folder))
    assert source.copies == {
        "class_01/copy.png": "class_01/2.png",
        "class_07/copy.png": "class_01/2.png",
    }
    assert open_source(folder(own_folder, copies="keep")).copies == {}
    data = check_data(folder(own_folder), EpisodeOptions(ways=2, shots=1, queries=1))
    sizes = {name: len(ids) for name, ids in data.catalogue.examples.items()}
    assert sizes["class_01"] == 6 and sizes["class_07"] == 7  # one of a class, one in another
    assert data.across == dict.fromkeys(["class_01/2.png", "class_07/copy.png"], "class_01/2.png")


def test_every_picture_is_what_a_viewer_shows(tmp_path):
    pictures = dict(case for case in [*png_cases(), *saved_cases()] if "tRNS" not in case[0])
    (tmp_path / "a").mkdir()
    for name, content in pictures.items():
        (tmp_path / "a" / f"{name}.png").write_bytes(content)  # what it is, the content says
    source = open_source(folder(tmp_path, image_size=32, image_channels=3, copies="keep"))
    examples = {stored.example_id: stored.content for stored in source.read("a")}
    for name, content in pictures.items():
        expected = standardise(tf.constant(viewer_picture(content)), size=32, channels=3).numpy()
        got = np.frombuffer(examples[f"a/{name}.png"], np.uint8).reshape(32, 32, 3)
        assert np.abs(got.astype(int) - expected).max() <= 3, name

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from components.episode_gen.check import check_data
from components.episode_gen.options import DataOptions, EpisodeOptions
from components.episode_gen.sources import open_source
from components.modalities.base import ExampleSpec
from components.modalities.image import image_modality
from serving.errors import UserError

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
        tf.constant([file.read_bytes()]), "query_x"
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
    with pytest.raises(UserError, match="holds none"):
        open_source(folder(tmp_path))


def damaged(tmp_path, content: bytes):
    for name in "abc":
        (tmp_path / name).mkdir()
        for number in range(2):
            Image.new("L", (30, 30)).save(tmp_path / name / f"{number}.png")
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

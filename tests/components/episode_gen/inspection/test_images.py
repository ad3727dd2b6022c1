"""What the inspection of a folder of images says is what the pipeline will meet."""

import numpy as np
import pytest
from PIL import Image

from components.episode_gen.check import check_data
from components.episode_gen.inspection import inspect
from components.episode_gen.options import DataOptions, EpisodeOptions
from serving.errors import UserError


@pytest.fixture
def faulty_folder(tmp_path):
    """Six classes of three grey images; one file is text, one is in two classes."""
    for number in range(6):
        folder = tmp_path / f"class_{number}"
        folder.mkdir()
        for image in range(3):
            pixels = np.random.default_rng([number, image]).integers(0, 256, (20, 30), np.uint8)
            Image.fromarray(pixels).save(folder / f"{image}.png")
    (tmp_path / "class_2" / "1.png").write_text("no image")
    (tmp_path / "class_4" / "copy.png").write_bytes((tmp_path / "class_5" / "0.png").read_bytes())
    return tmp_path


def test_it_counts_and_measures(faulty_folder):
    found = inspect(faulty_folder)
    assert found.class_sizes["class_0"] == 3 and found.class_sizes["class_2"] == 2
    assert found.facts["heights"] == "20 pixels" and found.facts["widths"] == "30 pixels"
    assert found.facts["colours"] == "grey"
    assert found.too_small(shots=1, queries=2) == ["class_2"]
    assert found.copies == {"class_5/0.png": "class_4/copy.png"}


def test_unreadable_files_are_named_with_the_reason(faulty_folder):
    assert inspect(faulty_folder).unreadable == {
        "class_2/1.png": "it is not a png, jpg, bmp, gif, pgm, ppm, pbm, webp or tiff file"
    }


def test_files_that_are_not_read_are_counted(faulty_folder):
    assert "not read" not in inspect(faulty_folder).facts
    for name in ("class_0/new.HEIC", "class_1/new.heic", "class_1/notes", "class_1/.hidden"):
        (faulty_folder / name).write_text("")
    (faulty_folder / "only_heic").mkdir()
    (faulty_folder / "only_heic" / "a.heic").write_text("")
    assert inspect(faulty_folder).facts["not read"] == "3 heic, 2 without an ending"


def test_equal_files_in_different_classes_are_named(faulty_folder):
    assert inspect(faulty_folder).duplicates == [["class_4/copy.png", "class_5/0.png"]]


def test_the_section_reads_what_was_found(faulty_folder):
    found = inspect(faulty_folder)
    data = DataOptions(**found.data, split_counts=(2, 2, 2))
    checked = check_data(data, EpisodeOptions(ways=2, shots=1, queries=1))
    assert {n: len(ids) for n, ids in checked.catalogue.examples.items()} == found.class_sizes
    assert checked.skipped == found.unreadable


def test_colour_and_paper_are_seen(tmp_path):
    for name, colour in (("ink", (250, 250, 250)), ("red", (200, 10, 10))):
        (tmp_path / name / "a").mkdir(parents=True)
        Image.new("RGB", (100, 100), colour).save(tmp_path / name / "a" / "0.jpg")
    ink, red = inspect(tmp_path / "ink").data, inspect(tmp_path / "red").data
    assert (ink["image_channels"], ink.get("invert")) == (1, True)
    assert (red["image_channels"], red.get("invert")) == (3, None)


def test_a_folder_in_folders_is_split_by_group(grouped_folder):
    found = inspect(grouped_folder)
    assert found.data["split_by"] == "group" and found.facts["groups"] == "3"
    assert "group_0/class_00" in found.class_sizes


def test_a_path_that_holds_nothing_known(tmp_path):
    with pytest.raises(
        UserError,
        match=r"PATH must hold sub-folders of pictures or recordings .* nothing can be read",
    ):
        inspect(tmp_path)
    with pytest.raises(UserError, match="is not there"):
        inspect(tmp_path / "nowhere")

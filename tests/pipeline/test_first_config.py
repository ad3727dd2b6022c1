"""A first configuration fits the data: every split has an episode's classes and examples."""

import pytest
import yaml

from components.episode_gen.catalogue import Catalogue
from components.episode_gen.check import check_episodes
from components.episode_gen.inspection.base import Inspection
from components.episode_gen.splits import split_classes
from pipeline import first_rules
from pipeline.config import build_config
from pipeline.first_config import (
    as_yaml,
    candidates,
    first_config,
    result_cautions,
    split_question,
)
from serving.errors import UserError
from serving.files.folders import SplitLike

KINDS = [
    ("image", {"invert": True, "image_channels": 1}),
    ("image", {"image_channels": 3}),
    ("text", {}),
    ("audio", {}),
]


def found(sizes: dict[str, int], modality: str = "image", **data) -> Inspection:
    section = {"source": "folder", "path": "mine"} | data
    return Inspection("a folder", modality, section, sizes, {}, {}, [])


def check(inspection: Inspection) -> None:
    """Reads the file back and draws the splits as a run would."""
    config = build_config({"name": "mine", **yaml.safe_load(as_yaml(first_config(inspection)))})
    examples = {n: [str(i) for i in range(size)] for n, size in inspection.class_sizes.items()}
    groups = {name: name.partition("/")[0] for name in examples if "/" in name}
    catalogue = Catalogue(examples, groups)
    check_episodes(catalogue, split_classes(catalogue, config.data), config.episodes)


@pytest.mark.parametrize("classes", [6, 7, 12, 25, 200])
@pytest.mark.parametrize("examples", [2, 5, 15, 100])
def test_episodes_fit(classes, examples):
    check(found({f"class_{i}": examples + i % 2 for i in range(classes)}))


@pytest.mark.parametrize("groups", [3, 4, 11])
@pytest.mark.parametrize("modality", ["image", "audio"])
def test_episodes_fit_by_group(groups, modality):
    sizes = {f"group_{g}/class_{c}": 4 for g in range(groups) for c in range(2 + g % 3)}
    check(found(sizes, modality, split_by="group"))


@pytest.mark.parametrize("modality", ["image", "text", "audio"])
def test_every_modality_has_a_first_configuration(modality):
    check(found({f"class_{i}": 20 for i in range(30)}, modality))


@pytest.mark.parametrize(
    ("sizes", "data", "message"),
    [
        ({f"c{i}": 9 for i in range(5)}, {}, "at least 6 classes"),
        ({f"c{i}": 1 + (i > 0) for i in range(6)}, {}, r"'c0' \(1\)"),
        ({f"g{i % 2}/c{i}": 9 for i in range(8)}, {"split_by": "group"}, "at least 3 groups"),
        ({f"g{i}/c": 9 for i in range(6)}, {"split_by": "group"}, "group needs at least 2"),
    ],
)
def test_too_little_data_is_said_in_a_sentence(sizes, data, message):
    with pytest.raises(UserError, match=message):
        first_config(found(sizes, **data))


def test_classes_that_are_too_small_are_left_out_where_enough_remain():
    inspection = found({f"c{i}": 20 if i else 1 for i in range(9)})
    config = first_config(inspection)
    needed = config["episodes"]["shots"] + config["episodes"]["queries"]
    assert config["data"]["min_examples"] == needed > 1
    assert sum(config["data"]["split_counts"]) == 8
    with pytest.raises(
        UserError, match=r"5 classes of at least 2 examples; 2 have fewer: 'c0' \(1\)"
    ):
        first_config(found({f"c{i}": 20 if i > 1 else 1 for i in range(7)}))


def test_what_is_given_is_taken():
    given = {"ways": 3, "shots": 4, "queries": 6, "learner": "anil"}
    config = first_config(found({f"c{i}": 10 for i in range(20)}, "text"), given)
    assert [config["episodes"][name] for name in ("ways", "shots", "queries")] == [3, 4, 6]
    assert config["learner"]["name"] == "anil" and "train_ways" not in config["episodes"]
    assert config["learner"]["backbone"]["name"] == "embedding_bag"
    with pytest.raises(UserError, match=r"`--learner` must be one of .*: got 'mamal'"):
        first_config(found({f"c{i}": 10 for i in range(20)}), {"learner": "mamal"})


def test_an_encoder_is_proposed_for_texts_where_one_is_installed(monkeypatch):
    texts = found({f"c{i}": 10 for i in range(20)}, "text")
    for installed, name in ((True, "transformer_text"), (False, "embedding_bag")):
        monkeypatch.setattr(first_rules, "is_installed", lambda package, there=installed: there)
        config = first_config(texts)
        assert config["learner"]["backbone"]["name"] == name
        assert {one["backbone"]["name"] for one in candidates(texts, config).values()} == {name}
        assert ("augment" in config["training"]) != installed
        chosen = first_config(texts, {"learner": "maml_plus_plus"})["learner"]["backbone"]["name"]
        assert chosen == "embedding_bag"
    image = first_config(found({f"c{i}": 10 for i in range(20)}))["learner"]["backbone"]
    assert image["name"] == "conv4"


@pytest.mark.parametrize(("modality", "data"), KINDS)
@pytest.mark.parametrize("examples", [4, 20])
def test_every_learner_that_is_tried_can_be_configured(modality, data, examples):
    inspection = found({f"c{i}": examples for i in range(40)}, modality, **data)
    config = first_config(inspection)
    assert config["episodes"]["shots"] == (5 if examples >= 10 else 1)
    tried = candidates(inspection, config)
    assert len(tried) >= 2 and next(iter(tried.values())) == config["learner"]
    for learner in tried.values():
        build_config({"name": "mine", **config, "learner": learner})


def test_photographs_are_mirrored_and_characters_are_rotated():
    sizes = {f"c{i}": 10 for i in range(20)}
    ink, photographs = (
        first_config(found(sizes, **data))["training"]["augment"] for _, data in KINDS[:2]
    )
    assert ink["rotate"] and "mirror" not in ink
    assert photographs["mirror"] and "rotate" not in photographs


def test_a_test_split_holds_more_than_one_episode_of_classes_or_groups():
    assert first_config(found({f"c{i}": 9 for i in range(25)}))["data"]["split_counts"][2] == 10
    groups = {f"g{i % 5}/c{i}": 9 for i in range(20)}
    assert first_config(found(groups, split_by="group"))["data"]["split_counts"] == [2, 1, 2]
    few = first_config(found({f"g{i % 3}/c{i}": 9 for i in range(9)}, split_by="group"))
    assert "one group" in result_cautions(few, None)[0]


def test_folders_that_look_like_splits_are_asked_about():
    question = split_question(SplitLike(["test", "train"], by_name=True, same_classes=True))
    assert "'test', 'train' are called as the splits of a data set and hold the same" in question
    assert "`data.split_by: class`" in question and "`data.split_by: group`" in question

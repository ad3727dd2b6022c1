"""What a result on the test split rests on is said."""

from components.episodes.novelty import Novelty, cautions, compare_splits, start_cautions


def test_by_class_every_test_class_is_new():
    splits = {"train": ["a", "b"], "eval": [], "test": ["c"] * 10}
    novelty = compare_splits(splits, {}, by_group=False)
    assert novelty == Novelty(10, 0, []) and novelty.unseen == "classes"
    assert cautions(novelty, ways=5) == []


def test_words_of_other_speakers_are_no_new_classes():
    splits = {"train": ["ann/yes", "ann/no"], "eval": [], "test": ["bob/yes", "bob/no"]}
    groups = {name: name[:3] for names in splits.values() for name in names}
    novelty = compare_splits(splits, groups, by_group=True)
    assert novelty == Novelty(2, 1, ["no", "yes"]) and novelty.unseen == "groups"
    one_group, few, shared = cautions(novelty, ways=2)
    assert (
        "one group" in one_group
        and "2 classes for 2 ways" in few
        and "the classes are not" in shared
    )


def test_characters_of_new_alphabets_are_new():
    splits = {"train": ["greek/alpha"], "eval": [], "test": ["latin/a", "tamil/i"]}
    groups = {name: name[:5] for names in splits.values() for name in names}
    assert compare_splits(splits, groups, by_group=True) == Novelty(2, 2, [])


def test_over_a_pretrained_encoder_it_says_which_and_what_never_seen_means():
    about = {"name": "tiny", "source": "package tiny 1.0", "licence": "mit", "sha256": "12ab"}
    model = {"encoder": about, "learner": "protonet", "meta_train_steps": 200}
    (sentence,) = start_cautions(model)
    assert "tiny (package tiny 1.0; licence as stated: mit; sha256 12ab)" in sentence
    assert "never seen in meta-training" in sentence
    assert start_cautions({"learner": "protonet", "meta_train_steps": 0}) == []
    _, alone = start_cautions(model | {"meta_train_steps": 0})
    assert "nothing of the model is meta-trained" in alone and "baselines" in alone


def test_a_model_that_began_with_another_says_so():
    (sentence,) = start_cautions({"learner": "maml", "started_from": "weights of runs/a"})
    assert "another model, which may have seen the classes" in sentence

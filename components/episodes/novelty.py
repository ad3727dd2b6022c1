"""How new the test split is: what an accuracy "of unseen classes" rests on."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Novelty(NamedTuple):
    """The test split beside the train split."""

    classes: int  # number of test classes
    groups: int  # number of their groups, where splits are by group; else 0
    # Names of test classes that groups of `train` have too, as words that other speakers say; then
    # the groups are new and the classes are not.
    shared: list[str]

    @property
    def unseen(self) -> str:
        """What the test episodes hold that training never saw: "classes" or "groups"."""
        return "groups" if self.shared else "classes"

    def to_json(self) -> dict[str, Any]:
        """The facts, for `summary.json`."""
        return {"classes": self.classes, "groups": self.groups, "unseen": self.unseen}


def compare_splits(
    splits: Mapping[str, Sequence[str]], groups: Mapping[str, str], *, by_group: bool
) -> Novelty:
    """Compares the test split with the train split; `by_group`: no group is in two splits."""
    if not by_group:
        return Novelty(len(splits["test"]), 0, [])

    def without_group(name: str) -> str:
        return name.removeprefix(f"{groups.get(name, '')}/")

    seen = set(map(without_group, splits["train"]))
    shared = sorted({without_group(name) for name in splits["test"]} & seen)
    held_out = {groups[name] for name in splits["test"] if name in groups}
    return Novelty(len(splits["test"]), len(held_out), shared)


def is_encoder_alone(about: Mapping[str, Any]) -> bool:
    """Whether a model is the nearest centroid of a pretrained encoder's features, no more.

    So is ProtoNet after no meta-step: `about` is what the model says of itself.
    """
    untrained = about.get("meta_train_steps") == 0 and "started_from" not in about
    return "encoder" in about and untrained and about.get("learner") == "protonet"


def start_cautions(about: Mapping[str, Any]) -> list[str]:
    """What "never seen" means for a model that begins with what others learned.

    `about` is what the model says of itself.
    """
    other = [
        "meta-training began with the weights of another model, which may have seen the classes"
    ]
    return _encoder_cautions(about) + (other if "started_from" in about else [])


def _encoder_cautions(about: Mapping[str, Any]) -> list[str]:
    encoder = about.get("encoder")
    if not encoder:
        return []
    alone = [
        "nothing of the model is meta-trained: it is the nearest centroid of its encoder's "
        "features, which is therefore not among its baselines"
    ]
    return [
        f"the model begins with the pretrained encoder {encoder['name']} ({encoder['source']}; "
        f"licence as stated: {encoder['licence']}; sha256 {encoder['sha256']}): classes never seen "
        "are classes never seen in meta-training, and the encoder may have seen them",
        *(alone if is_encoder_alone(about) else []),
    ]


def cautions(novelty: Novelty, ways: int) -> list[str]:
    """What to know of a result on such a test split, a sentence each."""
    sentences = []
    if novelty.groups == 1:
        sentences.append(
            "the test split is one group: ± holds for this one, and says nothing of other groups"
        )
    if ways > 1 and novelty.classes < 2 * ways:
        sentences.append(
            f"the test split has {novelty.classes} classes for {ways} ways: all episodes are of "
            "nearly the same classes"
        )
    if novelty.shared:
        sentences.append(
            "classes of the test split have the names of classes of train, in other groups: the "
            "groups are unseen, the classes are not"
        )
    return sentences

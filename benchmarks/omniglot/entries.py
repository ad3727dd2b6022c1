"""The entries of the papers' table: what is trained, and on which episodes it is tested.

The split is Finn et al.'s, 1100 characters for meta-training, 100 for meta-validation, 423 for the
test, drawn at random. Inner learning rates are for the mean loss: MAML's code sums over the ways,
so its 0.4 is 2.0 here.
"""

from typing import Any, NamedTuple

DATA = {
    "source": "tfds",
    "name": "omniglot",
    "invert": True,
    "split_by": "class",
    "split_counts": [1100, 100, 423],
}
TEST_EPISODES = 1000


class Test(NamedTuple):
    """The shape of test episodes; queries are per class."""

    ways: int
    shots: int
    queries: int
    rotations: str = "none"

    @property
    def task(self) -> str:
        """Names ways and shots, as in "5w1s"."""
        return f"{self.ways}w{self.shots}s"


class Entry(NamedTuple):
    """One row of the table.

    Attributes:
      title: title in the table.
      train: ways, shots, queries and number of training episodes; each is augmented anew at
        every use.
      learner: the configuration's section.
      training: the configuration's section.
      tests: shapes of the test episodes; the first one is also that of meta-validation.
      starts_from: name of the entry whose best weights it starts from; random weights if null.
    """

    title: str
    train: tuple[int, int, int, int]
    learner: dict[str, Any]
    training: dict[str, Any]
    tests: tuple[Test, ...]
    starts_from: str | None = None

    @property
    def episodes(self) -> dict[str, Any]:
        """Makes the section `episodes` of training and meta-validation."""
        ways, shots, queries, count = self.train
        return {
            **_shape(self.tests[0]),
            "train_ways": ways,
            "train_shots": shots,
            "train_queries": queries,
            "counts": {"train": count, "eval": self.training["eval_episodes"], "test": 0},
        }


def evaluation_episodes(test: Test) -> dict[str, Any]:
    """Makes the section `episodes` of a test."""
    return _shape(test) | {"counts": {"train": 0, "eval": 0, "test": TEST_EPISODES}}


def _shape(test: Test) -> dict[str, Any]:
    return test._asdict() | {"rotations": "none" if test.rotations == "none" else "all"}


SERVED = (Test(5, 1, 15), Test(5, 5, 15), Test(20, 1, 5), Test(20, 5, 5))
"""Upright characters; 75 or 100 queries an episode."""
PUBLISHED = tuple(
    Test(ways, shots, queries=shots, rotations="all") for ways in (20, 5) for shots in (1, 5)
)
"""Finn et al.'s: as many queries as shots, and characters rotated."""
POOLED = {
    "name": "conv4",
    "downsample": "max_pool",
    "pooling": "flatten",
    "normalisation": "example",
}
"""Snell et al.'s network with another normalisation: theirs keeps averages of training, this one
uses each image alone."""

PUBLISHED_MAML: dict[str, Any] = {
    "learner": {
        "name": "maml",
        "head": "numbered",
        "inner_steps": 1,
        "test_steps": 3,
        "inner_learning_rate": 2.0,
        "learn_rates": False,
        "backbone": {"name": "conv4", "normalisation": "transductive"},
    },
    "training": {
        "steps": 60_000,
        "episodes_per_step": 32,
        "eval_every": 1000,
        "eval_episodes": 400,
        "checkpoint_every": 500,
        "augment": {"rotate": True},
    },
}
"""Finn et al.'s: as many queries as shots, and test characters rotated as in training."""

MAML_20_WAY: dict[str, Any] = {
    "learner": {
        "name": "maml",
        "backbone": {"name": "conv4", "normalisation": "transductive", "pooling": "flatten"},
    },
    "training": PUBLISHED_MAML["training"]
    | {"schedule": "cosine", "augment": {"rotate": True, "affine": 0.2}},
}
"""One model for any number of classes: its head starts at the prototypes."""

EPISODES_PER_STEP = {"maml": 32, "meta_lstm": 8}


def _served(title: str, learner: str, shots: int, steps: int) -> Entry:
    """One of the two named algorithms, with its default options and conv4-32.

    The steps are those of ten minutes on two free cores, where a step took 71 ms (MAML, 1-shot),
    183 ms (MAML, 5-shot), 401 ms (Meta-LSTM, 1-shot) and 437 ms (Meta-LSTM, 5-shot).
    """
    return Entry(
        title=title,
        train=(5, shots, 5, 20_000),
        learner={"name": learner, "backbone": {"name": "conv4", "filters": 32}},
        training={
            "steps": steps,
            "schedule": "cosine",
            "episodes_per_step": EPISODES_PER_STEP[learner],
            "eval_every": steps // 10,
            "eval_episodes": 400,
            "checkpoint_every": 200,
            "augment": {"rotate": True},
        },
        tests=_first(f"5w{shots}s"),
    )


def _first(task: str) -> tuple[Test, ...]:
    """The shapes of tests as served, this one first."""
    return tuple(sorted(SERVED, key=lambda test: test.task != task))


PROTONET: dict[str, Any] = {
    "steps": 2500,
    "episodes_per_step": 2,
    "meta_learning_rate": 2e-3,
    "schedule": "cosine",
    "eval_every": 250,
    "eval_episodes": 200,
    "checkpoint_every": 100,
    "augment": {"rotate": True},
}
PROTONET_60_WAY = PROTONET | {"eval_every": 500, "eval_episodes": 400}

TABLE = {
    "protonet": Entry(
        title="ProtoNet, trained 20-way 1-shot",
        train=(20, 1, 5, 5000),
        learner={"name": "protonet", "backbone": POOLED},
        training=PROTONET,
        tests=SERVED,
    ),
    "protonet_60_way": Entry(
        title="ProtoNet, trained 60-way 1-shot, affine augmentation",
        train=(60, 1, 2, 5000),
        learner={"name": "protonet", "backbone": POOLED},
        training=PROTONET_60_WAY | {"steps": 6500, "augment": {"rotate": True, "affine": 0.2}},
        tests=_first("20w1s"),
    ),
    "protonet_60_way_longer": Entry(
        title="ProtoNet, 60-way 1-shot, from those weights, more affine augmentation",
        train=(60, 1, 2, 5000),
        learner={"name": "protonet", "backbone": POOLED},
        training=PROTONET_60_WAY
        | {
            "steps": 2000,
            "meta_learning_rate": 1e-3,
            "augment": {"rotate": True, "affine": 0.3},
        },
        tests=_first("20w1s"),
        starts_from="protonet_60_way",
    ),
    "maml_published_1_shot": Entry(
        title="MAML as published, 1-shot",
        train=(5, 1, 1, 40_000),
        tests=(Test(5, 1, queries=1, rotations="all"),),
        **PUBLISHED_MAML,
    ),
    "maml_published_5_shot": Entry(
        title="MAML as published, 5-shot",
        train=(5, 5, 5, 10_000),
        tests=(Test(5, 5, queries=5, rotations="all"),),
        **PUBLISHED_MAML,
    ),
    "maml_1_shot": Entry(
        title="MAML, 1-shot, cosine schedule",
        train=(5, 1, 1, 40_000),
        learner=PUBLISHED_MAML["learner"],
        training=PUBLISHED_MAML["training"] | {"steps": 24_000, "schedule": "cosine"},
        tests=(
            Test(5, 1, queries=1, rotations="all"),
            Test(5, 5, queries=5, rotations="all"),
        ),
    ),
    "maml_5_shot": Entry(
        title="MAML, 5-shot, from the 1-shot weights, cosine schedule",
        train=(5, 5, 5, 10_000),
        learner=PUBLISHED_MAML["learner"],
        training=PUBLISHED_MAML["training"] | {"steps": 9000, "schedule": "cosine"},
        tests=(Test(5, 5, queries=5, rotations="all"),),
        starts_from="maml_1_shot",
    ),
    "maml_5_shot_affine": Entry(
        title="MAML, 5-shot, from the 1-shot weights, cosine schedule, affine augmentation",
        train=(5, 5, 5, 20_000),
        learner=PUBLISHED_MAML["learner"],
        training=PUBLISHED_MAML["training"]
        | {
            "steps": 7000,
            "schedule": "cosine",
            "eval_episodes": 1000,
            "augment": {"rotate": True, "affine": 0.3},
        },
        tests=(Test(5, 5, queries=5, rotations="all"),),
        starts_from="maml_1_shot",
    ),
    "maml_20_way": Entry(
        title="MAML, head at prototypes, 20-way 1-shot, cosine schedule, affine augmentation",
        train=(20, 1, 1, 20_000),
        learner=MAML_20_WAY["learner"],
        training=MAML_20_WAY["training"] | {"steps": 10_000, "episodes_per_step": 8},
        tests=PUBLISHED,
    ),
    "maml_20_way_5_shot": Entry(
        title="MAML, head at prototypes, 20-way 5-shot, from the 20-way 1-shot weights",
        train=(20, 5, 5, 2000),
        learner=MAML_20_WAY["learner"],
        training=MAML_20_WAY["training"]
        | {
            "steps": 1400,
            "episodes_per_step": 4,
            "eval_every": 350,
            "eval_episodes": 200,
            "checkpoint_every": 200,
        },
        tests=PUBLISHED[1::2],
        starts_from="maml_20_way",
    ),
    "maml_served_1_shot": _served("MAML as served, 1-shot", "maml", shots=1, steps=8400),
    "maml_served_5_shot": _served("MAML as served, 5-shot", "maml", shots=5, steps=3200),
    "meta_lstm_1_shot": _served("Meta-LSTM, 1-shot", "meta_lstm", shots=1, steps=1490),
    "meta_lstm_5_shot": _served("Meta-LSTM, 5-shot", "meta_lstm", shots=5, steps=1370),
}

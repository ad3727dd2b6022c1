"""The entries of the papers' table."""

from benchmarks.omniglot.entry import PUBLISHED, SERVED, Entry, Test
from benchmarks.omniglot.recipes import (
    MAML_20_WAY,
    MAML_20_WAY_5_SHOT,
    MAML_FROM_PROTONET,
    POOLED,
    PROTONET,
    PROTONET_60_WAY,
    PUBLISHED_MAML,
)

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
        training=MAML_20_WAY_5_SHOT | {"steps": 1400, "eval_every": 350},
        tests=PUBLISHED[1::2],
        starts_from="maml_20_way",
    ),
    "maml_20_way_5_shot_longer": Entry(
        title="MAML, head at prototypes, 20-way 5-shot, trained on, more affine augmentation",
        train=(20, 5, 5, 2000),
        learner=MAML_20_WAY["learner"],
        training=MAML_20_WAY_5_SHOT
        | {"steps": 3000, "eval_every": 500, "augment": {"rotate": True, "affine": 0.3}},
        tests=PUBLISHED[1::2],
        starts_from="maml_20_way_5_shot",
    ),
    "maml_5_way_5_shot": Entry(
        title="MAML, head at prototypes, 5-way 5-shot, from the 20-way 5-shot weights",
        train=(5, 5, 5, 10_000),
        learner=MAML_20_WAY["learner"],
        training=MAML_20_WAY["training"]
        | {
            "steps": 4000,
            "episodes_per_step": 8,
            "eval_every": 500,
            "checkpoint_every": 200,
            "augment": {"rotate": True, "affine": 0.3},
        },
        tests=PUBLISHED[3:],
        starts_from="maml_20_way_5_shot",
    ),
    "maml_from_protonet": Entry(
        title="MAML, head at prototypes, 20-way 5-shot, from the 60-way ProtoNet's weights",
        train=(20, 5, 5, 2000),
        learner=MAML_FROM_PROTONET,
        training=PROTONET
        | {
            "steps": 150,
            "meta_learning_rate": 3e-5,
            "eval_every": 50,
            "eval_episodes": 100,
            "checkpoint_every": 50,
            "augment": {"rotate": True, "affine": 0.3},
        },
        tests=(*PUBLISHED[1::2], *PUBLISHED[::2]),
        starts_from="protonet_60_way_longer",
    ),
    "maml_served_1_shot": _served("MAML as served, 1-shot", "maml", shots=1, steps=8400),
    "maml_served_5_shot": _served("MAML as served, 5-shot", "maml", shots=5, steps=3200),
    "meta_lstm_1_shot": _served("Meta-LSTM, 1-shot", "meta_lstm", shots=1, steps=1490),
    "meta_lstm_5_shot": _served("Meta-LSTM, 5-shot", "meta_lstm", shots=5, steps=1370),
}


def _with_seed(entry: Entry, seed: int) -> Entry:
    return entry._replace(training=entry.training | {"seed": seed})


TABLE |= {
    f"{name}_seed_{seed}": _with_seed(TABLE[name], seed)
    for seed in (1, 2)
    for name in ("maml_served_1_shot", "meta_lstm_1_shot")
}
"""Entries of the same title are one learner, trained from several seeds."""

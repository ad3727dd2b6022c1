"""Learners and trainings that entries of the papers' table share, as sections of a configuration.

Inner learning rates are for the mean loss: MAML's code sums over the ways, so its 0.4 is 2.0 here.
"""

from typing import Any

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

MAML_20_WAY_5_SHOT: dict[str, Any] = MAML_20_WAY["training"] | {
    "episodes_per_step": 4,
    "eval_episodes": 200,
    "checkpoint_every": 200,
}

MAML_FROM_PROTONET: dict[str, Any] = {
    "name": "maml",
    "inner_steps": 2,
    "test_steps": 3,
    "inner_learning_rate": 1e-3,
    "learn_rates": False,
    "backbone": POOLED,
}
"""That ProtoNet's features are large, as nothing keeps their size down: its rate is small."""

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

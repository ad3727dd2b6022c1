"""The learners by name: a module with a factory of that name and the class of its options.

A factory takes `(options, network, task)` and returns a `base.Learner`. Adding a learner is one
file here and one line in `TABLE`; those outside the project are found by `user_modules`.
"""

from collections.abc import Callable
from typing import Any

from components import user_modules

TABLE = {
    "maml": "components.meta_trainer.learners.maml",
    "fomaml": "components.meta_trainer.learners.maml",
    "anil": "components.meta_trainer.learners.anil",
    "meta_sgd": "components.meta_trainer.learners.meta_sgd",
    "maml_plus_plus": "components.meta_trainer.learners.maml_plus_plus",
    "reptile": "components.meta_trainer.learners.reptile",
    "protonet": "components.meta_trainer.learners.protonet",
    "r2d2": "components.meta_trainer.learners.r2d2",
    "proto_maml": "components.meta_trainer.learners.proto_maml",
    "meta_lstm": "components.meta_trainer.learners.meta_lstm",
}
"""Name of a learner and of its factory -> the factory's module."""


def lookup(name: str) -> tuple[type, Callable[..., Any]]:
    """The options class and the factory of a learner; see `user_modules.lookup`."""
    return user_modules.lookup(name, TABLE, "learner.name")

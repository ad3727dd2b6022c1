"""The learners by name: a module with one options class and one factory each.

A factory takes `(options, network, task)` and returns a `base.Learner`. Adding a learner is
one file here and one line in `TABLE`; those outside the project are found by `own_learner`.
"""

import importlib
from collections.abc import Callable
from typing import Any

from components import user_modules

TABLE = {
    "maml": ("maml", "MamlOptions", "maml"),
    "fomaml": ("maml", "FomamlOptions", "fomaml"),
    "anil": ("anil", "AnilOptions", "anil"),
    "meta_sgd": ("meta_sgd", "MetaSgdOptions", "meta_sgd"),
    "maml_plus_plus": ("maml_plus_plus", "MamlPlusPlusOptions", "maml_plus_plus"),
    "reptile": ("reptile", "ReptileOptions", "reptile"),
    "protonet": ("protonet", "ProtonetOptions", "protonet"),
    "proto_maml": ("proto_maml", "ProtoMamlOptions", "proto_maml"),
    "meta_lstm": ("meta_lstm", "MetaLstmOptions", "meta_lstm"),
}
"""name -> (module, options class, factory)."""


def lookup(name: str) -> tuple[type, Callable[..., Any]]:
    """The options class and the factory of a learner; imports nothing but that one's module.

    Raises:
      KeyError: no learner has this name.
      UserError: a learner outside the project cannot be used.
    """
    if user_modules.is_own(name):
        return user_modules.lookup(name)
    module, options, factory = TABLE[name]
    loaded = importlib.import_module(f"{__name__}.{module}")
    return getattr(loaded, options), getattr(loaded, factory)

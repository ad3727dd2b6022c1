"""The user's own learner, backbone and source in a compiled pipeline.

Their code travels inside the compiled file, as an argument of the steps that run it. So no storage
and no rights are needed, and Kubeflow's cache key of a step, which has the arguments, changes too.
"""

import base64
from collections.abc import Mapping
from typing import Any

from components import own_code, user_modules
from pipeline.config import Config
from serving.errors import UserError

FLAG = "--own_code"
# In Base64 and twice within one variable of Kubeflow's own containers: Linux allows 128 KiB.
MAX_BYTES = 32 << 10


class OwnParts:
    """The parts of the user's own that a configuration and its run-time parameters name.

    Attributes:
      parts: name of each part by component and key, {"Trainer": {"learner.name": "mine.learner"}}.
    """

    def __init__(self, config: Config, parameters: Mapping[str, Any]) -> None:
        learner = config.learner
        keys = {
            "EpisodeGen": {"data.source": config.data.source},
            "Trainer": {
                "learner.name": parameters.get("learner", learner.get("name", "")),
                "learner.backbone.name": (learner.get("backbone") or {}).get("name", ""),
            },
        }
        self.parts = {
            component: {k: name for k, name in named.items() if user_modules.is_own(name)}
            for component, named in keys.items()
        }

    def __bool__(self) -> bool:
        return any(self.parts.values())

    def __str__(self) -> str:
        named = {k: name for parts in self.parts.values() for k, name in parts.items()}
        return ", ".join(f"`{key}` {name}" for key, name in named.items())

    def names(self) -> list[str]:
        """The parts' names."""
        return [name for parts in self.parts.values() for name in parts.values()]

    def files(self) -> list[str]:
        """The files that are packed, as paths in the archives."""
        return sorted(own_code.own_files(self.names()))

    def missing(self) -> list[str]:
        """What the image must hold besides the packed files."""
        return own_code.missing_from(self.names())

    def arguments(self) -> dict[str, str]:
        """The argument of each component that runs code of the user's own.

        Raises:
          UserError: the code is too large for one.
        """
        arguments = {}
        for component, named in self.parts.items():
            archive = own_code.pack(named.values())
            if len(archive) > MAX_BYTES:
                raise UserError(
                    f"the code of your own must be at most {MAX_BYTES >> 10} kB, compressed, to "
                    f"travel in the compiled file: {self} and what it imports have "
                    f"{len(archive) >> 10} kB. Put it into the image, where Python finds it, and "
                    "give `--own-code image`."
                )
            if archive:
                arguments[component] = f"{FLAG}={base64.b64encode(archive).decode()}"
        return arguments


def other_paths(config: Config, parameters: Mapping[str, Any]) -> list[str]:
    """The paths outside the shared folder and object storage, which the image must hold.

    Args:
      config: the whole configuration.
      parameters: defaults of run-time parameters by name, instead of the configuration's.
    """
    data = {"data.path": config.data.path, "data.data_dir": config.data.data_dir}
    if "data_location" in parameters:
        data = {"data_location": parameters["data_location"]}
    given = data | {
        "learner.backbone.path": (config.learner.get("backbone") or {}).get("path"),
        "training.start_from": config.training.start_from,
    }
    shared = config.kubeflow.shared_dir.rstrip("/") + "/"
    return [
        f"`{key}` {path}"
        for key, path in given.items()
        if path and "://" not in path and not path.startswith(shared)
    ]


def make_importable(argument: str) -> None:
    """Makes the code in the value of the step's argument importable."""
    own_code.unpack(base64.b64decode(argument))

"""Reads which models and versions to serve: a ModelServerConfig as plain records."""

import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from tensorflow_serving.config import model_server_config_pb2

from serving.errors import UserError
from serving.model_server.options import ServerOptions, check_model_flags, read_text_proto
from serving.model_server.request_log.target import LogTarget, read_logging_config
from serving.protocol.status import StatusError, invalid_argument


class ModelConfig(NamedTuple):
    """A model to serve and the policy for its versions."""

    name: str
    base_path: Path  # the folder of the version folders
    latest: int = 1  # number of newest versions to serve; 0 for all
    specific: tuple[int, ...] = ()  # the versions to serve instead of the newest
    labels: tuple[tuple[str, int], ...] = ()  # version numbers by label ("stable", "canary")
    log: LogTarget | None = None  # of its requests; None where its configuration has none

    def candidates(self, existing: Iterable[int]) -> list[int]:
        """Lists the versions on disk that the policy allows, best first."""
        newest_first = sorted(existing, reverse=True)
        if self.specific:
            return [version for version in newest_first if version in self.specific]
        return newest_first

    @property
    def max_versions(self) -> float:
        """The number of candidates to serve, at most."""
        return math.inf if self.specific or not self.latest else self.latest


def initial_configs(options: ServerOptions) -> list[ModelConfig]:
    """Reads the models from the command line or the configuration file; UserError if not valid."""
    check_model_flags(options)
    if options.model_config_file:
        return read_config_file(options.model_config_file)
    return [ModelConfig(options.model_name, Path(options.model_base_path).absolute())]


def read_config_file(path: str) -> list[ModelConfig]:
    """Reads a ModelServerConfig in text format."""
    empty = model_server_config_pb2.ModelServerConfig()
    try:
        return parse_config(read_text_proto(path, empty, "model_config_file"))
    except StatusError as error:
        raise UserError(f"`model_config_file` {path}: {error.message.rstrip('.')}.") from error


def parse_config(message: Any) -> list[ModelConfig]:
    """Reads a ModelServerConfig; INVALID_ARGUMENT with TensorFlow Serving's messages."""
    if message.WhichOneof("config") == "custom_model_config":
        raise invalid_argument("Custom model configurations are not supported")
    configs = message.model_config_list.config
    for name, count in Counter(config.name for config in configs).items():
        if count > 1:
            raise invalid_argument(f"Illegal to list model {name} multiple times in config list")
    return [_parse_model(config) for config in configs]


def _parse_model(config: Any) -> ModelConfig:
    if not Path(config.base_path).is_absolute():
        raise invalid_argument(
            f"Expected model {config.name} to have an absolute path or URI; "
            f"got base_path()={config.base_path}"
        )
    _check_platform(config)
    policy = config.model_version_policy
    kind = policy.WhichOneof("policy_choice")
    if kind == "specific" and not policy.specific.versions:
        raise invalid_argument(f"Expected model {config.name} to list its specific versions")
    logs = config.HasField("logging_config")
    return ModelConfig(
        name=config.name,
        base_path=Path(config.base_path),
        latest=0 if kind == "all" else (policy.latest.num_versions or 1),
        specific=tuple(policy.specific.versions),
        labels=tuple(sorted(config.version_labels.items())),
        log=read_logging_config(config.name, config.logging_config) if logs else None,
    )


def _check_platform(config: Any) -> None:
    platform, kind = config.model_platform, config.model_type
    if platform and kind:
        raise invalid_argument(
            "Illegal setting both ModelServerConfig::model_type (deprecated) and "
            "ModelServerConfig::model_platform."
        )
    if not platform and not kind:
        raise invalid_argument(
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor "
            "ModelServerConfig::model_platform."
        )
    if kind not in (0, model_server_config_pb2.TENSORFLOW):
        raise invalid_argument(f"ModelServerConfig::model_type choice {kind} not supported.")
    if platform and platform != "tensorflow":
        raise invalid_argument(f"Model {config.name} requests unsupported platform {platform}")

"""The configuration of a pipeline: frozen dataclasses, read from YAML, checked at once."""

import dataclasses
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from components.episode_gen.options import DataOptions, EpisodeOptions, check_ways
from components.episode_gen.sources import gives_targets
from components.few_shot_evaluator.options import EvaluationOptions
from components.meta_trainer.options import TrainingOptions, backbone_options, learner_options
from components.options import build_options, options_class
from pipeline.beam_options import BeamOptions
from pipeline.kubeflow.options import KubeflowOptions
from pipeline.renamed_keys import current_path, two_names_error, use_current_names
from serving.errors import UserError


@options_class
class ServingOptions:
    """How the model is served."""

    model_name: str = "fewshot"
    """Name that the model is served under, and name of the folder of its versions."""
    keep_versions: int | None = Field(default=None, ge=1)
    """How many versions stay after a push, the newest that load; null to keep all."""


@options_class
class Config:
    """The configuration of a pipeline. `learner` is a mapping: its options depend on its name."""

    name: str
    """The pipeline's name: lower-case letters, digits and hyphens; by default the file's."""
    data: DataOptions = DataOptions()
    episodes: EpisodeOptions = EpisodeOptions()
    learner: dict[str, Any] = Field(default_factory=lambda: {"name": "maml"})
    training: TrainingOptions = TrainingOptions()
    evaluation: EvaluationOptions = EvaluationOptions()
    serving: ServingOptions = ServingOptions()
    beam: BeamOptions = BeamOptions()
    kubeflow: KubeflowOptions = KubeflowOptions()

    def __post_init__(self) -> None:
        # Kubeflow's rule for pipeline names; TFX itself is less strict.
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,127}", self.name):
            raise UserError(
                "`name` must be lower-case letters, digits and hyphens, as Kubeflow requires; "
                f"got {self.name!r}."
            )
        regression = gives_targets(self.data.source)
        check_ways(self.data, self.episodes, regression)
        threshold = self.evaluation.threshold
        if regression is False and (threshold or 0) > 1:
            raise UserError(
                f"`evaluation.threshold` is an accuracy and must be at most 1; got {threshold}."
            )
        if self.evaluation.episodes > self.episodes.counts.test:
            raise UserError(
                f"`evaluation.episodes` must be at most `episodes.counts.test`, "
                f"{self.episodes.counts.test}; got {self.evaluation.episodes}."
            )
        if self.training.eval_episodes > self.episodes.counts.eval:
            raise UserError(
                f"`training.eval_episodes` must be at most `episodes.counts.eval`, "
                f"{self.episodes.counts.eval}; got {self.training.eval_episodes}."
            )
        if self.episodes.counts.train < 1:
            raise UserError("`episodes.counts.train` must be at least 1; got 0.")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, every default resolved."""
        return dataclasses.asdict(self)  # type: ignore[call-overload]


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """Reads a YAML file and applies `--set` overrides, each `section.key=value`, the value as YAML.

    Old names of keys are read too.

    Raises:
      UserError: anything wrong with it, in one sentence.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"`--config` must be a readable file: {path} ({error.strerror}).") from None
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split()).replace('in "<unicode string>", ', "at ")
        raise UserError(f"{path} is not YAML: {reason}.") from None
    if not isinstance(values, dict):
        raise UserError(f"{path} must hold sections (`data:`, `episodes:`, ...), and holds none.")
    values.setdefault("name", name_of(path))
    use_current_names(values)
    spellings: dict[str, str] = {}
    for override in overrides:
        old, value = _parse(override)
        new = current_path(old, values)
        if spellings.setdefault(new, old) != old:
            raise two_names_error(new, next(name for name in (old, spellings[new]) if name != new))
        values = with_override(values, new, value, old)
    use_current_names(values)  # a value may be a whole section
    return build_config(values)


def name_of(path: str | Path) -> str:
    """A pipeline's name after a file or folder: without accents, other signs as hyphens."""
    plain = unicodedata.normalize("NFKD", Path(path).stem).encode("ascii", "ignore").decode()
    return re.sub("[^a-z0-9]+", "-", plain.lower()).strip("-") or "data"


def build_config(values: Mapping[str, Any]) -> Config:
    """Builds the configuration from plain values by section.

    Raises:
      UserError: an unknown key, a wrong type, a value out of range, an unknown learner or option.
    """
    config = build_options(Config, {k: v for k, v in values.items() if v is not None}, "")
    learner_options(config.learner)
    if config.learner.get("backbone"):
        backbone_options(config.learner, default="conv4")
    return config


def _parse(override: str) -> tuple[str, Any]:
    """The path and the value of `section.key=value`."""
    path, equals, text = override.partition("=")
    if not equals or not all(path.split(".")):
        raise UserError(f"`--set` must be section.key=value; got {override!r}.")
    try:
        return path, yaml.safe_load(text)
    except yaml.YAMLError:
        raise UserError(f"`--set {path}` must have a YAML value; got {text!r}.") from None


def with_override(
    values: dict[str, Any], path: str, value: Any, given: str | None = None
) -> dict[str, Any]:
    """A copy of `values` with `value` at `section.key`; errors name the path as it was `given`."""
    first, _, rest = path.partition(".")
    if not rest:
        return {**values, first: value}
    inner, given = values.get(first) or {}, given or path
    if not isinstance(inner, dict):
        raise UserError(f"`--set {given}`: `{first}` is not a section, but {inner!r}.")
    return {**values, first: with_override(inner, rest, value, given)}

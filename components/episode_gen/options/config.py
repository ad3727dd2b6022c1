"""Both sections together: what EpisodeGen is given."""

from pydantic import TypeAdapter

from components.episode_gen.options.data import DataOptions
from components.episode_gen.options.episodes import EpisodeOptions
from components.episode_gen.sources import gives_targets
from components.options import options_class
from serving.errors import UserError


def check_ways(data: DataOptions, episodes: EpisodeOptions, one_task: bool | None) -> None:
    """Raises UserError where `ways` do not fit the kind of episode that the source gives.

    `one_task`: whether an episode is one task, as where examples have float targets or phrases in
    place of classes; `None` while that is not known.
    """
    where, task = f"`data.source` is {data.source}", "regression task"
    if data.phrase_feature:
        one_task = True
        where, task = "`data.phrase_feature` is set", "class, whose phrases are told apart"
    for name in ("ways", "train_ways"):
        ways = getattr(episodes, name)
        if ways is None or one_task is None:
            continue
        if not one_task and ways < 2:
            raise UserError(f"`episodes.{name}` must be at least 2: got {ways}.")
        if one_task and ways != 1:
            raise UserError(
                f"`episodes.{name}` must be 1 when {where}, since an episode is one "
                f"{task}: got {ways}."
            )


@options_class
class EpisodeGenConfig:
    """Everything that the episodes depend on: the component's `config_json`."""

    data: DataOptions = DataOptions()
    episodes: EpisodeOptions = EpisodeOptions()

    def __post_init__(self) -> None:
        check_ways(self.data, self.episodes, gives_targets(self.data.source))

    def to_json(self) -> str:
        """Both sections, every default resolved: the parameter of the step."""
        return TypeAdapter(EpisodeGenConfig).dump_json(self).decode()

    @classmethod
    def from_json(cls, config_json: str) -> "EpisodeGenConfig":
        """The inverse of `to_json`; what is left out has its default."""
        return TypeAdapter(cls).validate_json(config_json)

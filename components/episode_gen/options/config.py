"""Both sections together: what EpisodeGen is given."""

from pydantic import TypeAdapter

from components.episode_gen.options.data import DataOptions
from components.episode_gen.options.episodes import EpisodeOptions
from components.episode_gen.sources import gives_targets
from components.options import options_class
from serving.errors import UserError


def check_ways(data: DataOptions, episodes: EpisodeOptions, regression: bool | None) -> None:
    """Raises UserError where `ways` do not fit the kind of episode that the source gives.

    `regression`: whether examples have float targets; `None` while that is not known.
    """
    for name in ("ways", "train_ways"):
        ways = getattr(episodes, name)
        if ways is None or regression is None:
            continue
        if not regression and ways < 2:
            raise UserError(f"`episodes.{name}` must be at least 2: got {ways}.")
        if regression and ways != 1:
            raise UserError(
                f"`episodes.{name}` must be 1 when `data.source` is {data.source}, since an "
                f"episode is one regression task: got {ways}."
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

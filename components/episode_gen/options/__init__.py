"""The configuration's sections `data` and `episodes`.

Only what can be checked without looking at the data is checked here; `check.check_data` looks.
"""

from components.episode_gen.options.config import EpisodeGenConfig, check_ways
from components.episode_gen.options.data import DataOptions
from components.episode_gen.options.episodes import EpisodeCounts, EpisodeOptions

__all__ = ["DataOptions", "EpisodeCounts", "EpisodeGenConfig", "EpisodeOptions", "check_ways"]

"""The configuration's section `episodes`."""

import dataclasses
from typing import Literal, NamedTuple

from pydantic.dataclasses import dataclass

from components.episode_gen.options.rules import STRICT, require
from components.episodes import SPLITS
from serving.errors import UserError


@dataclass(frozen=True, config=STRICT)
class EpisodeCounts:
    """How many episodes each split gets; 0 leaves the split empty."""

    train: int = 10_000
    eval: int = 200
    test: int = 1_000


class EpisodeShape(NamedTuple):
    """N ways, K shots and the query examples per class."""

    ways: int
    shots: int
    queries: int


@dataclass(frozen=True, config=STRICT)
class EpisodeOptions:
    """What an episode is.

    Attributes:
      ways: N, classes in an episode; 1 for regression, where an episode is one task.
      shots: K, support examples of each class.
      queries: query examples of each class.
      train_ways, train_shots, train_queries: the same for the episodes of `train` where they
        differ, as in the protocols of prototypical networks, Reptile and MAML; null for the same.
      counts: of episodes.
      rotations: "none"; "train": every class of an episode of `train` is turned by 0, 90, 180 or
        270 degrees, drawn anew for each episode, and the four count as classes of their own
        ("name@90"), of which an episode never holds two; "all": in every split.
      train_within_group: whether all classes of an episode of `train` are of one group, drawn anew
        for each episode: where one speaker's words are to be told apart, telling speakers apart is
        no help. Every group of `train` must then have N classes.
      seed: of the episodes.
    """

    ways: int = 5
    shots: int = 1
    queries: int = 15
    train_ways: int | None = None
    train_shots: int | None = None
    train_queries: int | None = None
    counts: EpisodeCounts = dataclasses.field(default_factory=EpisodeCounts)
    rotations: Literal["none", "train", "all"] = "none"
    train_within_group: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("ways", "shots", "queries"):
            require(f"episodes.{name}", getattr(self, name), at_least=1)
            own = getattr(self, f"train_{name}")
            if own is not None:
                require(f"episodes.train_{name}", own, at_least=1)
        for split in SPLITS:
            require(f"episodes.counts.{split}", getattr(self.counts, split), at_least=0)
        require("episodes.seed", self.seed, at_least=0)
        if not any(getattr(self.counts, split) for split in SPLITS):
            raise UserError("`episodes.counts` must ask for at least one episode: got 0 in all.")

    def shape_of(self, split: str) -> EpisodeShape:
        """The shape of the episodes of a split."""
        if split != "train":
            return EpisodeShape(self.ways, self.shots, self.queries)
        return EpisodeShape(
            self.ways if self.train_ways is None else self.train_ways,
            self.shots if self.train_shots is None else self.train_shots,
            self.queries if self.train_queries is None else self.train_queries,
        )

    def rotates(self, split: str) -> bool:
        """Whether the classes of a split's episodes are turned."""
        return self.rotations == "all" or (self.rotations == "train" and split == "train")

    def within_group(self, split: str) -> bool:
        """Whether an episode of a split holds classes of one group only."""
        return self.train_within_group and split == "train"

"""The configuration's section `episodes`."""

from typing import Literal

from pydantic import Field

from components.episodes import SPLITS, EpisodeShape
from components.options import options_class
from serving.errors import UserError


@options_class
class EpisodeCounts:
    """How many episodes each split gets; 0 leaves the split empty."""

    train: int = Field(default=10_000, ge=0)
    """Episodes to meta-train on."""
    eval: int = Field(default=200, ge=0)
    """Episodes for meta-validation."""
    test: int = Field(default=1_000, ge=0)
    """Episodes to evaluate the model on."""


@options_class
class EpisodeOptions:
    """What an episode is."""

    ways: int = Field(default=5, ge=1)
    """N, classes in an episode; 1 for regression, where an episode is one task."""
    shots: int = Field(default=1, ge=1)
    """K, support examples of each class."""
    queries: int = Field(default=15, ge=1)
    """Query examples of each class."""
    train_ways: int | None = Field(default=None, ge=1)
    """N of the episodes of `train` where it differs, as in the protocol of prototypical networks;
    null for the same."""
    train_shots: int | None = Field(default=None, ge=1)
    """K of the episodes of `train` where it differs; null for the same."""
    train_queries: int | None = Field(default=None, ge=1)
    """Query examples of each class in `train` where it differs; null for the same."""
    counts: EpisodeCounts = EpisodeCounts()
    """How many episodes there are."""
    rotations: Literal["none", "train", "all"] = "none"
    """"train": every class of an episode of `train` is rotated by 0, 90, 180 or 270 degrees, drawn
    anew for each episode, and the four count as classes of their own ("name@90"), of which an
    episode never holds two; "all": in every split."""
    train_within_group: bool = False
    """Whether all classes of an episode of `train` are of one group, drawn anew for each episode:
    where one speaker's words are to be told apart, telling speakers apart is no help. Every group
    of `train` must then have N classes."""
    seed: int = Field(default=0, ge=0)
    """Seed of the episodes."""

    def __post_init__(self) -> None:
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
        """Whether the classes of a split's episodes are rotated."""
        return self.rotations == "all" or (self.rotations == "train" and split == "train")

    def within_group(self, split: str) -> bool:
        """Whether an episode of a split holds classes of one group only."""
        return self.train_within_group and split == "train"

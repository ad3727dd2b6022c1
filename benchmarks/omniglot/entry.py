"""What an entry of the papers' table is: what is trained, and on which episodes it is tested.

The split is Finn et al.'s, 1100 characters for meta-training, 100 for meta-validation, 423 for the
test, drawn at random.
"""

from typing import Any, NamedTuple

DATA = {
    "source": "tfds",
    "name": "omniglot",
    "invert": True,
    "split_by": "class",
    "split_counts": [1100, 100, 423],
}
TEST_EPISODES = 1000


class Test(NamedTuple):
    """The shape of test episodes; queries are per class."""

    ways: int
    shots: int
    queries: int
    rotations: str = "none"

    @property
    def task(self) -> str:
        """Names ways and shots, as in "5w1s"."""
        return f"{self.ways}w{self.shots}s"


class Entry(NamedTuple):
    """One row of the table.

    Attributes:
      title: title in the table.
      train: ways, shots, queries and number of training episodes; each is augmented anew at
        every use.
      learner: the configuration's section.
      training: the configuration's section.
      tests: shapes of the test episodes; the first one is also that of meta-validation.
      starts_from: name of the entry whose best weights it starts from; random weights if null.
    """

    title: str
    train: tuple[int, int, int, int]
    learner: dict[str, Any]
    training: dict[str, Any]
    tests: tuple[Test, ...]
    starts_from: str | None = None

    @property
    def episodes(self) -> dict[str, Any]:
        """Makes the section `episodes` of training and meta-validation."""
        ways, shots, queries, count = self.train
        return {
            **_shape(self.tests[0]),
            "train_ways": ways,
            "train_shots": shots,
            "train_queries": queries,
            "counts": {"train": count, "eval": self.training["eval_episodes"], "test": 0},
        }


def evaluation_episodes(test: Test) -> dict[str, Any]:
    """Makes the section `episodes` of a test."""
    return _shape(test) | {"counts": {"train": 0, "eval": 0, "test": TEST_EPISODES}}


def _shape(test: Test) -> dict[str, Any]:
    return test._asdict() | {"rotations": "none" if test.rotations == "none" else "all"}


SERVED = (Test(5, 1, 15), Test(5, 5, 15), Test(20, 1, 5), Test(20, 5, 5))
"""Upright characters; 75 or 100 queries an episode."""
PUBLISHED = tuple(
    Test(ways, shots, queries=shots, rotations="all") for ways in (20, 5) for shots in (1, 5)
)
"""Finn et al.'s: as many queries as shots, and characters rotated."""

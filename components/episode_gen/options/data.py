"""The configuration's section `data`."""

import re
from typing import Literal

from pydantic.dataclasses import dataclass

from components.episode_gen.options.rules import STRICT, require
from components.episode_gen.sources import SOURCES
from serving.errors import UserError

PATHS = {
    "folder": "a folder with one sub-folder of files a class",
    "table": "a CSV, TSV or JSONL file",
}
"""What `data.path` is for the sources that have one."""


@dataclass(frozen=True, config=STRICT)
class DataOptions:
    """Which classes there are, and which of them are for what.

    Attributes:
      source: "glyphs" (built in), "tfds" (any TensorFlow Datasets builder), "folder" (a folder
        with one sub-folder of images or wav files a class) or "table" (a CSV, TSV or JSONL file
        with a column of texts and one of classes).
      name: of the TFDS builder: "omniglot"; several that are a group each are joined by +, as
        "cmaterdb/bangla+cmaterdb/telugu".
      path: of the folder or table.
      data_dir: where TFDS data lie; null for the variable TFDS_DATA_DIR, else TFDS's own default.
      tfds_splits: the TFDS splits whose classes are pooled, as "train+test"; null for all of
        train, validation and test that exist.
      input_feature, label_feature, group_feature: of the TFDS data, or columns of the table;
        guessed when null.
      group_pattern: a regular expression that finds the group in the value of `group_feature`, as
        its first parenthesis: "_(.+)_" is theo in 7_theo_0.wav. Null for the whole value.
      image_size: height and width that images are resized to, in pixels.
      image_channels: 1 (grey) or 3 (colour).
      unreadable: whether files that cannot be read, and rows of a table that lack a text or a
        class, are refused (the default) or skipped; each is named either way.
      sample_rate: of recordings, in samples per second; others are refused.
      max_seconds: longer recordings are refused.
      invert: feed `1 - pixel / 255` to the network (dark ink on white becomes 1 on 0).
      split_by: "class", or "group" so that no group (alphabet, speaker, domain) is in two splits.
      split_counts: classes (or groups) for train, eval and test; null to use the fractions.
      split_fractions: the same as shares of all.
      eval_within: by group only: take this share of the classes of the train groups for
        meta-validation, in place of groups of its own. The report then shows the drop from new
        classes of known groups to those of new groups (domains).
      tasks: of the generated regression sources: how many there are, a class each.
      examples_per_task: of these sources: how many of each; an episode takes K + Q of them.
      seed: of the splits.
      table_megabytes: up to this size the class data are kept in one memory-mapped file; beyond
        it episodes are joined from the source. Both give the same episodes.
    """

    source: str = "glyphs"
    name: str | None = None
    path: str | None = None
    data_dir: str | None = None
    tfds_splits: str | None = None
    input_feature: str | None = None
    label_feature: str | None = None
    group_feature: str | None = None
    group_pattern: str | None = None
    image_size: int = 28
    image_channels: Literal[1, 3] = 1
    unreadable: Literal["refuse", "skip"] = "refuse"
    sample_rate: int = 16_000
    max_seconds: float = 10.0
    invert: bool = False
    split_by: Literal["class", "group"] = "class"
    split_counts: tuple[int, int, int] | None = None
    split_fractions: tuple[float, float, float] = (0.64, 0.16, 0.2)  # as miniImageNet: 64, 16, 20
    eval_within: float | None = None
    tasks: int = 5_000
    examples_per_task: int = 20
    seed: int = 0
    table_megabytes: int = 2048

    def __post_init__(self) -> None:
        if self.source not in SOURCES:
            raise UserError(
                f"`data.source` must be one of {', '.join(SOURCES)}: got {self.source!r}."
            )
        if self.source == "tfds" and not self.name:
            raise UserError(
                "`data.name` must name a TFDS builder when `data.source` is tfds: got none. "
                "Set it, for instance to omniglot."
            )
        if self.source in PATHS and not self.path:
            raise UserError(
                f"`data.path` must be {PATHS[self.source]} when `data.source` is {self.source}: "
                "got none."
            )
        require("data.image_size", self.image_size, at_least=4)
        require("data.tasks", self.tasks, at_least=1)
        require("data.examples_per_task", self.examples_per_task, at_least=1)
        require("data.seed", self.seed, at_least=0)
        require("data.table_megabytes", self.table_megabytes, at_least=0)
        require("data.sample_rate", self.sample_rate, at_least=1_000)
        if self.max_seconds <= 0:
            raise UserError(f"`data.max_seconds` must be above 0: got {self.max_seconds}.")
        self._check_groups()
        if self.split_counts is not None and min(self.split_counts) < 0:
            raise UserError(f"`data.split_counts` must not be negative: got {self.split_counts}.")
        if min(self.split_fractions) < 0 or not 0 < sum(self.split_fractions) <= 1 + 1e-9:
            raise UserError(
                "`data.split_fractions` must be three shares of at least 0 that add up to at most "
                f"1: got {self.split_fractions}."
            )

    def _check_groups(self) -> None:
        try:
            parentheses = re.compile(self.group_pattern or "()").groups
        except re.error:
            parentheses = 0
        if parentheses != 1:
            raise UserError(
                "`data.group_pattern` must be a regular expression with one parenthesis: got "
                f"{self.group_pattern!r}."
            )
        if self.eval_within is None:
            return
        if self.split_by != "group":
            raise UserError("`data.eval_within` can be set only where `data.split_by` is group.")
        if not 0 < self.eval_within < 1:
            raise UserError(
                f"`data.eval_within` must be a share between 0 and 1: got {self.eval_within}."
            )

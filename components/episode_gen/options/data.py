"""The configuration's section `data`."""

import re
from typing import Annotated, Literal

from pydantic import Field

from components import user_modules
from components.episode_gen.sources import SOURCES
from components.options import options_class
from serving.errors import UserError

PATHS = {
    "folder": "a folder with one sub-folder of files a class",
    "table": "a CSV, TSV, JSONL or JSON file",
    "served": "a folder of a server's request log",
}
"""What `data.path` is for the sources that have one."""

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0)]


@options_class
class DataOptions:
    """Which classes there are, and which of them are for what."""

    source: str = "glyphs"
    """Where the class data come from: "glyphs" (characters drawn by the project), "tfds" (any
    TensorFlow Datasets builder), "folder" (a folder with one sub-folder of images or recordings a
    class), "table" (a CSV, TSV, JSONL or JSON file with columns of texts and classes), "served"
    (support sets that a server logged), "sinusoid", "styles" or "styles_in_colour" (generated
    regression tasks), or `module.name` of one's own (see components/episode_gen/README.md)."""
    name: str | None = None
    """Name of the TFDS builder, as "omniglot"; several that are a group each are joined by +, as
    "cmaterdb/bangla+cmaterdb/telugu". Of a request log, the model; null where it has one."""
    path: str | None = None
    """Path of the folder, table or request log; of "styles_in_colour" a folder of pictures, or null
    for drawn ones."""
    modality: Literal["image", "text", "audio", "vector"] | None = None
    """What the examples of a request log are; null to tell from the first of them, where float32
    tensors are taken for vectors: those of a speech model need "audio"."""
    encoding: str | None = None
    """Text encoding of a table, as "cp1252"; null for UTF-8, or UTF-16 where the file begins with
    its mark."""
    data_dir: str | None = None
    """Where TFDS data lie; null for the variable TFDS_DATA_DIR, else TFDS's own default."""
    tfds_splits: str | None = None
    """The TFDS splits whose classes are pooled, as "train+test"; null for all of train, validation
    and test that exist."""
    input_feature: str | None = None
    """The TFDS feature, or column of the table, that holds the examples; guessed when null."""
    label_feature: str | None = None
    """The one that holds the class; guessed when null."""
    phrase_feature: str | None = None
    """The one that holds the phrase that a text means, such as its English: the column of a table.
    An episode is then one class, such as a language, and a query is answered by one of a list of
    phrases; rows of a class whose phrase an earlier row has are left out."""
    group_feature: str | None = None
    """The one that holds the group (alphabet, speaker, domain); guessed when null."""
    group_pattern: str | None = None
    """A regular expression that finds the group in the value of `group_feature`, as its first
    parenthesis: "_(.+)_" is theo in 7_theo_0.wav. Null for the whole value."""
    image_size: int = Field(default=28, ge=4)
    """Height and width that images are resized to, in pixels."""
    image_channels: Literal[1, 3] = 1
    """1 (grey) or 3 (colour)."""
    max_pixels: int = Field(default=50_000_000, ge=1)
    """Larger images (width times height) are refused before they are decoded, here and by the
    served model."""
    unreadable: Literal["refuse", "skip"] = "refuse"
    """Whether files that cannot be read or lie outside the classes, and rows of a table that lack
    a text or a class, are refused or skipped; each is named either way."""
    copies: Literal["skip", "keep"] = "skip"
    """Whether equal files of a folder, and equal texts of a table, are kept out of one episode (of
    those of a class, the first alone is drawn); else it may ask about the very example that it
    shows. They are counted either way."""
    min_examples: Count = 0
    """Classes with fewer examples are left out, and named."""
    sample_rate: int = Field(default=16_000, ge=1_000)
    """Samples per second of recordings; other rates are refused, or converted by `resample`."""
    resample: bool = False
    """Convert recordings of a folder that have another rate."""
    downmix: bool = False
    """Take the mean of the channels of a folder's recordings; else those of several channels are
    refused."""
    max_seconds: float = Field(default=10.0, gt=0)
    """Longer recordings are refused."""
    invert: bool = False
    """Feed `1 - pixel / 255` to the network (dark ink on white becomes 1 on 0)."""
    split_by: Literal["class", "group", "given"] = "class"
    """"class", "group" so that no group is in two splits, or "given" where the data set brings its
    splits: the folder above the classes, or the group, is called train, val or test."""
    split_counts: tuple[Count, Count, Count] | None = None
    """Classes (or groups) for train, eval and test; null to use the fractions."""
    split_fractions: tuple[Share, Share, Share] = (0.64, 0.16, 0.2)  # as miniImageNet: 64, 16, 20
    """Shares of all classes (or groups) for train, eval and test."""
    eval_within: float | None = Field(default=None, gt=0, lt=1)
    """By group only: take this share of the classes of the train groups for meta-validation, in
    place of groups of its own. The report then shows the drop from new classes of known groups to
    those of new groups."""
    tasks: int = Field(default=5_000, ge=1)
    """How many tasks a generated regression source has, a class each."""
    examples_per_task: int = Field(default=20, ge=1)
    """Examples of each of these tasks; an episode takes K + Q of them."""
    seed: int = Field(default=0, ge=0)
    """Seed of the splits."""
    table_megabytes: int = Field(default=2048, ge=0)
    """Up to this size the class data are kept in one file that workers share; beyond it an engine
    joins episodes from the source. On this machine it is always the file. Both give the same
    episodes."""

    def __post_init__(self) -> None:
        if self.source not in SOURCES and not user_modules.is_own(self.source):
            raise UserError(
                f"`data.source` must be one of {', '.join(SOURCES)} or `module.name` of one's own: "
                f"got {self.source!r}."
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
        if self.phrase_feature and self.source != "table":
            raise UserError(
                "`data.phrase_feature` can be set only when `data.source` is table: got "
                f"{self.source}."
            )
        if not 0 < sum(self.split_fractions) <= 1 + 1e-9:
            raise UserError(
                "`data.split_fractions` must be three shares of at least 0 that add up to at most "
                f"1: got {self.split_fractions}."
            )
        try:
            parentheses = re.compile(self.group_pattern or "()").groups
        except re.error:
            parentheses = 0
        if parentheses != 1:
            raise UserError(
                "`data.group_pattern` must be a regular expression with one parenthesis: got "
                f"{self.group_pattern!r}."
            )
        if self.split_by == "given" and self.split_counts is not None:
            raise UserError(
                "`data.split_counts` must not be set where `data.split_by` is given: got "
                f"{list(self.split_counts)}. Remove it."
            )
        if self.eval_within is not None and self.split_by != "group":
            raise UserError("`data.eval_within` can be set only where `data.split_by` is group.")

"""The page of all options is the one that the code gives, and says something of each."""

import dataclasses

from components.options import options_class
from tests.pipeline.make_reference import PAGE, _rows, page


def test_the_committed_page_is_the_one_of_the_code():
    assert PAGE.read_text() == page(), "run: python -m tests.pipeline.make_reference"


def test_every_key_has_a_sentence():
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert len(rows) > 100
    assert [row for row in rows if row.endswith("|  |")] == []


def test_types_defaults_ranges_and_inherited_sentences():
    from typing import Literal

    from pydantic import Field

    @options_class
    class Base:
        steps: int = Field(default=1, ge=1, lt=9)
        """How many."""

    @options_class
    class Options(Base):
        kind: Literal["a", "b"] | None = None
        """Which of them."""
        inner: Base = Base(steps=3)
        """More."""

    assert list(_rows(Options, "", None)) == [
        ("`steps`", "integer", "`1`", ">= 1, < 9", "How many."),
        ("`kind`", '`"a"`, `"b"` or null', "`null`", "", "Which of them."),
        ("`inner.steps`", "integer", "`3`", ">= 1, < 9", "How many."),
    ]


def test_all_options_are_of_one_style():
    """Frozen, and made by `options_class`: it alone reads the sentences below the fields."""
    from components.meta_trainer import backbones, learners
    from pipeline.config import Config

    classes = [Config, *(f.type for f in dataclasses.fields(Config))]
    classes += [table.lookup(name)[0] for table in (learners, backbones) for name in table.TABLE]
    for options in filter(dataclasses.is_dataclass, classes):
        assert options.__dataclass_params__.frozen, options
        config = options.__pydantic_config__
        assert (config["extra"], config["strict"]) == ("forbid", True), options
        assert config["use_attribute_docstrings"], options

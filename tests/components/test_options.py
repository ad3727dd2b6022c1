"""Options: frozen, strict, and each mistake one sentence that names key, rule and value."""

import dataclasses

import pytest
from pydantic import Field

from components.options import build_options, options_class
from serving.errors import UserError


@options_class
class Inner:
    share: float = Field(default=0.5, gt=0, lt=1)
    """A share."""


@options_class
class Options:
    steps: int = Field(default=1, ge=1, le=9)
    """How many."""
    sizes: tuple[int, ...] = ()
    """Sizes."""
    inner: Inner = Inner()
    """More options."""

    def __post_init__(self) -> None:
        if self.steps == len(self.sizes):
            raise UserError("`a.steps` must differ from the number of `a.sizes`.")


def test_plain_values_become_frozen_options():
    options = build_options(Options, {"sizes": [2, 3], "inner": {"share": 0.25}}, "a")
    assert options == Options(sizes=(2, 3), inner=Inner(share=0.25))
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.steps = 2


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"steps": 0}, "`a.steps` must be at least 1; got 0."),
        ({"steps": 10}, "`a.steps` must be at most 9; got 10."),
        ({"inner": {"share": 0}}, "`a.inner.share` must be above 0; got 0."),
        ({"inner": {"share": 1.0}}, "`a.inner.share` must be below 1; got 1.0."),
        ({"steps": "3"}, "`a.steps` must be a valid integer; got '3'."),
        ({"sizes": [1, "b"]}, "`a.sizes.1` must be a valid integer; got 'b'."),
        ({"stps": 3}, "`a.stps` is not an option; did you mean `steps`?"),
        ({"inner": {"zzz": 1}}, "`a.inner.zzz` is not an option; there are share."),
        ({"sizes": [1]}, "`a.steps` must differ from the number of `a.sizes`."),
    ],
)
def test_a_mistake_is_one_sentence(values, sentence):
    with pytest.raises(UserError) as error:
        build_options(Options, values, "a")
    assert str(error.value) == sentence

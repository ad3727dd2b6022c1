"""Meta-validation takes episodes in stacks that fit into memory, whatever their examples' size."""

import pytest

from components.episodes.format import FORMAT_VERSION
from components.episodes.record import EpisodeSetRecord
from components.meta_trainer.run_fn import VALIDATION_BYTES, VALIDATION_STACK, validation_stack
from components.modalities.base import ExampleSpec


def record(spec: ExampleSpec, queries: int = 15) -> EpisodeSetRecord:
    return EpisodeSetRecord(
        format_version=FORMAT_VERSION,
        example_spec=spec,
        ways=5,
        shots=1,
        queries=queries,
        counts={},
        seed=0,
        splits={},
        groups={},
        config={},
    )


@pytest.mark.parametrize(
    "spec",
    [ExampleSpec("image", "uint8", (28, 28, 1)), ExampleSpec("text", "string", ())],
    ids=["small images", "texts"],
)
def test_small_examples_are_validated_in_large_stacks(spec):
    assert validation_stack(record(spec)) == VALIDATION_STACK


@pytest.mark.parametrize("size", [84, 128, 1024])
def test_a_stack_of_large_examples_has_a_bounded_size_or_is_one_episode(size):
    spec = ExampleSpec("image", "uint8", (size, size, 3))
    stack = validation_stack(record(spec))
    assert 1 <= stack < VALIDATION_STACK
    assert stack == 1 or stack * 5 * 16 * size * size * 3 <= VALIDATION_BYTES

"""Makes a serialised episode of a plan and the stored bytes of its examples."""

from collections.abc import Callable

import numpy as np

from components.episode_gen import targets
from components.episode_gen.sampling import Slot
from components.episode_gen.table import Planner
from components.episodes.format import Episode, encode_stored
from components.episodes.rotation import rotate_image, rotated_name


def assemble(planner: Planner, split: str, index: int, content: Callable[[str], bytes]) -> bytes:
    """Makes one serialised episode; `content` gives the stored bytes of an example by its id."""
    plan = planner.plan(split, index)
    ids = planner.example_ids(split, plan)

    def example(slot: Slot, example_id: str) -> bytes:
        quarters = plan.classes[slot.label].quarters
        stored = content(example_id)
        return rotate_image(stored, planner.spec, quarters) if quarters else stored

    slots = plan.support + plan.query
    examples = [example(slot, name) for slot, name in zip(slots, ids)]
    if not planner.spec.has_classes:
        pairs = [targets.split(stored, planner.spec) for stored in examples]
        examples, labels = [x for x, _ in pairs], np.stack([y for _, y in pairs])
    else:
        labels = np.array([slot.label for slot in slots], np.int32)
    support = len(plan.support)
    names = planner.splits[split].names
    return encode_stored(
        Episode(
            index=index,
            support_x=examples[:support],
            support_y=labels[:support],
            query_x=examples[support:],
            query_y=labels[support:],
            class_names=[rotated_name(names[c.number], c.quarters) for c in plan.classes],
            example_ids=ids,
        )
    )

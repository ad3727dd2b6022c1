"""Which logged support sets and classes share examples: clients send a set again as it grows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set


def find_groups(sets: Mapping[str, Sequence[bytes]]) -> dict[str, str]:
    """Joins the sets that share an example, directly or by others: key -> key of the first of them.

    Args:
      sets: hashes of the examples of each set by its key.
    """
    first_of: dict[str, str] = {key: key for key in sets}

    def find(key: str) -> str:
        while first_of[key] != key:
            first_of[key] = key = first_of[first_of[key]]
        return key

    order = {key: number for number, key in enumerate(sets)}
    holder: dict[bytes, str] = {}
    for key, digests in sets.items():
        for digest in digests:
            one, other = find(holder.setdefault(digest, key)), find(key)
            early, late = sorted((one, other), key=order.__getitem__)
            first_of[late] = early
    return {key: find(key) for key in sets}


def find_parts(classes: Mapping[str, Set[bytes]]) -> dict[str, str]:
    """Finds the classes all of whose examples another has: name -> name of the largest such class.

    Of equal classes, the first stays.

    Args:
      classes: hashes of the examples of each class by its name.
    """
    holders: dict[bytes, list[str]] = defaultdict(list)
    for name, digests in classes.items():
        for digest in digests:
            holders[digest].append(name)
    largest_first = sorted(classes, key=lambda name: -len(classes[name]))  # equal ones in order
    rank = {name: number for number, name in enumerate(largest_first)}
    parts = {}
    for name, digests in classes.items():
        rarest = min(digests, key=lambda digest: len(holders[digest]))
        larger = [
            other
            for other in holders[rarest]
            if rank[other] < rank[name] and digests <= classes[other]
        ]
        if larger:
            parts[name] = min(larger, key=rank.__getitem__)
    return parts

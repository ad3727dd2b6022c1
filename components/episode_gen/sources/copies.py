"""Equal examples of a user's own data: of several, the first is kept.

One episode could else have the same example as support and as query, which is no few-shot problem,
or in two classes, which has no answer.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable


def find_copies(
    names: Iterable[str], key: Callable[[str], Hashable], content: Callable[[str], Hashable]
) -> dict[str, str]:
    """Finds examples that are equal to an earlier one: name -> name of the first that it equals.

    Args:
      names: names of the examples, in the order in which the first of equal ones is kept.
      key: what equal examples have in common and is quickly found, as their size in bytes.
      content: the content of an example, or a hash of it; called only where keys are equal.
    """
    by_key: dict[Hashable, list[str]] = defaultdict(list)
    for name in names:
        by_key[key(name)].append(name)
    copies = {}
    for candidates in by_key.values():
        first: dict[Hashable, str] = {}
        for name in candidates if len(candidates) > 1 else ():
            original = first.setdefault(content(name), name)
            if original != name:
                copies[name] = original
    return copies

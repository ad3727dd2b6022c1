"""Equal examples of a user's own data: no episode holds two of them.

One could else have the same example as support and as query, which is no few-shot problem, or in
two classes, which has no answer. Of equal examples of a class, the first alone is drawn; of equal
examples of different classes, an episode holds one at most.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping

from components.episode_gen.catalogue import Catalogue


def find_copies(
    names: Iterable[str], key: Callable[[str], Hashable], content: Callable[[str], Hashable]
) -> dict[str, str]:
    """Finds examples that are equal to an earlier one: name -> name of the first that it equals.

    Args:
      names: names of the examples, in the order in which the first of equal ones is kept.
      key: what equal examples have in common and is quickly found, as their size in bytes.
      content: the content of an example, or a hash of it; called only where keys are equal.
    """
    first_of: dict[Hashable, str] = {}
    more: dict[Hashable, list[str]] = {}  # few have one key: a list for each would cost memory
    for name in names:
        this = key(name)
        if first_of.setdefault(this, name) is not name:
            more.setdefault(this, [first_of[this]]).append(name)
    copies = {}
    for candidates in more.values():
        first: dict[Hashable, str] = {}
        for name in candidates:
            original = first.setdefault(content(name), name)
            if original != name:
                copies[name] = original
    return copies


def without_copies(
    catalogue: Catalogue, copies: Mapping[str, str]
) -> tuple[Catalogue, dict[str, str]]:
    """Keeps the first of equal examples of each class; `copies` are those of `find_copies`.

    Gives the catalogue without the others, and: id of every kept example that equals one of another
    class -> id of the first of them.
    """
    if not copies:
        return catalogue, {}
    examples, classes_of = {}, defaultdict(list)
    for name, ids in catalogue.examples.items():
        first = {copies.get(example_id, example_id): example_id for example_id in reversed(ids)}
        examples[name] = sorted(first.values())
        for original, example_id in first.items():
            classes_of[original].append(example_id)
    across = {
        example_id: original
        for original, ids in classes_of.items()
        if len(ids) > 1
        for example_id in ids
    }
    return Catalogue(examples, catalogue.groups), across

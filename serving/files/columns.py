"""Which columns of a table hold the text, its class and its group, and the examples in them."""

from collections.abc import Iterable
from typing import NamedTuple

from serving.errors import UserError
from serving.files.rows import Row
from serving.files.tables import Table
from serving.files.texts import has_half_character, unusable
from serving.files.unreadable import printable

# In the order in which they are tried, whatever their case.
TEXT_NAMES = (
    *("text", "sentence", "utterance", "question", "query"),
    *("message", "content", "body", "review", "comment", "phrase", "texts", "sentences"),
)
LABEL_NAMES = (
    *("label", "intent_name", "intent", "class", "fine_label"),
    *("category", "class_name", "label_name", "topic", "tag", "target", "labels", "classes"),
)
GROUP_NAMES = ("alphabet", "speaker", "domain_name", "domain", "coarse_label", "superclass")


class Columns(NamedTuple):
    """The columns of the text, its class, its group and the phrase that it means (None: none)."""

    text: str
    label: str | None
    group: str | None = None
    phrase: str | None = None


class TextExample(NamedTuple):
    """One usable row: its number, text, class, group and phrase (the last two or None)."""

    number: int
    text: str
    label: str
    group: str | None
    phrase: str | None = None


class Options(NamedTuple):
    """What a sentence calls the options that name columns, and what it says of them at its end."""

    text: str = "`--text-column`"
    label: str = "`--label-column`"
    group: str = "`--group-column`"
    hint: str = ""


OPTIONS = Options()


def choose_columns(
    table: Table,
    *,
    text: str | None = None,
    label: str | None = None,
    group: str | None = None,
    support: bool = False,
    options: Options = OPTIONS,
) -> Columns:
    """The columns as named, or a guess by their names and then by what they hold.

    Of groups the values are never looked at. In a support set (`support`) every class may have one
    example only. `options` is how the sentences call the three.

    Raises:
      UserError: a column is not there, or there is no one good guess; the sentence lists the
        columns.
    """
    for role, named in (("text", text), ("label", label), ("group", group)):
        if named is not None and named not in table.columns:
            raise missing_column(table, options, role, f"got {named!r}")
    given = {text, label, group}
    free = [name for name in table.columns if name and name not in given]
    if len(table.columns) < 2 and given == {None}:
        raise UserError(
            f"{table.name} must have a column of texts and one of classes; it has only "
            f"{printable(table.columns[0][:80])!r} (commas, semicolons, tabs or bars part columns)."
        )
    group = group or _known(GROUP_NAMES, free)
    free = [name for name in free if name != group]
    text_guess = text or _known(TEXT_NAMES, free)
    if label is None:
        label = _guess_label(table, [n for n in free if n != text_guess], support, options)
        _check_header(table, label)
    text = text_guess or _guess_text(table, [name for name in free if name != label], options)
    return Columns(text, label, group)


def choose_text(table: Table, *, text: str | None = None, options: Options = OPTIONS) -> str:
    """The column of texts alone, of a table of queries; raises as `choose_columns`."""
    if text is not None and text not in table.columns:
        raise missing_column(table, options, "text", f"got {text!r}")
    free = [name for name in table.columns if name]
    rest = [name for name in free if name not in (_known(LABEL_NAMES, free), *GROUP_NAMES)]
    return text or _known(TEXT_NAMES, free) or _guess_text(table, rest, options)


def examples(table: Table, columns: Columns) -> tuple[list[TextExample], dict[int, str]]:
    """The usable rows; and the number of every other one -> the reason as half a sentence."""
    usable: list[TextExample] = []
    left_out: dict[int, str] = {}
    for row in table.rows:
        problem = row.problem or _problem(row, columns)
        if problem:
            left_out[row.number] = problem
            continue
        text, label, group, phrase = (c and row.values[c].strip() for c in columns)
        usable.append(TextExample(row.number, text or "", label or "", group, phrase))
    return usable, left_out


def _problem(row: Row, columns: Columns) -> str | None:
    for column in columns:
        value = row.values.get(column, "") if column is not None else "-"
        if not value.strip():
            return f"row {row.number} has no {column!r}"
        if has_half_character(value):
            return f"row {row.number} holds half a character in {column!r}"
    if unusable(row.values[columns.text].strip()):
        return f"row {row.number} has no letter or digit in {columns.text!r}"
    return None


def _guess_label(table: Table, free: list[str], support: bool, options: Options) -> str:
    """The one column whose name says so, or whose values repeat."""
    values = {name: [row.values.get(name, "").strip() for row in table.rows] for name in free}
    repeats = [name for name in free if 1 < len(set(values[name])) <= len(table.rows) / 2]
    known = _known(LABEL_NAMES, free if support else repeats)
    if known is None and not repeats:
        known = _known(LABEL_NAMES, free)
    if known is None and len(repeats) == 1 and (support or not _known(LABEL_NAMES, free)):
        known = repeats[0]
    if known is None and len(free) == 1 and support:
        known = free[0]
    if known is not None:
        return known
    counts = ", ".join(f"{name!r} of {len(set(values[name]))} values" for name in repeats)
    raise missing_column(
        table, options, "label", f"its values repeat in {counts}" if repeats else "got none"
    )


def _guess_text(table: Table, free: list[str], options: Options) -> str:
    """The column of the longest values, if they are much longer than all others."""
    lengths = {n: sum(len(row.values.get(n, "")) for row in table.rows) for n in free}
    ordered = sorted(free, key=lambda name: -lengths[name])
    if not ordered or (len(ordered) > 1 and lengths[ordered[0]] < 1.5 * lengths[ordered[1]]):
        raise missing_column(table, options, "text", "got none, and none could be guessed")
    return ordered[0]


def _check_header(table: Table, label: str) -> None:
    """Refuses a table whose first line is an example: the name of its class is one of the rows'."""
    if label.lower() not in LABEL_NAMES and any(r.values.get(label) == label for r in table.rows):
        raise UserError(
            f"the first line of {table.name} must name its columns: {label!r} there is a value of "
            "rows below it too. Put a line such as text,label before it."
        )


def _known(names: Iterable[str], have: list[str]) -> str | None:
    """The first of the names that is there: as it is written, or in another case."""
    for name in names:
        same = [one for one in have if one.lower() == name]
        if same:
            return name if name in same else same[0]
    return None


def missing_column(
    table: Table, options: Options, role: str, problem: str = "got none"
) -> UserError:
    """The sentence that lists the columns of a table, of which an option must name one.

    Args:
      table: the table.
      options: how the sentence calls the options.
      role: "text", "label" or "group".
      problem: what is there instead.
    """
    columns = ", ".join(table.columns)
    return UserError(
        f"{getattr(options, role)} must name a column of {table.name} ({columns}): {problem}."
        f"{options.hint}"
    )

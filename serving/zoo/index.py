"""The index of the zoo: what each trained model is, how good, and where its packed file lies.

An index is a file `index.json`, with the packed files beside it. The package carries one; the
environment variable FEWSHOT_ZOO names a folder with one more, which comes first.
"""

import dataclasses
import difflib
import json
import os
from pathlib import Path
from typing import Any

from serving import atomic
from serving.errors import UserError

PREFIX = "zoo:"
PACKAGED = Path(__file__).parent / "models"
INDEX = "index.json"


@dataclasses.dataclass(frozen=True)
class Entry:
    """One version of a model; what an index holds of it."""

    name: str
    version: int
    task: str  # "classification" or "regression"
    modality: str  # "image", "text", "audio" or "vector"
    example: list[int | None]  # shape of one example, None where a size varies
    learner: str
    ways: int  # classes of the episodes that it was tested on
    shots: int
    max_ways: int | None  # most classes of a request; None for regression
    dataset: str
    data_licence: str
    weights_licence: str
    metric: str  # "accuracy", "recall" or "mean_squared_error"
    value: float
    ci95: float  # half-width of the 95% interval over episodes
    ci95_by_class: float | None
    episodes: int  # of unseen classes, which `value` is the mean over
    protocol: str  # "inductive"
    commit: str | None  # of the code that trained it
    file: str  # name of the packed file
    size: int  # of that file, in bytes
    sha256: str  # of that file
    url: str | None = None  # where the file is fetched from, if it is not beside the index
    place: Path = PACKAGED  # the folder of the index

    @property
    def id(self) -> str:
        """Its name in full: `zoo:NAME@VERSION`."""
        return f"{PREFIX}{self.name}@{self.version}"

    @property
    def beside_index(self) -> Path:
        """Where the packed file is, if it came with the index."""
        return self.place / self.file

    def to_json(self) -> dict[str, Any]:
        """Plain values, as an index holds them."""
        values = dataclasses.asdict(self)
        del values["place"]
        return values


def read_entries() -> list[Entry]:
    """All models of all indexes, by name and version.

    Raises:
      UserError: FEWSHOT_ZOO names no folder with an index.
    """
    own = os.environ.get("FEWSHOT_ZOO")
    if own and not (Path(own) / INDEX).is_file():
        raise UserError(
            f"FEWSHOT_ZOO must name a folder with {INDEX}, as `fewshot zoo publish --output` "
            f"writes it: {own} has none."
        )
    entries = {entry.id: entry for entry in read_index(PACKAGED)}
    entries |= {entry.id: entry for entry in read_index(Path(own))} if own else {}
    return sorted(entries.values(), key=lambda entry: (entry.name, entry.version))


def read_index(place: Path) -> list[Entry]:
    """The models of one index; none where the folder has no index."""
    if not (place / INDEX).is_file():
        return []
    known = {field.name for field in dataclasses.fields(Entry)} - {"place"}
    try:
        # Keys of later versions of this project are left out.
        return [
            Entry(**{key: value for key, value in one.items() if key in known}, place=place)
            for one in json.loads((place / INDEX).read_text(encoding="utf-8"))["models"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{place / INDEX} must be an index of models: {error}.") from error


def add_entry(entry: Entry) -> None:
    """Writes an entry into the index of its place, instead of the one of its name and version."""
    others = [one for one in read_index(entry.place) if one.id != entry.id]
    models = sorted([*others, entry], key=lambda one: (one.name, one.version))
    atomic.write_json(entry.place / INDEX, {"models": [one.to_json() for one in models]})


def find_entry(target: str) -> Entry:
    """The model that `zoo:NAME` (the newest version) or `zoo:NAME@VERSION` names.

    Raises:
      UserError: there is none; the sentence says which there are.
    """
    name, _, version = target.removeprefix(PREFIX).partition("@")
    entries = read_entries()
    versions = {str(entry.version): entry for entry in entries if entry.name == name}
    if not versions:
        names = sorted({entry.name for entry in entries})
        near = difflib.get_close_matches(name, names, 1)
        hint = f"did you mean {PREFIX}{near[0]}?" if near else "see `fewshot zoo list`."
        raise UserError(
            f"A model of the zoo must be one of {', '.join(names) or '(it is empty)'}: got "
            f"{name!r}; {hint}"
        )
    if version and version not in versions:
        raise UserError(
            f"The version of {PREFIX}{name} must be one of {', '.join(versions)}: got {version!r}."
        )
    return versions[version] if version else list(versions.values())[-1]

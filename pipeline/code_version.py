"""A hash of the code that a step runs: TFX's cache sees parameters and inputs, not code."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from components.imported_modules import imported_modules

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("components", "pipeline", "serving")


def code_version(*modules: str, files: Sequence[str] = (), root: Path = ROOT) -> str:
    """The hash of modules of the project and of all that they import from it.

    `modules` are a step's entry modules, as "components.episode_gen.executor"; `files` are paths of
    files outside the project that the step runs too, as a user's own learner.
    """
    digest = hashlib.sha256()
    for path in source_files(*modules, root=root):
        digest.update(path.encode() + b"\0" + (root / path).read_bytes())
    for file in sorted(files):
        digest.update(Path(file).name.encode() + b"\0" + Path(file).read_bytes())
    return digest.hexdigest()[:16]


def source_files(*modules: str, root: Path = ROOT) -> list[str]:
    """The files that importing `modules` runs or loads, relative to `root`, sorted.

    They are found by reading the code; see `imported_modules`. The templates (`*.html`) in a folder
    belong to the modules of it that import `jinja2`.

    Raises:
      ModuleNotFoundError: one of `modules` is no module of the project.
    """
    found = imported_modules(modules, lambda package: root if package in PACKAGES else None)
    paths = {module.path for module in found.values()}
    for module in found.values():
        paths |= {*module.path.parent.rglob("*.html")} if "jinja2" in module.names else set()
    return sorted(path.relative_to(root).as_posix() for path in paths)

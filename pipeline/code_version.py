"""A hash of the code that a step runs: TFX's cache sees parameters and inputs, not code."""

import ast
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path

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

    They are found by reading the code, so imports inside functions count too, and so does every
    string that is the full name of a module (`python -m NAME`). A module that imports `importlib`
    has a table of names: there strings that name a module of its own package count as well. The
    templates (`*.html`) in a folder belong to the modules of it that import `jinja2`.

    Raises:
      ModuleNotFoundError: one of `modules` is no module of the project.
    """
    for module in modules:
        if not _is_module(module, root):
            raise ModuleNotFoundError(module)
    found: dict[str, list[Path]] = {}
    waiting = set(modules)
    while waiting:
        module = waiting.pop()
        path = _path(module, root)
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        names = {module, *_names(path.read_text(encoding="utf-8"), package)}
        found[module] = [path, *(path.parent.rglob("*.html") if "jinja2" in names else ())]
        # Importing a.b.c imports a and a.b as well.
        parents = {name[:at] for name in names for at, dot in enumerate(name) if dot == "."}
        waiting |= {n for n in names | parents if n not in found and _is_module(n, root)}
    return sorted({p.relative_to(root).as_posix() for paths in found.values() for p in paths})


def _path(module: str, root: Path) -> Path:
    path = root.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _is_module(name: str, root: Path) -> bool:
    first, *others = name.split(".")
    named = first in PACKAGES and all(map(str.isidentifier, others))
    return named and _path(name, root).is_file()


@functools.cache
def _names(source: str, package: str) -> tuple[str, ...]:
    """Absolute names of what the source may import: modules, and names within modules."""
    nodes = list(ast.walk(ast.parse(source)))
    names: list[str] = []
    for node in nodes:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(above if node.level else ()), *filter(None, [node.module])])
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    texts = [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    in_package = [f"{package}.{text}" for text in texts] if "importlib" in names else []
    return (*names, *texts, *in_package)

"""Finds the modules that a module imports, by reading their code."""

import ast
import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple


class Module(NamedTuple):
    """A module of Python and what it names."""

    path: Path  # its file
    names: frozenset[str]  # what it may import, absolute: modules and names within modules
    texts: frozenset[str]  # its strings


def imported_modules(
    modules: Iterable[str], root_of: Callable[[str], Path | None]
) -> dict[str, Module]:
    """Returns these modules and all that they import, by name.

    Imports inside functions count too, and so does every string that is the full name of a module
    (`python -m NAME`). A module that imports `importlib` has a table of names: there strings that
    name a module of its own package count as well.

    Args:
      modules: absolute names of modules.
      root_of: function from the first part of a module's name to the folder that the module's path
        begins in; None for packages that are not looked at.

    Raises:
      ModuleNotFoundError: one of `modules` is not in the folder.
    """

    def path_of(name: str) -> Path | None:
        first, *others = name.split(".")
        if not all(map(str.isidentifier, (first, *others))):
            return None
        root = root_of(first)
        path = root and _path(name, root)
        return path if path and path.is_file() else None

    for module in modules:
        if path_of(module) is None:
            raise ModuleNotFoundError(module)
    found: dict[str, Module] = {}
    waiting = set(modules)
    while waiting:
        name = waiting.pop()
        path = path_of(name)
        if name in found or path is None:
            continue
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        names, texts = _read(path.read_text(encoding="utf-8", errors="replace"), package)
        found[name] = Module(path, names, texts)
        # Importing a.b.c imports a and a.b as well.
        named = {name, *names, *texts}
        waiting |= named | {n[:at] for n in named for at, dot in enumerate(n) if dot == "."}
    return found


def _path(module: str, root: Path) -> Path:
    path = root.joinpath(*module.split("."))
    package = path / "__init__.py"  # a folder of data may have a module's name
    return package if package.is_file() else path.with_suffix(".py")


@functools.cache
def _read(source: str, package: str) -> tuple[frozenset[str], frozenset[str]]:
    """Returns the names and the strings of a module's source; none where it cannot be parsed."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError):
        return frozenset(), frozenset()
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
    return frozenset([*names, *in_package]), frozenset(texts)

"""The user's own code as one archive, for steps and workers on machines that do not hold it.

It has the Python files of a user's learner, backbone or source and those of the user's that they
import, and the files of a package that its modules name. Other packages must be installed where it
is used.
"""

import importlib.metadata
import importlib.util
import inspect
import io
import os
import site
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from components import user_modules
from components.imported_modules import Module, imported_modules

PROJECT = ("components", "pipeline", "serving")
_DISTRIBUTION = "fewshot-pipeline"
_PLACES = (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages())
_INSTALLED = {Path(place).resolve() for place in (*_PLACES, site.getusersitepackages())}


def own_files(names: Iterable[str]) -> dict[str, Path]:
    """The files of those parts that are the user's own and not installed, by path in the archive.

    `names` are names of parts, as configured: `module.name` for the user's own.

    Raises:
      UserError: a part cannot be imported.
    """
    files = {}
    for name, module in _own_modules(names).items():
        parts = name.split(".")
        is_package = module.path.name == "__init__.py"
        root = module.path.parents[len(parts) if is_package else len(parts) - 1]
        for path in (module.path, *_named_files(module)):
            files[path.relative_to(root).as_posix()] = path
    return files


def files(*names: str) -> list[str]:
    """The files of those parts that are the user's own: a change of them runs a step anew."""
    parts = [user_modules.load(name, name) for name in names if user_modules.is_own(name)]
    found = {Path(inspect.getfile(part)).resolve() for part in parts}
    return sorted(map(str, found | {*own_files(names).values()}))


def model_files(folder: str | None) -> list[str]:
    """The files with the weights of a SavedModel on this machine, which runs begin with."""
    return [str(file) for file in sorted(Path(folder or "").glob("variables/*"))] if folder else []


def learner_files(section: Mapping[str, Any]) -> list[str]:
    """The files of the section `learner`: its learner's, its backbone's and its encoder's."""
    backbone = section.get("backbone") or {}
    encoder = Path(backbone.get("path") or "").expanduser()
    of_encoder = [encoder] if encoder.is_file() else sorted(encoder.rglob("*"))
    own = files(section.get("name", ""), backbone.get("name", ""))
    return own + [str(f) for f in of_encoder if backbone.get("path") and f.is_file()]


def missing_from(names: Iterable[str]) -> list[str]:
    """What an image of the project must hold besides, for these parts to be imported, sorted.

    That is each installed package that holds a part or that the user's code imports, unless the
    project itself needs it: `name version` of its distribution, or a module's name if it has none.
    """
    names = [name for name in names if user_modules.is_own(name)]
    modules = _own_modules(names)
    used = {*names, *(name for module in modules.values() for name in module.names)}
    packages = {name.partition(".")[0] for name in used} - {*PROJECT, *sys.stdlib_module_names}
    of_package, of_project = importlib.metadata.packages_distributions(), _of_the_project()
    missing = []
    for package in filter(lambda name: _root(name) is None and _is_here(name), packages):
        distributions = of_package.get(package, [])
        others = {name for name in distributions if _normal(name) not in of_project}
        missing += [f"{name} {importlib.metadata.version(name)}" for name in others]
        missing += [] if distributions else [package]  # an extension module without a package
    return sorted(missing)


def pack(names: Iterable[str]) -> bytes:
    """Packs the parts' `own_files` as a zip archive, empty if there are none.

    The same files give the same bytes.
    """
    files = own_files(names)
    if not files:
        return b""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for name, path in sorted(files.items()):
            file.writestr(zipfile.ZipInfo(name), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return archive.getvalue()


def unpack(archive: bytes) -> str | None:
    """Makes the files of `pack` importable in this process and those that it starts.

    They come before what is installed. Returns their folder, or None for an empty archive.
    """
    if not archive:
        return None
    folder = tempfile.mkdtemp(prefix="own-code-")
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        file.extractall(folder)
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    others = filter(None, [os.environ.get("PYTHONPATH")])
    os.environ["PYTHONPATH"] = os.pathsep.join([folder, *others])
    return folder


def _own_modules(names: Iterable[str]) -> Mapping[str, Module]:
    own = [name for name in names if user_modules.is_own(name)]
    for name in own:
        user_modules.load(name, name)
    modules = {name.rpartition(".")[0] for name in own}
    return imported_modules({m for m in modules if _root(m.partition(".")[0])}, _root)


def _is_here(package: str) -> bool:
    return _spec(package) is not None


def _spec(package: str) -> Any:
    try:
        return importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None


def _root(package: str) -> Path | None:
    """The folder of the user's that a package or module lies in; None for all others."""
    spec = None if package in {*PROJECT, *sys.stdlib_module_names} else _spec(package)
    if spec is None:
        return None
    places = list(spec.submodule_search_locations or [])  # of a package
    place = places[0] if places else spec.origin or ""
    if not (places or place.endswith(".py")):
        return None
    root = Path(place).resolve().parent
    return None if any(root.is_relative_to(folder) for folder in _INSTALLED) else root


def _named_files(module: Module) -> list[Path]:
    """The files that strings of a module name, in its own package."""
    folder = module.path.parent
    if not (folder / "__init__.py").is_file():  # any folder, of which nothing is known
        return []
    texts = (t for t in module.texts if len(t) < 256 and "\0" not in t)
    paths = (folder / t for t in texts if not {"", "..", "."} & {*t.split("/")})
    return [path for path in paths if path.is_file()]


def _of_the_project() -> set[str]:
    """The distributions that an installation of the project for the pipeline has."""
    from packaging.requirements import Requirement

    found: set[tuple[str, str]] = set()  # a distribution and one of its extras, or ""
    waiting = {(_DISTRIBUTION, "pipeline")}
    while waiting:
        name, extra = waiting.pop()
        found.add((name, extra))
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for need in map(Requirement, needs):
            if need.marker is None or need.marker.evaluate({"extra": extra}):
                waiting |= {(_normal(need.name), e) for e in {"", *need.extras}} - found
    return {name for name, _ in found}


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")

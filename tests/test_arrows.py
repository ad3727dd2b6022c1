"""The arrows of the house: which module may import which, imports inside functions included."""

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("pipeline", "components", "serving")


def _module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_module_name(p): p for package in PACKAGES for p in (ROOT / package).rglob("*.py")}


def _imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            members = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in MODULES else node.module for name in members}
    return names


IMPORTS = {module: _imports(path) - {module} for module, path in MODULES.items()}


def arrows(source: str, target: str) -> list[str]:
    """The imports from modules that match one pattern to modules that match another."""
    return [
        f"{module} imports {other}"
        for module, others in sorted(IMPORTS.items())
        for other in sorted(others)
        if re.match(rf"(?:{source})(?:\.|$)", module) and re.match(rf"(?:{target})(?:\.|$)", other)
    ]


def test_no_files_import_each_other_in_a_circle():
    try:
        list(TopologicalSorter(IMPORTS).static_order())
    except CycleError as error:
        pytest.fail("a circle: " + " -> ".join(error.args[1]))


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (r"components|serving", r"pipeline"),
        (r"serving", r"components"),
        # serving's ground and its roof
        (r"serving\.(?!client|model_server)\w+", r"serving\.(client|model_server)"),
        (r"serving\.model_server", r"serving\.client"),
        # a client of a server; the model on disk runs the server's code
        (r"serving\.client\.(?!disk_transport)\w+", r"serving\.model_server"),
        (
            r"serving\.(client\.(?!disk_transport)\w+|protocol|errors|saved_model\.signatures)",
            r"tensor\w+",
        ),
        # a learner knows neither TFX nor data
        (
            r"components\.meta_trainer\.(learners|backbones|kernels)",
            r"tfx|apache_beam|components\.(modalities|episode_gen)",
        ),
        # examples know nothing of episodes, and what steps share nothing of TFX
        (r"components\.modalities", r"components\.(episodes|tasks)"),
        (r"components\.(episodes|modalities|tasks)", r"tfx"),
    ],
)
def test_arrows_go_one_way(source, target):
    assert arrows(source, target) == []


def test_no_step_and_nothing_that_steps_share_imports_a_step():
    folders = (ROOT / "components").glob("*/*.py")
    steps = {
        f.parent.name for f in folders if f.name in ("component.py", "executor.py", "run_fn.py")
    }
    assert {"episode_gen", "meta_trainer", "few_shot_evaluator", "version_pusher"} <= steps
    for step in sorted(steps | {"episodes", "modalities", "tasks"}):
        others = "|".join(sorted(steps - {step}))
        assert arrows(rf"components\.{step}", rf"components\.({others})") == []


def test_imports_are_seen():
    assert arrows("pipeline", "components") and arrows("components", "serving")
    inside_a_function = "serving.client.connect imports serving.client.rest_transport"
    assert inside_a_function in arrows(r"serving\.client\.connect", "serving")

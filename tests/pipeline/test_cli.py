"""The command line imports what a command needs and nothing before; a missing extra is named."""

import subprocess
import sys
from importlib import metadata

import pytest

from pipeline.cli import COMMANDS

HEAVY = {"tensorflow", "tfx", "apache_beam", "kfp", "keras", "matplotlib", "tensorflow_datasets"}
# What the client's own packages import: all else is missing, as after a bare `pip install`.
_BARE = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in MISSING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
"""
_RUN = """
from pipeline.cli import main
try:
    main(sys.argv[1:])
finally:
    print("imported:", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def fewshot(*arguments, missing=()) -> tuple[int, str, str, set[str]]:
    """Status, output, errors and the packages imported by a command in a process of its own."""
    code = f"MISSING = {sorted(missing)!r}\n{_BARE}{_RUN}"
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True
    )
    output, _, imported = done.stdout.rpartition("imported:")
    return done.returncode, output, done.stderr, set(imported.split())


@pytest.fixture(scope="module")
def not_the_clients():
    """Every package of this environment that neither the client nor what it requires brings."""
    needed, left = set(), ["click", "grpcio", "numpy", "protobuf", "requests", "rich"]
    while left:
        name = left.pop().lower().replace("_", "-")
        if name not in needed:
            needed.add(name)
            for requirement in metadata.requires(name) or ():
                if "extra ==" not in requirement:
                    left.append(_name_of(requirement))
    kept = {
        module
        for module, distributions in metadata.packages_distributions().items()
        if needed & {name.lower().replace("_", "-") for name in distributions}
    }
    return set(metadata.packages_distributions()) - kept - {"pipeline", "components", "serving"}


def _name_of(requirement: str) -> str:
    for sign in "<>=!~;[ (":
        requirement = requirement.partition(sign)[0]
    return requirement.strip()


@pytest.fixture
def texts(tmp_path):
    rows = [f"{word} number {i},{word}" for word in "abcdefghij" for i in range(6)]
    (tmp_path / "texts.csv").write_text("\n".join(["text,label", *rows]))
    return tmp_path / "texts.csv"


@pytest.mark.parametrize("name", ["", *sorted(COMMANDS), "run"])
def test_help_needs_the_clients_packages_alone(name, not_the_clients):
    status, output, errors, imported = fewshot(
        *([name] if name else []), "--help", missing=not_the_clients
    )
    assert status == 0, errors
    assert "Usage:" in output
    assert not imported & HEAVY


def test_a_command_imports_no_other_command():
    code = (
        "import sys; from pipeline.cli import main; "
        "main(['query', '--help'], standalone_mode=False); "
        "sys.exit('pipeline.data_command' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_init_imports_tensorflow_only_to_try_the_plain_scripts(texts, tmp_path):
    """The threshold that it writes rests on them; what it finds, or refuses, comes before."""
    output = tmp_path / "mine.yaml"
    status, _, errors, _ = fewshot("init", texts, "--output", output, missing={"tensorflow"})
    assert "classes" in errors and "10" in errors
    assert status == 2 and "tensorflow is not installed" in errors and not output.exists()
    (tmp_path / "empty").mkdir()
    status, _, errors, imported = fewshot("init", tmp_path / "empty", missing={"tensorflow"})
    assert status == 2 and "nothing can be read" in errors and "tensorflow" not in imported


def test_data_inspect_prints_what_it_found_before_it_imports_tensorflow(texts):
    status, output, errors, _ = fewshot("data", "inspect", texts, missing={"tensorflow"})
    assert "classes" in output and "10" in output
    assert status == 2 and "tensorflow is not installed" in errors


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["run", "--config", "pipeline/configs/glyphs_5w1s.yaml"], "pipeline"),
        (["compare", "--config", "any.yaml", "--learners", "maml,anil"], "pipeline"),
        (["compile", "--config", "any.yaml", "--image", "a:1", "--output", "a.yaml"], "pipeline"),
        (["submit", "--host", "http://localhost:1", "--pipeline", "a.yaml"], "pipeline"),
        (["data", "inspect", "tests"], "pipeline"),
        (["init", "tests"], "pipeline"),
        (["serve", "--model-base-path", "/tmp", "--model-name", "a"], "server"),
    ],
)
def test_a_missing_extra_is_one_sentence(arguments, extra, not_the_clients):
    status, _, errors, _ = fewshot(*arguments, missing=not_the_clients)
    (line,) = errors.strip().splitlines()
    assert status == 2
    assert line.startswith(f"error: `fewshot {arguments[0]}` needs the extra `{extra}`")
    assert f"install 'fewshot-pipeline[{extra}]'" in line


def test_a_missing_module_of_the_project_is_no_missing_extra():
    status, _, errors, _ = fewshot("run", "--config", "x", missing={"components"})
    assert status == 1 and "ModuleNotFoundError" in errors

"""The lock of every supported Python, and which Python an environment is made of."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

PYTHONS = {"3.11": "1.16.0", "3.12": "1.21.0", "3.13": "1.21.0"}
PROJECT = tomllib.loads(Path("pyproject.toml").read_text())["project"]


def pins(name: str, python: str) -> dict[str, str]:
    """Version of each package that a lock file installs on a Python on Linux; all have hashes."""
    environment = default_environment() | {
        "python_version": python,
        "python_full_version": f"{python}.0",
    }
    entries = Path(f".requirements/{name}.txt").read_text().replace(" \\\n", " ").splitlines()
    pinned: dict[str, str] = {}
    for entry in entries:
        requirement, _, hashes = entry.partition(" --hash=")
        line = Requirement(requirement)
        assert hashes.startswith("sha256:"), entry[:80]
        if line.marker is None or line.marker.evaluate(environment):
            assert line.name not in pinned, f"{line.name} twice for Python {python}"
            pinned[line.name] = str(line.specifier).removeprefix("==")
    return pinned


def declared(python: str, extra: str) -> list[Requirement]:
    """Requirements of the project with one extra that apply to a Python."""
    environment = default_environment() | {"python_version": python}
    texts = PROJECT["dependencies"] + PROJECT["optional-dependencies"][extra]
    found: list[Requirement] = []
    for requirement in map(Requirement, texts):
        if requirement.name == PROJECT["name"]:
            for inner in requirement.extras:
                found += declared(python, inner)
        elif requirement.marker is None or requirement.marker.evaluate(environment):
            found.append(requirement)
    return found


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(
    "name, extras", [("lock", ["pipeline", "dev"]), ("production", ["pipeline"])]
)
def test_the_lock_holds_what_the_project_declares_for_every_python(python, name, extras):
    pinned = pins(name, python)
    for extra in extras:
        for requirement in declared(python, extra):
            version = pinned[requirement.name.lower().replace("_", "-")]
            assert requirement.specifier.contains(version), f"{requirement}: {version}"
    assert pinned["tfx"] == PYTHONS[python]
    assert set(PYTHONS) == {v for v in ("3.10", *PYTHONS, "3.14") if v in supported()}


def supported():
    python = Requirement(f"python{PROJECT['requires-python']}").specifier
    return [f"3.{minor}" for minor in range(8, 20) if python.contains(f"3.{minor}")]


def test_old_protobuf_and_arrow_stay_on_the_old_python():
    for python in PYTHONS:
        pinned = pins("production", python)
        old = pinned["protobuf"].startswith("4."), pinned["pyarrow"].startswith("10.")
        assert old == (python == "3.11",) * 2


@pytest.fixture
def create(tmp_path):
    """Runs the script with a uv that has some Pythons, on a machine with some glibc or a Mac."""

    def create(has, glibc, *version):
        programs = {
            "uv": 'case " $HAS " in *" $5 "*) mkdir -p "$6"; echo "$5" > "$6/version" ;; '
            '*) echo "no interpreter for $5"; exit 2 ;; esac',
            "getconf": f'echo "glibc {glibc}"' if glibc else "exit 1",
            "uname": "echo Linux x86_64" if glibc else "echo Darwin arm64",
        }
        for name, text in programs.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
            (tmp_path / name).chmod(0o755)
        venv = tmp_path / "venv"
        done = subprocess.run(
            ["sh", ".requirements/create_venv.sh", tmp_path / "uv", venv, *version],
            env={"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "HAS": has},
            text=True,
            capture_output=True,
        )
        made = (venv / "version").read_text().strip() if venv.exists() else None
        assert (done.returncode == 0) == (made is not None)
        return made, done.stdout + done.stderr

    return create


@pytest.mark.parametrize(
    "has, glibc, version, made, says",
    [
        ("3.11 3.12 3.13", "2.36", [], "3.11", ""),
        ("3.11 3.12 3.13", "2.41", [], "3.11", ""),
        ("3.12 3.13", "2.39", [], "3.13", "no Python 3.11 here: this is Python 3.13 with TFX 1.21"),
        ("3.12", "2.41", [], "3.12", "this is Python 3.12"),
        ("3.11 3.13", "", [], "3.13", "Apple's processors: this is Python 3.13 with TFX 1.21"),
        ("3.13", "2.36", [], None, "needs glibc 2.39 or later, this machine has 2.36"),
        ("", "2.41", [], None, "no Python 3.11, 3.12 or 3.13 here"),
        ("3.11 3.13", "2.41", ["3.13"], "3.13", ""),
        ("3.11 3.13", "2.36", ["3.13"], None, "PYTHON_VERSION=3.13: TFX 1.21 needs glibc 2.39"),
        ("3.11 3.13", "2.41", ["3.11"], "3.11", ""),
        ("3.13", "2.41", ["3.11"], None, "no interpreter for 3.11"),
        ("3.10", "2.41", ["3.10"], None, 'must be 3.11, 3.12 or 3.13, got "3.10"'),
    ],
)
def test_make_takes_the_python_that_it_is_asked_for_or_says_why_not(
    create, has, glibc, version, made, says
):
    taken, said = create(has, glibc, *version)
    assert taken == made
    assert (says in said) if says else not said


def test_each_python_has_an_environment_of_its_own():
    for version, folder in {"": ".venv", "3.11": ".venv", "3.13": ".venv-3.13"}.items():
        command = ["make", "--dry-run", f"PYTHON_VERSION={version}", "check"]
        said = subprocess.run(command, check=True, text=True, capture_output=True).stdout
        assert set(re.findall(r"\.venv[-.\d]*\b", said)) == {folder}

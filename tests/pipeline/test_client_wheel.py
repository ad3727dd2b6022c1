"""The wheel installed alone is the client: small, without TensorFlow, and it queries a server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from serving.model_server.options import ServerOptions
from serving.model_server.server import ModelServer
from tests.serving import nearest_centroid

UV = Path(".uv/bin/uv")
MEGABYTES = 100
_IMPORT = """
import sys, time
begin = time.perf_counter()
import serving.client
print(f"{time.perf_counter() - begin:.3f}")
assert "tensorflow" not in sys.modules
"""


@pytest.fixture(scope="module")
def run(wheel, tmp_path_factory):
    """Runs a program of an environment outside the checkout that holds the wheel alone."""
    if not UV.exists():
        pytest.skip("uv is not at .uv/bin/uv; `make setup` puts it there")
    folder = tmp_path_factory.mktemp("client")
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment["VIRTUAL_ENV"] = str(folder / "venv")

    def run(program, *arguments, status=0) -> str:
        command = [str(word) for word in (program, *arguments)]
        done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True)
        assert done.returncode == status, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout + done.stderr

    uv = UV.resolve()
    run(uv, "venv", "--python", sys.executable, folder / "venv")
    run(uv, "pip", "install", wheel)
    return lambda name, *arguments, **kw: run(folder / "venv/bin" / name, *arguments, **kw)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    nearest_centroid.export(folder / "1")
    options = ServerOptions(
        model_name="few_shot", model_base_path=str(folder), port=-1, rest_api_port=-1
    )
    with ModelServer(options) as running:
        yield running


@pytest.fixture
def pictures(tmp_path):
    for name, grey in [("dark", 20), ("bright", 220)]:
        (tmp_path / name).mkdir()
        Image.new("L", (4, 4), grey).save(tmp_path / name / "1.png")
    return tmp_path


@pytest.mark.cluster
def test_it_is_small_and_has_no_tensorflow(run):
    packages = Path(run("python", "-c", "import numpy; print(numpy.__path__[0])").strip()).parent
    names = {path.name for path in packages.iterdir()}
    assert "numpy" in names and not {"tensorflow", "tfx", "keras", "pydantic"} & names
    files = [path for path in packages.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    megabytes = sum(path.stat().st_size for path in files) / 1e6
    print(f"site-packages: {megabytes:.0f} MB without bytecode")
    assert megabytes < MEGABYTES


@pytest.mark.cluster
def test_the_client_imports_without_tensorflow(run):
    seconds = sorted(float(run("python", "-c", _IMPORT)) for _ in range(5))
    print(f"import serving.client: {seconds[2]:.2f} s (median of 5)")


@pytest.mark.cluster
@pytest.mark.parametrize("protocol", ["grpc", "rest"])
def test_it_queries_a_server(run, server, pictures, protocol):
    target = {
        "grpc": ("--address", f"localhost:{server.port}"),
        "rest": ("--rest", f"http://localhost:{server.rest_port}"),
    }[protocol]
    query = pictures / "bright" / "1.png"
    arguments = ("--support", pictures, *target, "--model-name", "few_shot", query)
    (row,) = [line for line in run("fewshot", "query", *arguments).splitlines() if "1.png" in line]
    assert row.split("│")[2].strip() == "bright"


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (("run", "--config", "any.yaml"), "pipeline"),
        (("serve", "--model-base-path", "/tmp", "--model-name", "any"), "server"),
    ],
)
def test_a_command_of_an_extra_says_so(run, arguments, extra):
    assert f"needs the extra `{extra}`" in run("fewshot", *arguments, status=2)

"""The client works where neither TensorFlow nor the pipeline's other packages are installed."""

import subprocess
import sys

import pytest
from PIL import Image

# Runs the command line of `fewshot query` in a process that cannot import what is listed.
_BARE = """
import sys

MISSING = {
    "tensorflow", "tensorflow_serving", "tfx", "apache_beam", "pydantic", "PIL", "fsspec",
    "aiohttp", "yaml", "matplotlib", "jinja2", "kfp", "ml_metadata", "grpc_health",
}


class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in MISSING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Missing())
import serving.client
from serving.client.command import query
from serving.errors import UserError

try:
    query(sys.argv[1:])
except UserError as error:
    sys.exit(f"UserError: {error}")
"""


def bare_query(*arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", _BARE, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.fixture
def pictures(tmp_path):
    for name, grey in [("dark", 20), ("bright", 220)]:
        (tmp_path / name).mkdir()
        Image.new("L", (4, 4), grey).save(tmp_path / name / "1.png")
    return tmp_path


def test_help():
    result = bare_query("--help")
    assert result.returncode == 0, result.stderr
    assert "--support" in result.stdout


@pytest.mark.parametrize("protocol", ["grpc", "rest"])
def test_a_query_to_a_server(server, pictures, protocol):
    target = {
        "grpc": ["--address", f"localhost:{server.port}"],
        "rest": ["--rest", f"http://localhost:{server.rest_port}"],
    }[protocol]
    query = pictures / "bright" / "1.png"
    result = bare_query("--support", pictures, *target, "--model-name", "few_shot", query)
    assert result.returncode == 0, result.stderr
    (row,) = [line.split("│") for line in result.stdout.splitlines() if "1.png" in line]
    assert row[2].strip() == "bright"


def test_a_model_on_disk_names_the_extra_that_it_needs(model, pictures):
    query = pictures / "bright" / "1.png"
    result = bare_query("--support", pictures, "--model", model, query)
    assert result.stderr.strip() == (
        "UserError: A model on disk needs the extra `server`, for tensorflow is not installed; "
        "run uv pip install 'fewshot-pipeline[server]', or query a server."
    )


def test_the_import_takes_little_time():
    timed = "import time, sys; b = time.process_time(); import serving.client; "
    timed += "print(time.process_time() - b, 'tensorflow' in sys.modules)"
    runs = [
        subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True).stdout.split()
        for _ in range(3)
    ]
    assert {imported for _, imported in runs} == {"False"}
    # Seconds of the processor, the best of three, for the machine may be busy.
    assert min(float(seconds) for seconds, _ in runs) < 0.6

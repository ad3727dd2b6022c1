"""The image, built once for all tests of containers, and what the pipeline leaves in it."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.pipeline.kubeflow.test_local_orchestrator import CONFIG, SHORT, write_own_parts

IMAGE = "localhost/fewshot:test"
STEPS = 3
TOOLS = ("podman", "buildah", "runc", "debootstrap", "catatonit")
# As a cluster may have it: any user of group 0, nothing writable but /tmp.
STRANGER = ("--user=123456:0", "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL")
CLIENTS = ("docker==7.1.0", "podman-compose==1.6.0", "python-dotenv==1.1.1")


def done(*command, **options) -> str:
    """What a command prints on its standard output; fails with the end of what it said."""
    ran = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    assert ran.returncode == 0, f"{command}: {ran.stdout[-3000:]}{ran.stderr[-3000:]}"
    return ran.stdout


@pytest.fixture(scope="session")
def podman():
    """Runs a command of podman and returns what it prints."""
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing or os.geteuid() != 0:
        pytest.skip(f"needs root and Debian's packages {', '.join(missing or TOOLS)}")
    return lambda *arguments, **options: done("podman", "--runtime=runc", *arguments, **options)


@pytest.fixture(scope="session")
def build(podman):
    """Builds the image of a folder from the Dockerfile as it is; unchanged layers are reused."""
    for base in ("python:3.11-slim", "python:3.11"):
        if not podman("images", "--quiet", base):
            done("sh", Path(__file__).with_name("base_images.sh"), base)
    where = "pipeline/docker/Dockerfile"
    return lambda name, folder=".": done(
        *("buildah", "bud", "--runtime=runc", "--network=host", "--pull-never", "--layers"),
        *("--ignorefile", f"{where}.dockerignore", "--file", where, "--tag", name, "."),
        cwd=folder,
    )


@pytest.fixture(scope="session")
def image(podman, build):
    """The image of this checkout."""
    build(IMAGE)
    yield IMAGE
    # KFP and Beam leave the containers of their steps and workers.
    for container in podman("ps", "--all", "--quiet", f"--filter=ancestor={IMAGE}").split():
        podman("rm", "--force", "--ignore", container)


@pytest.fixture(scope="session")
def clients(podman, tmp_path_factory):
    """A folder of Python packages: Docker's client, and Compose for podman."""
    uv = Path(".uv/bin/uv")
    if not uv.exists():
        pytest.skip("uv is not at .uv/bin/uv; `make setup` puts it there")
    folder = tmp_path_factory.mktemp("clients")
    where = ("--python", sys.executable, "--target", folder)
    done(uv, "pip", "install", "--quiet", "--no-deps", *where, *CLIENTS)
    return folder


@pytest.fixture(scope="session")
def volume():
    """Makes folders that the image's user may write to, as `kubeflow/README.md` makes volumes."""
    with tempfile.TemporaryDirectory(prefix="fewshot-volumes-") as folder:
        Path(folder).chmod(0o755)

        def make(name: str) -> Path:
            path = Path(folder, name)
            path.mkdir()
            path.chmod(0o775)  # the image's user is of group 0, as root is
            return path

        yield make


@pytest.fixture(scope="session")
def docker_host(podman, clients, tmp_path_factory):
    """Docker's API, answered by podman, for KFP's DockerRunner."""
    socket = tmp_path_factory.mktemp("docker") / "socket"
    command = ["podman", "--runtime=runc", "system", "service", "--time=0", f"unix://{socket}"]
    service = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while not socket.exists():
        assert service.poll() is None, "podman's service has ended"
        time.sleep(0.2)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(clients))
        patch.setenv("DOCKER_HOST", f"unix://{socket}")
        yield
    service.terminate()
    service.wait(30)


@pytest.fixture(scope="session")
def pipeline_root(docker_host, image, volume, tmp_path_factory):
    """What the compiled glyph pipeline has written, each step in a container of its own.

    Its learner and source are a user's, which the containers have from the compiled file alone.
    """
    from kfp import components, local

    from pipeline.config import load_config
    from pipeline.kubeflow_runner import compile_pipeline, write_package

    root = volume("kubeflow")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(write_own_parts(tmp_path_factory.mktemp("own")))
        config = load_config(CONFIG, [*SHORT, f"kubeflow.shared_dir={root}/shared"])
        write_package(compile_pipeline(config, IMAGE), root / "pipeline.yaml")
        local.init(runner=local.DockerRunner(), pipeline_root=str(root))
        text = (root / "pipeline.yaml").read_text()
        components.load_component_from_text(text)(steps=STEPS)
        yield root

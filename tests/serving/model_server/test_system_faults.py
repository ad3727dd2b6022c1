"""A full disk, and standard streams that are closed or that nobody reads, cost no answer.

Two servers in processes of their own, which start at the same time.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from benchmarks.serving import attacks
from benchmarks.serving.attack_target import Target
from benchmarks.serving.running import MODEL_NAME, command, free_port, wait_until_it_answers
from serving.client import FewShotClient
from serving.request_log.files import find_log_files, read_records
from serving.saved_model import signatures as names
from tests.serving.model_server.watching import until
from tests.serving.nearest_centroid import episode, expected

resource = pytest.importorskip("resource")
if not hasattr(resource, "prlimit"):
    pytest.skip("only Linux limits the files of another process", allow_module_level=True)

EPISODE = episode()
LATER = "An upload from"  # what an aborted upload logs


class Running(NamedTuple):
    """A server, its addresses, and the folder of its files."""

    process: subprocess.Popen
    target: Target
    folder: Path

    def ask(self, times: int = 3) -> None:
        """Asks a few times, and checks the answers."""
        with FewShotClient.connect(f"localhost:{self.target.grpc_port}", MODEL_NAME) as client:
            for _ in range(times):
                found = client.run(names.ADAPT_AND_PREDICT, EPISODE).outputs[names.PROBABILITIES]
                np.testing.assert_allclose(found, expected(EPISODE), atol=1e-5)

    def limit_files(self, size: int) -> None:
        """Refuses what makes a file larger than `size` bytes, as a full disk would."""
        hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)[1]
        try:
            resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, hard))
        except PermissionError:
            pytest.skip("this system lets no test limit the files of a process")


@pytest.fixture(scope="module")
def servers(model, tmp_path_factory):
    """The two servers: one without streams, one that writes files."""
    made = {}

    def start(name: str, run: Callable[[list[str], Path], subprocess.Popen], *flags: str) -> None:
        folder = tmp_path_factory.mktemp(name)
        (folder / "models").mkdir()
        (folder / "models" / "1").symlink_to(model)
        target = Target(free_port(), free_port())
        flags = (f"--rest_api_port={target.rest_port}", f"--log_requests={folder / 'log'}", *flags)
        process = run(command(folder / "models", target.grpc_port, *flags), folder)
        made[name] = Running(process, target, folder)

    def without_streams(arguments: list[str], folder: Path) -> subprocess.Popen:
        shell = ["sh", "-c", 'exec "$@" <&- >&-', "sh", *arguments]
        return subprocess.Popen(shell, stderr=subprocess.PIPE)

    def into_a_file(arguments: list[str], folder: Path) -> subprocess.Popen:
        with open(folder / "stderr", "wb") as output:
            return subprocess.Popen(arguments, stdout=output, stderr=output)

    start("streams", without_streams)
    start("files", into_a_file)
    try:
        for server in made.values():
            wait_until_it_answers(f"localhost:{server.target.grpc_port}", 120.0)
        yield made
    finally:
        for server in made.values():
            server.target.close()
            server.process.kill()
            server.process.wait()


def test_closed_streams_and_a_pipe_that_nobody_reads(servers):
    server = servers["streams"]
    server.ask()
    server.process.stderr.close()  # so that writing to it fails
    attacks.aborted_uploads(server.target, 3)
    server.ask()
    assert server.process.poll() is None
    server.process.terminate()
    assert server.process.wait(30) == 0


def test_a_full_disk_takes_neither_lines_nor_records_and_costs_no_answer(servers):
    server = servers["files"]
    lines, log = server.folder / "stderr", server.folder / "log"
    size = lines.stat().st_size
    server.limit_files(0)
    server.ask()
    attacks.aborted_uploads(server.target, 3)
    server.ask()
    assert (server.process.poll(), lines.stat().st_size) == (None, size)
    assert not any(len(list(read_records(path))) for path in find_log_files(log))
    server.limit_files(resource.RLIM_INFINITY)

    def goes_on() -> bool:
        server.ask(1)
        attacks.aborted_uploads(server.target, 1)
        return LATER in lines.read_text()[size:]

    until(goes_on)
    server.process.terminate()
    assert server.process.wait(30) == 0

"""Requests and errors to the letter, against our server and the real one where there is one.

The real one: `TF_SERVING_ADDRESS` (host:port of gRPC) with `TF_SERVING_URL` (REST), serving the
models of the `server` fixture under the name "few_shot"; or tensorflow_model_server on PATH.
"""

import os
import shutil
import socket
import subprocess
import time

import pytest
import requests

from tests.serving.model_server.endpoints import Endpoint, endpoint

BINARY = shutil.which("tensorflow_model_server")


@pytest.fixture(scope="module", params=["ours", "theirs"])
def served(request, server, tmp_path_factory) -> Endpoint:
    if request.param == "ours":
        yield endpoint(server)
    elif "TF_SERVING_ADDRESS" in os.environ:
        yield Endpoint(os.environ["TF_SERVING_ADDRESS"], os.environ["TF_SERVING_URL"])
    elif BINARY:
        yield from _start_binary(server, tmp_path_factory.mktemp("binary"))
    else:
        pytest.skip("tensorflow_model_server is not on PATH, TF_SERVING_ADDRESS is not set")


def _start_binary(server, folder):
    ports = [_free_port(), _free_port()]
    config = server._options.model_config_file
    flags = [f"--port={ports[0]}", f"--rest_api_port={ports[1]}", f"--model_config_file={config}"]
    flags.append("--allow_version_labels_for_unavailable_models=true")
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen([BINARY, *flags], stdout=log, stderr=log)
    try:
        url = f"http://localhost:{ports[1]}"
        for _ in range(100):
            try:
                requests.get(f"{url}/v1/models/few_shot", timeout=1).raise_for_status()
                break
            except requests.RequestException:
                time.sleep(0.2)
        yield Endpoint(f"localhost:{ports[0]}", url)
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]

"""One running server with a real export of each kind, queried over gRPC and over REST."""

import pytest

from serving.client import FewShotClient
from serving.model_server.options import ServerOptions
from serving.model_server.server import ModelServer
from tests.serving.exported.small_exports import serving_config


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    config = folder / "models.config"
    config.write_text(serving_config(folder))
    options = ServerOptions(model_config_file=str(config), port=-1, rest_api_port=-1)
    with ModelServer(options) as running:
        yield running


@pytest.fixture(params=["grpc", "rest"])
def target(request, server) -> str:
    """Where the server listens."""
    if request.param == "rest":
        return f"http://localhost:{server.rest_port}"
    return f"localhost:{server.port}"


@pytest.fixture
def connect(target):
    """Connects to a model by its name; closed after the test."""
    opened = []

    def connect_to(name: str) -> FewShotClient:
        opened.append(FewShotClient.connect(target, name))
        return opened[-1]

    yield connect_to
    for client in opened:
        client.close()

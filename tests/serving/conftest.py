"""Models on disk, and one running server that tests share unless they change it."""

import shutil
from pathlib import Path

import pytest

from serving.model_server.options import ServerOptions
from serving.model_server.server import ModelServer
from tests.serving import nearest_centroid


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> Path:
    """A SavedModel (scale 4); copy it, do not change it."""
    return nearest_centroid.export(tmp_path_factory.mktemp("model") / "exported")


@pytest.fixture(scope="session")
def other_model(tmp_path_factory) -> Path:
    """One whose answers differ (scale 8), and which scores "none of these"."""
    folder = tmp_path_factory.mktemp("model") / "exported"
    return nearest_centroid.export(folder, scale=8.0, none_threshold=0.5)


@pytest.fixture
def base_path(tmp_path, model) -> Path:
    """A base path of its own, with version 1."""
    shutil.copytree(model, tmp_path / "models" / "1")
    return tmp_path / "models"


@pytest.fixture
def start(request):
    """Starts a server on free ports; stopped after the test."""

    def start_server(**options) -> ModelServer:
        options = {"port": -1, "rest_api_port": -1, "file_system_poll_wait_seconds": 0.05} | options
        server = ModelServer(ServerOptions(**options))
        request.addfinalizer(server.stop)
        return server

    return start_server


@pytest.fixture(scope="session")
def server(tmp_path_factory, model, other_model):
    """Versions 1 (scale 4) and 2 (scale 8) of the model "few_shot"; label "stable" is 1."""
    folder = tmp_path_factory.mktemp("shared")
    shutil.copytree(model, folder / "models" / "1")
    shutil.copytree(other_model, folder / "models" / "2")
    config = folder / "models.config"
    config.write_text(
        "model_config_list { config { name: 'few_shot' model_platform: 'tensorflow' "
        f"base_path: '{folder / 'models'}' model_version_policy {{ all {{}} }} "
        "version_labels { key: 'stable' value: 1 } } }"
    )
    options = ServerOptions(model_config_file=str(config), port=-1, rest_api_port=-1)
    with ModelServer(options) as running:
        yield running

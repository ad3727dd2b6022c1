"""One running server with a real export of each kind, queried over gRPC and over REST."""

import json
from pathlib import Path

import pytest

from serving.client import FewShotClient
from serving.model_server.options import ServerOptions
from serving.model_server.server import ModelServer
from serving.saved_model.signatures import METADATA_FILE
from tests.serving import chromium, nearest_centroid
from tests.serving.exported.page_actions import CARDS
from tests.serving.exported.small_exports import serving_config


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    config = folder / "models.config"
    path = with_none(folder / "with-none")
    extra = f"config {{ name: 'with-none' base_path: '{path}' model_platform: 'tensorflow' }} }}"
    config.write_text(serving_config(folder).removesuffix("}") + extra)
    options = ServerOptions(model_config_file=str(config), port=-1, rest_api_port=-1, ui=True)
    with ModelServer(options) as running:
        yield running


def with_none(base_path: Path) -> Path:
    """A model that scores "none of these", and has the metadata of a real export."""
    version = nearest_centroid.export(base_path / "1", none_threshold=0.5)
    spec = {"modality": "image", "shape": [nearest_centroid.SIZE, nearest_centroid.SIZE, 1]}
    about = {"learner": "nearest centroid", "example_spec": spec, "none_threshold": 0.5}
    (version / METADATA_FILE).write_text(json.dumps(about))
    return base_path


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


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    if not chromium.PROGRAM:
        pytest.skip("there is no Chromium (apt install chromium)")
    opened = chromium.Chromium(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


@pytest.fixture
def page(browser, server):
    """Opens the page with a model; in the end it must have complained of nothing."""
    url = f"http://localhost:{server.rest_port}"

    def open_page(model: str) -> chromium.Chromium:
        browser.events.clear()
        browser("Emulation.clearDeviceMetricsOverride")
        browser.open(f"{url}/")
        browser.wait(f"{CARDS}.length === 2")
        choose = "const s = document.querySelector('#model'); s.selectedIndex = "
        browser.run(
            f"(() => {{ {choose} [...s.options].findIndex((o) => o.text === '{model}');"
            "s.dispatchEvent(new Event('change')); })()"
        )
        return browser

    yield open_page
    elsewhere = [u for u in browser.requests() if not u.startswith((url, f"blob:{url}"))]
    assert not elsewhere
    refusals = "the server responded with a status of 400"
    assert not [text for text in browser.complaints() if refusals not in text]

import pytest

from serving.client import FewShotClient


@pytest.fixture(params=["grpc", "rest", "disk"])
def client(request, server, model) -> FewShotClient:
    """The model with scale 4, over each transport."""
    targets = {
        "grpc": f"localhost:{server.port}",
        "rest": f"http://localhost:{server.rest_port}",
        "disk": str(model),
    }
    pinned = None if request.param == "disk" else 1
    with FewShotClient.connect(targets[request.param], "few_shot", version=pinned) as connected:
        yield connected

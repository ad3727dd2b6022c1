"""The lines for curl on the pages do what they say, against a served model."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

PAGES = ("README.md", "serving/deploy/README.md")
pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")


def blocks(page: str) -> list[str]:
    found = re.findall(r"```sh\n(.*?)```", Path(page).read_text(), re.DOTALL)
    return [block for block in found if "curl " in block]


@pytest.mark.parametrize("page", PAGES)
def test_the_lines_of_a_page(page, server, tmp_path):
    for name, grey in (("fox", 20), ("owl", 230), ("unknown", 220)):
        noise = np.random.default_rng(0).integers(0, 20, (28, 28), dtype=np.uint8)
        Image.fromarray(noise + np.uint8(grey)).save(tmp_path / f"{name}.png")
    assert blocks(page)
    replies = []
    for block in blocks(page):
        block = block.replace("localhost:8501", f"localhost:{server.rest_port}")
        block = re.sub("/(glyphs|my-classes)", "/images-protonet", block)
        block = block.replace("/intents", "/texts-protonet")
        block = re.sub(r"(?m)^curl ", "curl -s -w '\\\\n<end>\\\\n' ", block)
        done = subprocess.run(["bash", "-ec", block], cwd=tmp_path, capture_output=True, check=True)
        replies += [json.loads(reply) for reply in done.stdout.split(b"<end>") if reply.strip()]
    assert len(replies) == sum(len(re.findall(r"(?m)^curl ", block)) for block in blocks(page))
    assert not [reply for reply in replies if "error" in reply]
    answers = [reply["outputs"] for reply in replies if "outputs" in reply]
    predicted = [answer for answer in answers if "predicted_labels" in answer]
    assert [answer["predicted_labels"] for answer in predicted] == [[["owl"]]]
    if page != "README.md":
        states = replies[0]["model_version_status"]
        assert [state["state"] for state in states] == ["AVAILABLE"]
        assert "adapt" in replies[1]["metadata"]["signature_def"]["signature_def"]
        assert np.shape(answers[-1])[0] == 2 and np.ndim(answers[-1]) == 2

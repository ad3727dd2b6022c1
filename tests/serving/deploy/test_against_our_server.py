"""Our server does what the manifests need of TensorFlow Serving."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import yaml

DEPLOY = Path("serving/deploy")
PAGE = (DEPLOY / "README.md").read_text()
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def compose_check() -> list[str]:
    """The health check of the Compose file."""
    return COMPOSE["services"]["serving"]["healthcheck"]["test"][1:]


def page_check() -> list[str]:
    """The health check that the page gives `docker run`, as the shell of the container gets it."""
    (command,) = re.findall(r'--health-cmd ("(?:\\.|[^"])*")', PAGE.replace("\\\n", ""))
    return ["sh", "-c", *shlex.split(command)]


@pytest.fixture(params=[compose_check, page_check])
def run_health_check(start, tmp_path, monkeypatch, request):
    """Runs a health check against our server; gives its exit status."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    base_path = tmp_path / "models"
    base_path.mkdir()
    server = start(model_base_path=str(base_path), model_name="glyphs")
    program, *words = request.param()
    words = [word.replace("8501", str(server.rest_port)) for word in words]

    def run(*, after=lambda: None) -> int:
        after()
        server.manager.reconcile()
        return subprocess.run([program, *words], timeout=30).returncode

    return run, base_path


@pytest.mark.skipif(not shutil.which("bash"), reason="the check is a line of bash")
def test_the_health_check_passes_once_a_version_is_available(run_health_check, model):
    run, base_path = run_health_check
    assert run() != 0
    assert run(after=(base_path / "1").mkdir) != 0  # a version that does not load
    assert run(after=lambda: shutil.copytree(model, base_path / "2")) == 0


def test_prometheus_finds_the_metrics_where_it_looks(start, base_path):
    server = start(model_base_path=str(base_path), model_name="glyphs")
    config = yaml.safe_load((DEPLOY / "config/prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    (target,) = job["static_configs"][0]["targets"]
    assert target in [f"serving:{p.split(':')[1]}" for p in COMPOSE["services"]["serving"]["ports"]]
    url = f"http://localhost:{server.rest_port}{job['metrics_path']}"
    assert requests.get(url, timeout=30).status_code == 200

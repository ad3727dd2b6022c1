"""`fewshot submit` against a stub of the Kubeflow Pipelines API on loopback."""

import http.server
import json
import threading

import pytest
import yaml
from click.testing import CliRunner

from pipeline.cli import main


class Stub(http.server.BaseHTTPRequestHandler):
    """Enough of v2beta1 for the SDK; keeps what it was sent in `server.sent`."""

    def log_message(self, *_):
        pass

    def _reply(self, value, status=200):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path.startswith("/apis/v2beta1/healthz"):
            self._reply({"multi_user": False}, self.server.health)
        elif self.path.startswith("/apis/v2beta1/experiments"):
            experiment = {"experiment_id": "e1", "display_name": "fewshot"}
            self._reply({"experiments": [experiment], "total_size": 1})
        else:
            self._reply({}, 404)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.sent.append((self.path.partition("?")[0], body, self.headers["Authorization"]))
        if self.server.refuse:
            self._reply({"error_message": "the quota is used up"}, 400)
        elif self.path.startswith("/apis/v2beta1/recurringruns"):
            self._reply({"recurring_run_id": "rr1"})
        else:
            self._reply({"run_id": "r1", "experiment_id": "e1"})


@pytest.fixture
def api():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    server.sent, server.refuse, server.health = [], False, 200
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def package(documents, tmp_path):
    path = tmp_path / "pipeline.yaml"
    path.write_text(yaml.safe_dump_all(documents))
    return path


def submit(api, package, *arguments):
    host = f"http://127.0.0.1:{api.server_address[1]}"
    given = ["submit", "--host", host, "--pipeline", str(package), *arguments]
    return CliRunner().invoke(main, given)


def test_a_run_is_submitted_with_its_parameters(api, package, documents):
    done = submit(api, package, "--parameter", "steps=9", "--token", "secret")
    assert done.exit_code == 0, done.output
    assert "run r1 of glyphs-5w1s" in done.output
    ((path, body, authorization),) = api.sent
    assert path == "/apis/v2beta1/runs"
    assert body["runtime_config"]["parameters"] == {"steps": 9}
    assert body["pipeline_spec"]["pipeline_spec"]["schemaVersion"] == "2.1.0"
    assert "platforms" in body["pipeline_spec"]["platform_spec"]
    assert authorization == "Bearer secret"


def test_a_recurring_run_never_overlaps_itself(api, package):
    done = submit(api, package, "--cron", "0 0 3 * * *")
    assert done.exit_code == 0, done.output
    assert "recurring run rr1" in done.output
    ((path, body, _),) = api.sent
    assert path == "/apis/v2beta1/recurringruns"
    assert body["trigger"]["cron_schedule"]["cron"] == "0 0 3 * * *"
    assert int(body["max_concurrency"]) == 1


def test_a_refusal_is_one_sentence_and_status_1(api, package):
    api.refuse = True
    done = submit(api, package)
    assert done.exit_code == 1
    assert "does not take the pipeline: the quota is used up." in done.output


@pytest.mark.parametrize("health, said", [(401, "give `--token`"), (404, "no Kubeflow Pipelines")])
def test_a_host_that_is_not_the_api(api, package, health, said):
    api.health = health
    done = submit(api, package)
    assert done.exit_code == 1 and said in done.output
    assert api.sent == []


def test_a_host_that_does_not_answer(package):
    # A port of the loopback that nothing listens to.
    done = CliRunner().invoke(
        main, ["submit", "--host", "http://127.0.0.1:9", "--pipeline", str(package)]
    )
    assert done.exit_code == 1
    assert "does not answer" in done.output and len(done.output.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--parameter", "stepz=9"], "`--parameter` must name one of"),
        (["--parameter", "threshold=high"], "must be a number"),
    ],
)
def test_a_wrong_parameter_is_status_2(api, package, arguments, said):
    done = submit(api, package, *arguments)
    assert done.exit_code == 2 and said in done.output
    assert api.sent == []


def test_a_file_that_the_backend_would_refuse_is_not_sent(api, package, documents):
    documents[0]["schemaVersion"] = "2.0.0"
    package.write_text(yaml.safe_dump_all(documents))
    done = submit(api, package)
    assert done.exit_code == 2 and "schema version" in done.output
    assert api.sent == []


def test_a_file_that_is_not_there_is_status_2(api, tmp_path):
    done = submit(api, tmp_path / "nothing.yaml")
    assert done.exit_code == 2 and "nothing.yaml" in done.output

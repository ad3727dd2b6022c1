"""TLS for gRPC: of the server alone, and mutual."""

import json
import shutil
import subprocess

import pytest

from serving.client import FewShotClient, StatusError, Tls
from serving.protocol import status
from tests.serving.nearest_centroid import episode

EPISODE = episode()
pytestmark = pytest.mark.skipif(
    not shutil.which("openssl"), reason="openssl makes the certificates"
)


def make_certificates(folder):
    """An authority, and a certificate of it for localhost that serves both sides."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    new_key = ("-newkey", "rsa:2048", "-nodes", "-days", "2")
    openssl("req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca")
    names = "subjectAltName=DNS:localhost"
    openssl("req", *new_key[:3], "-keyout", "key.pem", "-out", "csr.pem", "-subj", "/CN=localhost")
    (folder / "names").write_text(names)
    signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names")
    openssl("x509", "-req", "-in", "csr.pem", "-out", "cert.pem", "-days", "2", *signing)
    return folder


def ssl_config(folder, *lines: str, **files: str) -> str:
    """An SSLConfig: PEM files by field, and further lines."""
    texts = [f"{field}: {json.dumps((folder / name).read_text())}" for field, name in files.items()]
    (folder / "ssl.config").write_text("\n".join([*texts, *lines]))
    return str(folder / "ssl.config")


def test_tls_of_the_server_alone(start, base_path, tmp_path):
    folder = make_certificates(tmp_path)
    config = ssl_config(folder, server_key="key.pem", server_cert="cert.pem")
    server = start(model_base_path=str(base_path), model_name="m", ssl_config_file=config)
    address = f"localhost:{server.port}"
    with FewShotClient.connect(address, "m", tls=Tls(folder / "ca.pem")) as client:
        assert client.run("serving_default", EPISODE).version == 1
    with (
        FewShotClient.connect(address, "m", timeout=0.5) as plain,
        pytest.raises(StatusError) as error,
    ):
        plain.run("serving_default", EPISODE)
    assert error.value.code in (status.UNAVAILABLE, status.DEADLINE_EXCEEDED)


def test_mutual_tls_answers_known_clients_only(start, base_path, tmp_path):
    folder = make_certificates(tmp_path)
    config = ssl_config(
        folder,
        "client_verify: true",
        server_key="key.pem",
        server_cert="cert.pem",
        custom_ca="ca.pem",
    )
    server = start(model_base_path=str(base_path), model_name="m", ssl_config_file=config)
    address = f"localhost:{server.port}"
    known = Tls(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    with FewShotClient.connect(address, "m", tls=known) as client:
        assert client.run("serving_default", EPISODE).version == 1
    with (
        FewShotClient.connect(address, "m", tls=Tls(folder / "ca.pem"), timeout=0.5) as client,
        pytest.raises(StatusError) as error,
    ):
        client.run("serving_default", EPISODE)
    assert error.value.code in (status.UNAVAILABLE, status.DEADLINE_EXCEEDED)

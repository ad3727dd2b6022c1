"""The manifests against their schemas.

Kubernetes objects: against the types of the `kubernetes` client, which are generated from the API's
OpenAPI document. Compose: against the Compose specification, if `check-jsonschema` is installed,
which carries it. KServe: its own fields against a list written here, and what it takes from
Kubernetes as above; `test_kserve.py` checks it whole, against the types of KServe's SDK.
"""

import json
from importlib import resources
from pathlib import Path

import pytest
import yaml

from serving.model_server.model_config import read_config_file
from serving.model_server.options import ServerOptions, read_batching_options, read_metrics_path
from tests.serving.deploy.openapi import faults

DEPLOY = Path(__file__).parents[3] / "serving" / "deploy"
OBJECTS = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
KSERVE = yaml.safe_load((DEPLOY / "kserve.yaml").read_text())
KINDS = {
    "ConfigMap": "V1ConfigMap",
    "Deployment": "V1Deployment",
    "Service": "V1Service",
    "PodDisruptionBudget": "V1PodDisruptionBudget",
}


@pytest.mark.parametrize("manifest", OBJECTS, ids=lambda manifest: manifest["kind"])
def test_kubernetes_objects_fit_their_types(manifest):
    assert faults(manifest, KINDS[manifest["kind"]]) == []


def test_the_check_finds_a_wrong_field_a_wrong_type_and_a_missing_one():
    assert (
        faults({"replica": 1}, "V1DeploymentSpec")[0] == ".replica is no field of V1DeploymentSpec"
    )
    assert "is not of type int" in faults({"periodSeconds": "5"}, "V1Probe")[0]
    assert any("selector" in fault for fault in faults({"replicas": 1}, "V1DeploymentSpec"))


def test_compose_fits_the_compose_specification():
    package = pytest.importorskip("check_jsonschema", reason="carries the Compose specification")
    jsonschema = pytest.importorskip("jsonschema")
    schema = resources.files(package) / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.validate(COMPOSE, json.loads(schema.read_text()))


# Fields of serving.kserve.io/v1beta1 that are used, and the Python type of each.
KSERVE_FIELDS = {
    "predictor": {
        "minReplicas": int,
        "maxReplicas": int,
        "canaryTrafficPercent": int,
        "model": dict,
        "volumes": list,
    },
    "model": {
        "modelFormat": dict,
        "protocolVersion": str,
        "runtimeVersion": str,
        "storageUri": str,
    },
}


def test_kserve_has_known_fields_and_a_container_that_kubernetes_takes():
    assert (KSERVE["apiVersion"], KSERVE["kind"]) == (
        "serving.kserve.io/v1beta1",
        "InferenceService",
    )
    assert faults(KSERVE["metadata"], "V1ObjectMeta") == []
    assert list(KSERVE["spec"]) == ["predictor"]
    predictor = KSERVE["spec"]["predictor"]
    for name, value in predictor.items():
        assert isinstance(value, KSERVE_FIELDS["predictor"][name])
    assert faults(predictor["volumes"], "list[V1Volume]") == []
    own = KSERVE_FIELDS["model"]
    for name in set(predictor["model"]) & set(own):
        assert isinstance(predictor["model"][name], own[name])
    assert predictor["model"]["modelFormat"] == {"name": "tensorflow"}
    container = {k: v for k, v in predictor["model"].items() if k not in own}
    assert faults({"name": "kserve-container", **container}, "V1Container") == []


def test_the_servers_files_are_those_that_our_server_reads(tmp_path):
    (config_map,) = (manifest for manifest in OBJECTS if manifest["kind"] == "ConfigMap")
    for name, text in config_map["data"].items():
        (tmp_path / name).write_text(text)
    for folder in (tmp_path, DEPLOY / "config"):
        (model,) = read_config_file(str(folder / "models.config"))
        assert (model.name, str(model.base_path), model.max_versions) == (
            "glyphs",
            "/models/glyphs",
            2,
        )
        assert read_batching_options(str(folder / "batching.config")).max_batch_size == 16
        path = read_metrics_path(str(folder / "monitoring.config"))
        assert path == "/monitoring/prometheus/metrics"


def test_every_flag_of_the_manifests_is_one_of_our_servers_too():
    (deployment,) = (manifest for manifest in OBJECTS if manifest["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    flags = container["args"] + COMPOSE["services"]["serving"]["command"]
    flags += KSERVE["spec"]["predictor"]["model"]["args"]
    names = {flag.removeprefix("--").split("=")[0] for flag in flags}
    assert names <= set(ServerOptions.__dataclass_fields__)


def test_probes_services_and_scrapes_point_at_ports_that_are_open():
    (deployment,) = (manifest for manifest in OBJECTS if manifest["kind"] == "Deployment")
    (service,) = (manifest for manifest in OBJECTS if manifest["kind"] == "Service")
    pod = deployment["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert {port["targetPort"] for port in service["spec"]["ports"]} == set(ports)
    assert service["spec"]["selector"] == pod["metadata"]["labels"]
    assert pod["metadata"]["annotations"]["prometheus.io/port"] == str(ports["http"])
    for probe in ("startupProbe", "readinessProbe"):
        assert container[probe]["httpGet"] == {"path": "/v1/models/glyphs", "port": "http"}
    volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes


def test_a_server_in_python_finds_a_folder_to_write_to_on_a_read_only_root():
    (deployment,) = (manifest for manifest in OBJECTS if manifest["kind"] == "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert {"name": "tmp", "mountPath": "/tmp"} in container["volumeMounts"]
    assert {"name": "tmp", "emptyDir": {}} in pod["volumes"]
    serving = COMPOSE["services"]["serving"]
    assert serving["read_only"] and serving["tmpfs"] == ["/tmp"]

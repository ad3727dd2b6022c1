import pytest
from click.testing import CliRunner

from serving.errors import UserError
from serving.model_server import command
from serving.model_server.model_config import ModelConfig, initial_configs, read_config_file
from serving.model_server.options import (
    METRICS_PATH,
    ServerOptions,
    parse_channel_arguments,
    read_metrics_path,
    read_ssl_config,
)


@pytest.fixture
def parsed(monkeypatch):
    """What the command line makes of its arguments."""

    def parse(*arguments):
        seen = []
        monkeypatch.setattr(command, "run", seen.append)
        result = CliRunner().invoke(command.serve, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return seen[0]

    return parse


def test_flags_are_spelled_as_in_tensorflow_model_server_and_as_here(parsed):
    theirs = parsed("--model_base_path=/m", "--rest_api_port=9", "--enable_batching=true")
    ours = parsed("--model-base-path", "/m", "--rest-api-port", "9", "--enable-batching")
    assert theirs == ours
    assert (ours.model_base_path, ours.rest_api_port, ours.enable_batching) == ("/m", 9, True)
    assert parsed("--enable_model_warmup=false").enable_model_warmup is False


def test_both_ports_are_open_by_default(parsed):
    assert (parsed().port, parsed().rest_api_port) == (8500, 8501)


def test_every_option_has_a_help_text():
    assert set(command._HELP) == set(ServerOptions.__dataclass_fields__)


def test_one_of_base_path_and_config_file_is_needed(tmp_path):
    for options in (ServerOptions(), ServerOptions(model_base_path="a", model_config_file="b")):
        with pytest.raises(UserError, match="Give either `--model-base-path`"):
            initial_configs(options)


def test_a_version_folder_is_not_a_base_path(tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").touch()
    with pytest.raises(UserError, match=f"is itself a version: give {tmp_path}"):
        initial_configs(ServerOptions(model_base_path=str(tmp_path / "1")))
    with pytest.raises(UserError, match="must be an existing folder"):
        initial_configs(ServerOptions(model_base_path=str(tmp_path / "absent")))


def config(model: str, platform: str = "model_platform: 'tensorflow'") -> str:
    return f"model_config_list {{ config {{ name: 'm' {platform} {model} }} }}"


@pytest.mark.parametrize(
    "policy, versions, wanted",
    [
        ("", [5, 3, 1], 1),
        ("model_version_policy { latest { num_versions: 2 } }", [5, 3, 1], 2),
        ("model_version_policy { all {} }", [5, 3, 1], float("inf")),
        ("model_version_policy { specific { versions: 3 versions: 4 } }", [3], float("inf")),
    ],
)
def test_policies(tmp_path, policy, versions, wanted):
    path = tmp_path / "models.config"
    path.write_text(config(f"base_path: '/m' {policy}"))
    (model,) = read_config_file(str(path))
    assert (model.candidates([1, 3, 5]), model.max_versions) == (versions, wanted)


@pytest.mark.parametrize(
    "text, message",
    [
        (config("base_path: 'm'"), r"to have an absolute path or URI; got base_path\(\)=m"),
        (config("base_path: '/m'", "model_platform: 'caffe'"), "unsupported platform caffe"),
        (config("base_path: '/m'", ""), "Illegal setting neither ModelServerConfig::model_type"),
        (
            config("base_path: '/m'", "model_platform: 'tensorflow' model_type: TENSORFLOW"),
            "Illegal setting both ModelServerConfig::model_type",
        ),
        (
            config(
                "base_path: '/m' } config { name: 'm' model_platform: 'tensorflow' base_path: '/m'"
            ),
            "Illegal to list model m multiple",
        ),
        ("nonsense", "must be a ModelServerConfig in text format"),
    ],
)
def test_configuration_files_that_are_wrong(tmp_path, text, message):
    path = tmp_path / "models.config"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_config_file(str(path))


def test_an_absent_file_is_named():
    with pytest.raises(UserError, match="`model_config_file` must be a readable file; /absent"):
        read_config_file("/absent")


def test_labels_are_read(tmp_path):
    path = tmp_path / "models.config"
    path.write_text(config("base_path: '/m' version_labels { key: 'stable' value: 4 }"))
    (model,) = read_config_file(str(path))
    assert model == ModelConfig("m", model.base_path, labels=(("stable", 4),))


def test_the_monitoring_file(tmp_path):
    path = tmp_path / "monitoring.config"
    assert read_metrics_path("") == METRICS_PATH
    path.write_text("prometheus_config { enable: true }")
    assert read_metrics_path(str(path)) == METRICS_PATH
    path.write_text("prometheus_config { enable: true path: '/metrics' }")
    assert read_metrics_path(str(path)) == "/metrics"
    path.write_text("prometheus_config { enable: false }")
    assert read_metrics_path(str(path)) is None


def test_an_ssl_file_needs_a_key_and_an_authority_to_verify_with(tmp_path):
    path = tmp_path / "ssl.config"
    path.write_text("server_key: 'k'")
    with pytest.raises(UserError, match="must give `server_key` and `server_cert`"):
        read_ssl_config(str(path))
    path.write_text("server_key: 'k' server_cert: 'c' client_verify: true")
    with pytest.raises(UserError, match="must give `custom_ca`"):
        read_ssl_config(str(path))


def test_channel_arguments():
    assert parse_channel_arguments("a=1,b=x,c=-1") == [("a", 1), ("b", "x"), ("c", -1)]
    assert parse_channel_arguments("") == []
    with pytest.raises(UserError, match="key=value pairs joined by commas; got 'a'"):
        parse_channel_arguments("a")


def test_the_page_is_off_by_default_and_needs_a_rest_port(parsed):
    assert not parsed().ui
    assert parsed("--ui", "--model-base-path", "models").ui
    with pytest.raises(UserError, match="`--ui` needs a REST port"):
        ServerOptions(ui=True, rest_api_port=0)

"""Which versions are served, and under which labels, changed while requests are answered."""

import grpc
import pytest
from tensorflow_serving.apis import model_management_pb2

from serving.model_server.base_path import check_base_path, version_folders
from serving.model_versions.folders import drop_versions, publish
from tests.serving.model_server.endpoints import endpoint, predict_request
from tests.serving.model_server.watching import served_version, states, until
from tests.serving.nearest_centroid import episode

EPISODE = episode()


def reload_config(server, base_path, *, labels=(), specific=()):
    request = model_management_pb2.ReloadConfigRequest()
    config = request.config.model_config_list.config.add(
        name="m", base_path=str(base_path), model_platform="tensorflow"
    )
    config.version_labels.update(labels)
    config.model_version_policy.specific.versions.extend(specific)
    payload = request.SerializeToString()
    return endpoint(server).call("ModelService/HandleReloadConfigRequest", payload)


def test_reload_pins_versions_and_moves_labels(start, base_path, other_model):
    publish(other_model, base_path, now=2)
    server = start(model_base_path=str(base_path), model_name="m")
    reload_config(server, base_path, specific=[1, 2], labels={"stable": 1, "canary": 2})
    for label, version in [("stable", 1), ("canary", 2)]:
        reply = endpoint(server).predict(predict_request(EPISODE, model="m", label=label))
        assert reply.model_spec.version.value == version
    reload_config(server, base_path, specific=[1])
    assert states(server) == {2: 50, 1: 30}


def test_a_version_rolled_back_to_is_not_dropped(start, base_path, other_model):
    for version in (2, 3):
        publish(other_model, base_path, now=version)
    server = start(model_base_path=str(base_path), model_name="m")
    reload_config(server, base_path, specific=[1])
    assert drop_versions(base_path, keep=1, loads=lambda _: True) == [2]
    assert served_version(server) == 1
    server.stop()
    assert drop_versions(base_path, keep=1, loads=lambda _: True) == [1]


def test_a_label_for_a_version_that_is_not_served_is_refused(start, base_path):
    server = start(model_base_path=str(base_path), model_name="m")
    with pytest.raises(grpc.RpcError) as error:
        reload_config(server, base_path, specific=[1], labels={"stable": 9})
    assert error.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert error.value.details() == (
        "Request to assign label to version 9 of model m, which is not currently available for "
        "inference"
    )


def test_reload_with_a_relative_path_changes_nothing(start, base_path):
    server = start(model_base_path=str(base_path), model_name="m")
    with pytest.raises(grpc.RpcError) as error:
        reload_config(server, "relative")
    assert "to have an absolute path or URI; got base_path()=relative" in error.value.details()
    assert served_version(server) == 1


def test_a_base_path_that_is_away_is_no_order_to_unload(start, base_path):
    server = start(model_base_path=str(base_path), model_name="m")
    base_path.rename(base_path.with_name("away"))
    server.manager.reconcile()
    assert served_version(server) == 1
    with pytest.raises(grpc.RpcError) as error:
        reload_config(server, base_path, specific=[1])
    assert error.value.code() is grpc.StatusCode.NOT_FOUND
    assert error.value.details() == f"Could not find base path {base_path} for servable m"
    assert served_version(server) == 1


def test_the_configuration_file_is_followed(start, base_path, tmp_path):
    config = tmp_path / "models.config"
    line = (
        "model_config_list {{ config {{ name: '{}' base_path: '{}' "
        "model_platform: 'tensorflow' }} }}"
    )
    config.write_text(line.format("m", base_path))
    server = start(model_config_file=str(config), model_config_file_poll_wait_seconds=0.01)
    assert states(server) == {1: 30}
    config.write_text(line.format("renamed", base_path))
    until(lambda: states(server, "renamed") == {1: 30} and states(server) == {1: 50})


def test_a_base_path_of_numbered_folders_without_models_is_refused(start, base_path, tmp_path):
    """As /proc, which has a folder for each process."""
    server = start(model_base_path=str(base_path), model_name="m")
    odd = tmp_path / "odd"
    for number in range(9):
        (odd / str(number)).mkdir(parents=True)
    with pytest.raises(grpc.RpcError) as error:
        reload_config(server, odd, specific=[1])
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.value.details() == (
        "The base path of servable m must be a folder of version folders; none of the 9 numbered "
        f"folders in {odd} holds a saved_model.pb"
    )
    assert states(server) == {1: 30}
    assert served_version(server) == 1


def test_only_the_newest_folders_without_a_model_are_tried(tmp_path, model):
    for number in range(20):
        (tmp_path / str(number)).mkdir()
    (tmp_path / "3" / "saved_model.pb").symlink_to(model / "saved_model.pb")
    check_base_path("m", tmp_path)
    assert list(version_folders(tmp_path)) == [3, *range(12, 20)]


def test_base_path_and_versions_may_be_symbolic_links(start, base_path, tmp_path):
    links = tmp_path / "links"
    links.mkdir()
    (links / "4").symlink_to(base_path / "1")
    (links / "5").symlink_to(links / "5")  # to itself
    (links / "6").symlink_to("nowhere")
    whole = tmp_path / "whole"
    whole.symlink_to(links)
    server = start(model_base_path=str(whole), model_name="m")
    assert served_version(server) == 4

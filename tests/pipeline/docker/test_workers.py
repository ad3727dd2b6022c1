"""Workers in containers: Beam's, and those of a training on several machines."""

import json
import os
import re
import signal
import subprocess
import time

import pytest

from tests.components.meta_trainer.training.test_distributed import examples, job  # noqa: F401
from tests.pipeline.kubeflow.test_engines import JOIN, TABLE, BeamOptions, generated

pytestmark = pytest.mark.cluster
NETWORK = "fewshot-training"
STEPS = 400


# Beam calls `docker pull IMAGE`, then `docker run -d --network=host IMAGE --id=...`. The image is
# in no registry; workers are of the submitter's user, as on a cluster.
DOCKER = """#!/bin/sh
case $1 in
  pull) exit 1 ;;
  run) shift && set -- run --user=0 --volume="$FEWSHOT_VOLUME:$FEWSHOT_VOLUME" "$@" ;;
esac
exec podman --runtime=runc "$@"
"""


@pytest.fixture(scope="module")
def docker_args(image, volume, start_module, tmp_path_factory):
    """A folder, and Beam options for workers in containers of the image, which have the folder."""
    command = tmp_path_factory.mktemp("bin") / "docker"
    command.write_text(DOCKER)
    command.chmod(0o755)
    folder = volume("beam")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("FEWSHOT_VOLUME", str(folder))
        port = start_module("tests.pipeline.job_service", tmp_path_factory.mktemp("staging"))
    workers = ["--environment_type=DOCKER", f"--environment_config={image}"]
    return folder, ["--runner=PortableRunner", f"--job_endpoint=localhost:{port}", *workers]


@pytest.mark.parametrize("table_megabytes", [TABLE, JOIN], ids=["table", "join"])
def test_beam_s_workers_in_containers_draw_the_same_episodes(
    docker_args, podman, tmp_path, table_megabytes
):
    folder, args = docker_args
    here = generated(tmp_path, BeamOptions().pipeline_args(), table_megabytes)
    assert generated(folder / str(table_megabytes), args, table_megabytes) == here != {}


def start_training(podman, options: list, places: list[str], path) -> list[str]:
    """Starts a container of each place, as the training operator does; returns their names."""
    cluster = {"worker": [f"{place}:2222" for place in places]}
    for index, place in enumerate(places):
        task = {"type": "worker", "index": index}
        config = json.dumps({"cluster": cluster, "task": task, "environment": "cloud"})
        named = (f"--name={place}", f"--env=TF_CONFIG={config}", "--restart=on-failure:20")
        command = ("python", "-m", "components.meta_trainer.worker", path)
        podman("run", "--detach", *named, *options, *command)
    return places


def logs(name: str) -> str:
    """What a container has printed, on either stream."""
    ran = subprocess.run(["podman", "logs", name], capture_output=True, text=True)
    return ran.stdout + ran.stderr


def test_of_two_training_containers_one_is_killed_and_both_go_on(
    podman,
    image,
    volume,
    examples,  # noqa: F811
):
    folder = volume("training")
    path = job(examples, folder, steps=STEPS, eval_every=100)
    # Containers of a network of podman find each other by name, as the operator's pods do.
    podman("network", "create", NETWORK)
    volumes = (f"--volume={folder}:{folder}", f"--volume={examples}:{examples}:ro")
    places = [f"fewshot-meta-train-worker-{index}" for index in range(2)]

    def wait_for(pattern: str) -> None:
        deadline = time.monotonic() + 400
        while not list(folder.glob(pattern)):
            assert time.monotonic() < deadline, [logs(place)[-2000:] for place in places]
            time.sleep(0.2)

    try:
        start_training(podman, [f"--network={NETWORK}", *volumes, image], places, path)
        wait_for("checkpoints/*/checkpoint")
        os.kill(int(podman("inspect", "--format={{.State.Pid}}", places[1])), signal.SIGKILL)
        wait_for("run/meta_train.json")
        for place in places:
            reached = re.findall(r"goes on from step (\d+)", logs(place))
            assert reached and 0 < int(reached[-1]) < STEPS
            assert podman("wait", place).strip() == "0"
            assert int(podman("inspect", "--format={{.RestartCount}}", place)) > 0
    finally:
        podman("rm", "--force", *places)
        podman("network", "rm", "--force", NETWORK)
    assert json.loads((folder / "run/meta_train.json").read_text())["steps"] == STEPS
    assert (folder / "model/saved_model.pb").exists()

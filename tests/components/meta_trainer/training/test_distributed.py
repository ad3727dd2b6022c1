"""Two processes take the steps that one takes with the whole stack, and survive a loss."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.episodes.types import Episodes
from components.meta_trainer.training.distributed import ALONE, Workers, join, place
from serving.errors import UserError

STEPS = 400  # so many that a worker is killed before the last


def cluster(size: int, kind: str = "worker") -> dict:
    """A place for each on loopback; the ports are free when they are asked for."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(size)]
    places = [f"127.0.0.1:{s.getsockname()[1]}" for s in sockets]
    for one in sockets:
        one.close()
    return {kind: places}


def test_places():
    worker = {"cluster": {"worker": ["a:1", "b:1"]}}
    assert place("") == (0, 1)
    assert place(json.dumps(worker | {"task": {"type": "worker", "index": 1}})) == (1, 2)
    both = {"cluster": {"chief": ["a:1"], "worker": ["b:1", "c:1"], "evaluator": ["d:1"]}}
    assert place(json.dumps(both | {"task": {"type": "chief", "index": 0}})) == (0, 3)
    assert place(json.dumps(both | {"task": {"type": "worker", "index": 1}})) == (2, 3)


@pytest.mark.parametrize(
    "config",
    ["no json", "[]", '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 3}}'],
)
def test_a_wrong_tf_config_is_a_mistake(config):
    with pytest.raises(UserError, match="TF_CONFIG must"):
        place(config)


def test_episodes_that_cannot_be_shared_are_a_mistake(monkeypatch):
    task = {"type": "worker", "index": 0}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster(2), "task": task}))
    with pytest.raises(UserError, match=r"`training.episodes_per_step` must be a multiple of"):
        join(5)


def test_the_shares_are_the_stack():
    stack = Episodes(*(tf.range(6) + offset for offset in range(4)))
    shares = [Workers(None, index, 3).share(stack) for index in range(3)]
    for whole, *parts in zip(stack, *shares):
        assert sorted(np.concatenate(parts)) == whole.numpy().tolist()
        assert {len(part) for part in parts} == {2}
    assert ALONE.share(stack) is stack


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    import apache_beam as beam

    from components.episode_gen.generate import generate_episodes
    from components.episode_gen.options import (
        DataOptions,
        EpisodeCounts,
        EpisodeGenConfig,
        EpisodeOptions,
    )

    folder = tmp_path_factory.mktemp("examples")
    generate_episodes(
        EpisodeGenConfig(
            DataOptions(image_size=8),
            EpisodeOptions(queries=2, counts=EpisodeCounts(train=64, eval=4, test=4)),
        ),
        uri=str(folder / "1"),
        work=str(folder / "work"),
        make_pipeline=lambda: beam.Pipeline(argv=["--runner=FnApiRunner"]),
    )
    return str(folder / "1")


def job(examples: str, folder: Path, *, steps: int, eval_every: int = 5) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "job.json"
    config = {
        "learner": {"name": "maml", "inner_steps": 2, "backbone": {"filters": 4, "blocks": 2}},
        "training": {
            "steps": steps,
            "episodes_per_step": 4,
            "eval_every": eval_every,
            "eval_episodes": 4,
            "checkpoint_every": 5,
            "jit_compile": False,
        },
        "checkpoint_root": str(folder / "checkpoints"),
        "model_name": "m",
    }
    out = {"model_dir": str(folder / "model"), "run_dir": str(folder / "run")}
    path.write_text(json.dumps({"examples": examples, "config": config} | out))
    return path


def start(path: Path, places: dict | None = None, index: int = 0) -> subprocess.Popen:
    environment = dict(os.environ, CUDA_VISIBLE_DEVICES="-1")
    if places:
        task = {"type": "worker", "index": index}
        environment["TF_CONFIG"] = json.dumps({"cluster": places, "task": task})
    command = [sys.executable, "-m", "components.meta_trainer.worker", str(path)]
    log = open(path.with_name(f"{index}.log"), "a")  # noqa: SIM115
    return subprocess.Popen(command, env=environment, stdout=log, stderr=log)


def last_weights(folder: Path) -> dict[str, np.ndarray]:
    (checkpoints,) = (folder / "checkpoints").iterdir()
    reader = tf.train.load_checkpoint(str(checkpoints))
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if "/weights/" in name and ".ATTRIBUTES" in name
    }


def logs(folder: Path) -> str:
    return "".join(path.read_text(errors="replace")[-3000:] for path in folder.glob("*.log"))


@pytest.mark.cluster
def test_two_workers_end_with_the_weights_of_one(examples, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    assert start(job(examples, one, steps=5)).wait(300) == 0, logs(one)
    path, places = job(examples, two, steps=5), cluster(2)
    workers = [start(path, places, index) for index in range(2)]
    assert [worker.wait(300) for worker in workers] == [0, 0], logs(two)
    alone, shared = last_weights(one), last_weights(two)
    assert alone.keys() == shared.keys() and alone
    for name, weight in alone.items():
        np.testing.assert_allclose(shared[name], weight, atol=1e-5)
    assert (two / "model/saved_model.pb").exists()


@pytest.mark.cluster
def test_a_worker_that_dies_comes_back_and_all_go_on(examples, tmp_path):
    path, places = job(examples, tmp_path, steps=STEPS, eval_every=100), cluster(2)
    workers = [start(path, places, index) for index in range(2)]
    deadline = time.monotonic() + 300
    while not list(tmp_path.glob("checkpoints/*/checkpoint")):
        assert time.monotonic() < deadline and not any(w.poll() for w in workers), logs(tmp_path)
        time.sleep(0.2)
    workers[1].send_signal(signal.SIGKILL)
    # The other one does not wait for ever: it fails, to be started again.
    assert workers[0].wait(300) not in (0, 2), logs(tmp_path)
    (checkpoints,) = (tmp_path / "checkpoints").iterdir()
    variable = "training/step/.ATTRIBUTES/VARIABLE_VALUE"
    reached = int(tf.train.load_variable(str(checkpoints), variable))

    assert 0 < reached < STEPS

    # As the operator restarts them.
    workers = [start(path, places, index) for index in range(2)]
    assert [worker.wait(300) for worker in workers] == [0, 0], logs(tmp_path)
    for index in range(2):
        said = (tmp_path / f"{index}.log").read_text(errors="replace")
        assert f"goes on from step {reached}" in said
    assert json.loads((tmp_path / "run/meta_train.json").read_text())["steps"] == STEPS


@pytest.mark.cluster
def test_no_worker_ends_before_the_first_has_exported(examples, tmp_path):
    path, places = job(examples, tmp_path, steps=5), cluster(2)
    workers = [start(path, places, index) for index in range(2)]
    deadline = time.monotonic() + 300
    while not list(tmp_path.glob("checkpoints/*/checkpoint")):  # that of the last step
        assert time.monotonic() < deadline and not any(w.poll() for w in workers), logs(tmp_path)
        time.sleep(0.05)
    workers[0].send_signal(signal.SIGKILL)
    # Or else the first would wait for it in vain when it is started again.
    assert workers[1].wait(300) == 1, logs(tmp_path)
    assert not (tmp_path / "run/meta_train.json").exists()

    workers = [start(path, places, index) for index in range(2)]
    assert [worker.wait(300) for worker in workers] == [0, 0], logs(tmp_path)
    assert (tmp_path / "model/saved_model.pb").exists()

    # A first worker that was killed after the export, before it had said so, exports again.
    (tmp_path / "run/meta_train.json").unlink()
    workers = [start(path, places, index) for index in range(2)]
    assert [worker.wait(300) for worker in workers] == [0, 0], logs(tmp_path)
    assert (tmp_path / "run/meta_train.json").exists()

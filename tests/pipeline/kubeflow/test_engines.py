"""EpisodeGen and FewShotEvaluator give the same on every engine that can run here."""

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import apache_beam as beam
import pytest

from components.episode_gen.generate import generate_episodes
from components.episode_gen.options import (
    DataOptions,
    EpisodeCounts,
    EpisodeGenConfig,
    EpisodeOptions,
)
from components.episode_validator.validate import find_violations
from components.episodes import SPLITS
from components.few_shot_evaluator.evaluate import evaluate, read_results
from components.few_shot_evaluator.scoring import ScoringPlan
from pipeline.config import BeamOptions
from pipeline.kubeflow.run_executor import run_executor
from tests.components.few_shot_evaluator import small_episodes, small_models

WHOLE_RUN = """
name: small
data: {source: glyphs, invert: true}
episodes: {ways: 3, shots: 1, queries: 3, counts: {train: 64, eval: 8, test: 600}}
learner: {name: protonet, backbone: {filters: 8}}
training: {steps: 4, episodes_per_step: 4, eval_every: 2, eval_episodes: 8, jit_compile: false}
evaluation: {threshold: 0.2, must_beat_baselines: false, baseline_episodes: 20, curve_episodes: 4}
serving: {model_name: glyphs}
"""
EPISODES = EpisodeOptions(queries=2, counts=EpisodeCounts(train=20, eval=5, test=5))
TABLE, JOIN = 2048, 0  # megabytes up to which class data are a table


@pytest.fixture(scope="module")
def dask_cluster():
    """Two worker processes."""
    import dask.config
    from dask.distributed import LocalCluster

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with (
        dask.config.set({"distributed.admin.low-level-log-length": 1_000_000}),
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
    ):
        yield cluster


@contextmanager
def work_shared_by(cluster):
    """Fails unless each worker has finished tasks within."""
    from dask.distributed import Client

    # Functions of this function: sent by value, since workers cannot import the tests.
    def forget(dask_worker):
        dask_worker.state.log.clear()

    def tasks_done(dask_worker):
        return sum("memory" in map(str, event) for event in dask_worker.state.log)

    with Client(cluster) as client:
        client.run(forget)
        yield
        done = client.run(tasks_done)
    assert len(done) == 2 and all(done.values()), done


@pytest.fixture(scope="module")
def dask(dask_cluster) -> BeamOptions:
    return BeamOptions(
        runner="apache_beam.runners.dask.dask_runner.DaskRunner",
        options=(
            f"--dask_client_address={dask_cluster.scheduler_address}",
            "--dask_partition_size=1",
        ),
    )


@pytest.fixture(scope="module")
def dask_args(dask):
    return dask.pipeline_args()


def generated(
    folder: Path, args: list[str], table_megabytes: int, source: str = "glyphs"
) -> dict[str, str]:
    """The hash of each file of episodes."""
    generate_episodes(
        EpisodeGenConfig(DataOptions(source, table_megabytes=table_megabytes), EPISODES),
        uri=str(folder / "examples"),
        work=str(folder / "work"),
        make_pipeline=lambda: beam.Pipeline(argv=args),
    )
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (folder / "examples").rglob("*.gz")
    }


@pytest.fixture(scope="module")
def in_memory(tmp_path_factory):
    return generated(tmp_path_factory.mktemp("memory"), BeamOptions().pipeline_args(), TABLE)


@pytest.mark.cluster
@pytest.mark.parametrize("table_megabytes", [TABLE, JOIN], ids=["table", "join"])
def test_dask_draws_the_same_episodes(
    dask_args, dask_cluster, in_memory, tmp_path, table_megabytes
):
    with work_shared_by(dask_cluster):
        assert generated(tmp_path, dask_args, table_megabytes) == in_memory


@pytest.mark.cluster
def test_worker_processes_draw_the_same_episodes(in_memory, tmp_path):
    assert generated(tmp_path, BeamOptions(workers=2).pipeline_args(), JOIN) == in_memory


OWN_SOURCE = """
from components.episode_gen.sources.glyphs import open_source

def drawings(data):
    return open_source(data)
"""


# In `make test`: an engine, our workers as processes, the join, and a source that they cannot find.
@pytest.mark.parametrize("engine_args", ["process"], indirect=True)
def test_workers_get_a_source_of_the_user_s(engine_args, in_memory, tmp_path, monkeypatch):
    (tmp_path / "own_source_of_a_test.py").write_text(OWN_SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))  # of this process alone
    source = "own_source_of_a_test.drawings"
    assert generated(tmp_path, engine_args, JOIN, source) == in_memory


def job_server_args(request, name: str) -> list[str]:
    """Beam options for an engine in Java by the job server whose jar the environment names."""
    engine, _, cluster = name.partition(" ")
    variable = f"FEWSHOT_{engine.upper()}_JOB_SERVER_JAR"
    if not os.environ.get(variable):
        pytest.skip(f"{variable} does not name Beam's job server for {engine}, a jar")
    master = "--flink_master=[local]" if engine == "flink" else "--spark_master_url=local[2]"
    if cluster:
        address = request.getfixturevalue(f"{engine}_cluster").address
        master = (
            f"--flink_master={address}" if engine == "flink" else f"--spark_master_url={address}"
        )
    options = (master, f"--{engine}_job_server_jar={os.environ[variable]}")
    options += tuple(request.getfixturevalue("process_workers"))
    options = BeamOptions(runner=engine, options=options)
    options.check_machine()
    return options.pipeline_args()


ENGINES = ["process", "external", "flink", "flink cluster", "spark", "spark cluster"]


@pytest.fixture(scope="module", params=ENGINES)
def portable_args(request, job_service):
    """Beam options for Beam's own job service, and for Flink and Spark, with workers of ours.

    Flink and Spark run inside their job server, and as clusters.
    """
    if request.param in ("process", "external"):
        workers = request.getfixturevalue(f"{request.param}_workers")
        return ["--runner=PortableRunner", f"--job_endpoint={job_service}", *workers]
    return job_server_args(request, request.param)


@pytest.mark.cluster
@pytest.mark.parametrize("table_megabytes", [TABLE, JOIN], ids=["table", "join"])
def test_engines_draw_the_same_episodes(portable_args, in_memory, tmp_path, table_megabytes):
    assert generated(tmp_path, portable_args, table_megabytes) == in_memory


def statistics(examples: Path, folder: Path, args: list[str]) -> dict[str, list[bytes]]:
    """What StatisticsGen says of each feature, by split; without the features' order."""
    import tensorflow_data_validation as tfdv

    types = ("examples", "statistics"), ("tfx.Examples", "tfx.ExampleStatistics")
    artifacts = {
        name: {"name": name, "type": {"instanceSchema": f"title: {title}\ntype: object\n"}}
        for name, title in zip(*types)
    }
    splits = {"split_names": json.dumps(list(SPLITS))}
    artifacts["examples"] |= {"uri": str(examples), "metadata": splits}
    artifacts["statistics"]["uri"] = str(folder / "statistics")
    given = {
        "inputs": {
            "artifacts": {"examples": {"artifacts": [artifacts["examples"]]}},
            "parameterValues": {"exclude_splits": "[]"},
        },
        "outputs": {
            "artifacts": {"statistics": {"artifacts": [artifacts["statistics"]]}},
            "outputFile": str(folder / "task/output.json"),
        },
    }
    run_executor("tfx.components.statistics_gen.executor.Executor", given, {}, args)
    found = {}
    for split in SPLITS:
        path = folder / "statistics" / f"Split-{split}" / "FeatureStats.pb"
        (dataset,) = tfdv.load_stats_binary(str(path)).datasets
        found[split] = sorted(f.SerializeToString(deterministic=True) for f in dataset.features)
    return found


@pytest.mark.cluster
def test_engines_give_the_same_statistics_in_another_order(portable_args, tmp_path):
    generated(tmp_path, BeamOptions().pipeline_args(), TABLE)
    here, there = (
        statistics(tmp_path / "examples", tmp_path / name, args)
        for name, args in (("memory", BeamOptions().pipeline_args()), ("engine", portable_args))
    )
    assert here == there
    assert len(here["train"]) == 7


@pytest.fixture(scope="module")
def small_model(tmp_path_factory):
    """Folders of 24 episodes and of a model for them."""
    folder = tmp_path_factory.mktemp("scoring")
    uri = small_episodes.write_episodes(folder / "examples", 24)
    small_models.save(small_models.SmallModel(), str(folder / "model"))
    return uri, str(folder / "model" / "Format-Serving")


def scored(small_model, folder: Path, args: list[str]):
    """The results of the evaluator's Beam pipeline."""
    uri, model = small_model
    with beam.Pipeline(argv=args) as pipeline:
        evaluate(
            pipeline,
            examples_uri=uri,
            split="test",
            results_prefix=str(folder / "episodes"),
            plan=ScoringPlan(
                small_episodes.SPEC,
                ways=3,
                shots=2,
                curve_episodes=2,
                baseline_episodes=2,
                groups={},
            ),
            episodes=24,
            episodes_per_call=4,
            model_dir=model,
        )
    return read_results(str(folder / "episodes"), episodes=24)


def assert_same_scores(here, there):
    assert [r.predictions for r in here] == [r.predictions for r in there]
    assert [r.score for r in here] == [r.score for r in there]
    # The last bits of a confidence are those of the matrix product's order of sums.
    for one, other in zip(here, there):
        assert one.confidences == pytest.approx(other.confidences, abs=1e-5)
        assert dataclasses.replace(one, confidences=[]) == dataclasses.replace(
            other, confidences=[]
        )


@pytest.fixture(scope="module")
def scored_in_memory(small_model, tmp_path_factory):
    return scored(small_model, tmp_path_factory.mktemp("scores"), BeamOptions().pipeline_args())


@pytest.mark.cluster
def test_dask_scores_episodes_as_one_process_does(
    dask_args, dask_cluster, small_model, scored_in_memory, tmp_path
):
    with work_shared_by(dask_cluster):
        assert_same_scores(scored_in_memory, scored(small_model, tmp_path, dask_args))


@pytest.mark.cluster
def test_engines_score_episodes_as_one_process_does(
    portable_args, small_model, scored_in_memory, tmp_path
):
    assert_same_scores(scored_in_memory, scored(small_model, tmp_path, portable_args))


@pytest.mark.cluster
def test_engines_find_the_violations_that_one_process_finds(portable_args, tmp_path):
    uri = small_episodes.write_episodes(tmp_path / "examples", 24)
    record = json.loads((tmp_path / "examples/episodes.json").read_text())
    record["counts"]["test"] += 1
    (tmp_path / "examples/episodes.json").write_text(json.dumps(record))
    here, there = (
        find_violations(
            uri,
            output=str(tmp_path / f"{name}.txt"),
            make_pipeline=lambda args=args: beam.Pipeline(argv=args),
        )
        for name, args in (("memory", BeamOptions().pipeline_args()), ("engine", portable_args))
    )
    assert here == there != []


@pytest.mark.cluster
def test_a_whole_run_on_dask_ends_with_a_pushed_model(dask, dask_cluster, tmp_path):
    (tmp_path / "small.yaml").write_text(WHOLE_RUN)
    command = [sys.executable, "-m", "pipeline.cli", "run", "--config", tmp_path / "small.yaml"]
    command += ["--output-dir", tmp_path / "out", "--set", f"beam.runner={dask.runner}"]
    command += ["--set", f"beam.options={json.dumps(dask.options)}"]
    with work_shared_by(dask_cluster):
        done = subprocess.run(list(map(str, command)), stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["test"]["episodes"] == 600
    assert (Path(summary["pushed"]) / "saved_model.pb").exists()

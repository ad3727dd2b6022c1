"""Options of engines: a wrong or missing one is a sentence before anything runs."""

import os
import socket

import pytest
from apache_beam.options import pipeline_options
from tfx.utils import dependency_utils

from components.options import build_options
from pipeline import beam_options
from pipeline.beam_options import ENGINES, BeamOptions
from serving.errors import UserError

FLINK = ("--flink_master=jobmanager:8081",)
POOL = ("--environment_type=EXTERNAL", "--environment_config=localhost:50000")
PROCESS = ("--environment_type=PROCESS", "--environment_option=process_command=/bin/worker")
SPARK = ("--spark_master_url=spark://master:7077",)
DATAFLOW = ("--project=p", "--region=r", "--temp_location=gs://b/t", "--sdk_container_image=i:1")


@pytest.mark.parametrize(
    "runner, options",
    [
        ("flink", FLINK + POOL),
        ("FlinkRunner", FLINK + PROCESS + ("--parallelism=2",)),
        ("flink", ("--flink_master=[local]",)),
        ("flink", (*POOL, "--flink_master=https://flink.example/session")),
        ("flink", (*FLINK, "--environment_type=DOCKER", "--environment_config=r.example/f:1")),
        ("spark", SPARK + PROCESS),
        ("spark", ("--spark_master_url=local[2]",)),
        ("spark", (*SPARK, "--environment_type=LOOPBACK")),
        ("dataflow", DATAFLOW),
        ("dask", ()),
        ("PortableRunner", ("--job_endpoint=h:1",)),
        ("FnApiRunner", ("--anything",)),
    ],
)
def test_right_options_are_taken_as_they_are(runner, options):
    args = BeamOptions(runner=runner, options=options).pipeline_args()
    assert set(options) < set(args)
    name = args[0].removeprefix("--runner=")
    assert pipeline_options.PipelineOptions(args).view_as(pipeline_options.StandardOptions).runner
    assert name == ENGINES[runner].runner if runner in ENGINES else name == runner


@pytest.mark.parametrize(
    "runner, options, said",
    [
        ("flink", (), "must hold --flink_master=HOST:PORT for the runner flink"),
        ("flink", ("--flink_mastr=h:1",), "--flink_mastr is no option of Beam's"),
        ("flink", ("--flink_master=jobmanager",), "--flink_master must be HOST:PORT"),
        ("FlinkRunner", FLINK, "must hold --environment_type=PROCESS|EXTERNAL|DOCKER|LOOPBACK"),
        ("flink", (*FLINK, "--environment_type=POOL"), "--environment_type must be PROCESS|"),
        ("flink", (*FLINK, POOL[0]), "must hold --environment_config=HOST:PORT"),
        ("flink", (*FLINK, PROCESS[0]), "must hold --environment_option=process_command=/PATH"),
        ("flink", (*FLINK, *POOL, "--paralelism=4"), "--paralelism is no option of Beam's"),
        ("flink", (*FLINK, "--environment_type=DOCKER"), "--environment_config=IMAGE"),
        ("spark", (*POOL, "--spark_master_url=localhost:7077"), "must be spark://HOST:PORT"),
        ("dataflow", DATAFLOW[1:], "must hold --project=TEXT"),
        ("dataflow", DATAFLOW[:-1], "--sdk_container_image=IMAGE"),
        ("FnApiRunner", ("direct_num_workers=2",), "must each be --NAME=VALUE"),
    ],
)
def test_a_wrong_or_missing_option_is_one_sentence(runner, options, said):
    with pytest.raises(UserError) as raised:
        build_options(BeamOptions, {"runner": runner, "options": options}, "beam")
    assert said in str(raised.value) and "`beam.options`" in str(raised.value)
    assert str(raised.value).count("\n") == 0


def test_every_option_that_is_named_is_one_of_beam_s():
    parser = pipeline_options._BeamArgumentParser()
    for group in pipeline_options.PipelineOptions.__subclasses__():
        group._add_argparse_args(parser)
    from apache_beam.runners.dask import dask_runner

    dask_runner.DaskOptions._add_argparse_args(parser)
    named = {*beam_options._OTHERS, *(k for d in beam_options._DEFAULTS.values() for k in d)}
    for engine in ENGINES.values():
        named |= set(engine.required)
    for needs in beam_options.ENVIRONMENTS.values():
        named |= set(needs)
    assert {f"--{name}" for name in named} <= set(parser._option_string_actions)


def test_spark_keeps_its_workers_unless_told_otherwise():
    kept = "--environment_cache_millis=60000"
    assert kept in BeamOptions(runner="spark", options=SPARK + PROCESS).pipeline_args()
    own = (*SPARK, *PROCESS, "--environment_cache_millis=5")
    assert kept not in BeamOptions(runner="SparkRunner", options=own).pipeline_args()


@pytest.mark.parametrize(
    "runner, chosen, in_memory",
    [
        ("dask", None, True),
        ("apache_beam.runners.dask.dask_runner.DaskRunner", None, True),
        ("FnApiRunner", None, False),
        ("FnApiRunner", True, True),
        ("dask", False, False),
    ],
)
def test_where_the_statistics_run(runner, chosen, in_memory):
    options = BeamOptions(runner=runner, statistics_in_memory=chosen)
    assert options.statistics_args()[:1] == (["--runner=FnApiRunner"] if in_memory else [])


@pytest.mark.parametrize("options", [BeamOptions(), BeamOptions(workers=2), BeamOptions("dask")])
def test_tfx_packs_nothing_for_workers_on_this_machine(options, monkeypatch):
    monkeypatch.setattr(dependency_utils, "build_ephemeral_package", lambda: "packed.tar.gz")
    for args in (
        options.pipeline_args(),
        BeamOptions("dask", statistics_in_memory=True).statistics_args(),
    ):
        assert dependency_utils.make_beam_dependency_flags(args) == args


@pytest.fixture
def answering(monkeypatch):
    """As if an engine listened at each address."""
    monkeypatch.setattr(beam_options.BeamOptions, "_check_answers", lambda self, given: None)


@pytest.fixture
def java(monkeypatch, tmp_path):
    """Makes a program `java` of some version the only one of this machine."""

    def make(version: str) -> None:
        path = tmp_path / "bin" / "java"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-04-15' >&2\n")
        path.chmod(0o755)
        monkeypatch.setenv("JAVA_HOME", str(tmp_path))

    return make


@pytest.mark.usefixtures("answering")
def test_what_the_machine_lacks_is_one_sentence(monkeypatch, tmp_path, java):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("JDK_JAVA_OPTIONS", "")
    BeamOptions().check_machine()
    flink = BeamOptions(runner="flink", options=FLINK + POOL)
    with pytest.raises(UserError, match=r"the runner flink needs Java 11 .*: none runs"):
        flink.check_machine()
    java("1.8.0_292")
    with pytest.raises(UserError, match=r"the runner flink needs Java 11 .*: it has 8"):
        flink.check_machine()
    java("17.0.15")
    flink.check_machine()
    jar = BeamOptions(runner="flink", options=(*FLINK, *POOL, "--flink_job_server_jar=/no.jar"))
    with pytest.raises(UserError, match="--flink_job_server_jar must be a file or a URL"):
        jar.check_machine()


@pytest.mark.parametrize(
    "runner, option", [("flink", "--flink_master="), ("spark", "--spark_master_url=spark://")]
)
def test_an_engine_that_does_not_answer_is_one_sentence(runner, option, java):
    java("17.0.15")
    with socket.create_server(("localhost", 0)) as engine:
        address = f"localhost:{engine.getsockname()[1]}"
        options = BeamOptions(runner=runner, options=(option + address, *PROCESS))
        options.check_machine()
    with pytest.raises(UserError, match=f"nothing answers at .*{address}") as raised:
        options.check_machine()
    assert option.partition("=")[0] in str(raised.value)


@pytest.mark.parametrize(
    "options, given, prepared",
    [
        (BeamOptions(), "", ""),
        (BeamOptions("spark", options=SPARK + PROCESS), "-Xmx4g", "-Xmx4g"),
        (BeamOptions("FlinkRunner", options=FLINK + POOL), "", ""),
        (BeamOptions("spark", options=SPARK + PROCESS), "--add-opens=a/b=c", "--add-opens=a/b=c"),
    ],
)
@pytest.mark.usefixtures("answering")
def test_java_17_gets_the_options_that_an_engine_needs(options, given, prepared, monkeypatch, java):
    monkeypatch.setenv("JDK_JAVA_OPTIONS", given)
    java("17.0.15")
    options.check_machine()
    options.check_machine()
    words = os.environ["JDK_JAVA_OPTIONS"].split()
    ours = options.runner != "FnApiRunner" and "--add-opens" not in given
    assert words == [*(beam_options.JAVA_OPTIONS if ours else ()), *prepared.split()]

"""The configuration section `beam`: where the steps of Beam run, checked before anything does."""

import difflib
import os
import re
import socket
import subprocess
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import Field

from components.options import options_class
from serving.errors import UserError


class Engine(NamedTuple):
    """A Beam runner that works on other machines.

    `required` are its options, each with the form of its value: a pattern, and words that say it.
    `portable` engines start workers as `environment_type` says and need Java to submit to.
    """

    runner: str  # Beam's name
    required: dict[str, tuple[str, str]]
    portable: bool = False


_ADDRESS = (r"\S+:\d+", "HOST:PORT")
_TEXT = (r"\S+", "TEXT")
_LOCAL = r"\[(local|auto)\]|local(\[.+\])?"  # an engine inside the submitting process
_FLINK = (rf"(https?://)?\S+:\d+|https?://\S+|{_LOCAL}", "HOST:PORT")
_SPARK = (rf"spark://\S+:\d+|yarn|{_LOCAL}", "spark://HOST:PORT")
ENGINES = {
    "flink": Engine("FlinkRunner", {"flink_master": _FLINK}, portable=True),
    "spark": Engine("SparkRunner", {"spark_master_url": _SPARK}, portable=True),
    "dataflow": Engine(
        "DataflowRunner",
        {
            "project": _TEXT,
            "region": _TEXT,
            "temp_location": (r"gs://\S+", "gs://BUCKET/FOLDER"),
            "sdk_container_image": (r"\S+", "IMAGE, the project's own"),
        },
    ),
    "dask": Engine("apache_beam.runners.dask.dask_runner.DaskRunner", {}),
}
# How a portable engine's workers start -> the option that this needs.
ENVIRONMENTS = {
    "PROCESS": {"environment_option": (r"process_command=/\S+", "process_command=/PATH")},
    "EXTERNAL": {"environment_config": _ADDRESS},
    "DOCKER": {"environment_config": (r"\S+", "IMAGE, the project's own")},
    "LOOPBACK": {},
}
_OTHERS = {
    *("parallelism", "flink_version", "spark_version", "environment_type"),
    *("environment_cache_millis", "flink_job_server_jar", "spark_job_server_jar"),
    *("dask_client_address", "dask_partition_size", "sdk_location", "max_num_workers"),
}
# TFX packs itself for distant workers at every step, unless it reads that they have a container:
# seconds, and 50 MB that stay in the temporary folder. Workers here import what the step imports.
_WORKERS_HERE = "--sdk_container_image=none"
# What Spark and Flink need of Java 17, as Spark's own start scripts give it.
JAVA_OPTIONS = (
    "-XX:+IgnoreUnrecognizedVMOptions",
    *(
        f"--add-opens=java.base/{package}=ALL-UNNAMED"
        for package in (
            *("java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net"),
            *("java.nio", "java.util", "java.util.concurrent", "java.util.concurrent.atomic"),
            *("jdk.internal.ref", "sun.nio.ch", "sun.nio.cs", "sun.security.action"),
            "sun.util.calendar",
        )
    ),
    "--add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
    "-Djdk.reflect.useDirectMethodHandle=false",
)
MIN_JAVA = 11
CONNECT_SECONDS = 10.0
_JAVA_VARIABLE = "JDK_JAVA_OPTIONS"
_DEFAULTS = {"SparkRunner": {"environment_cache_millis": "60000"}}  # or a worker for each task


@options_class
class BeamOptions:
    """Where EpisodeGen, the statistics and the evaluator run."""

    runner: str = "FnApiRunner"
    """`flink`, `spark`, `dataflow`, `dask`, or the name of a Beam runner; by default this machine.
    `DirectRunner` would try to download another one first."""
    workers: int = Field(default=1, ge=1)
    """Worker processes of the local runner; 1 is in memory."""
    options: tuple[str, ...] = ()
    """More pipeline options, as "--name=value"."""
    statistics_in_memory: bool | None = None
    """Whether StatisticsGen runs in its own process rather than on the runner; null for yes with
    Dask, which cannot run it, and no otherwise."""

    def __post_init__(self) -> None:
        for option in self.options:
            if not option.startswith("--"):
                raise UserError(f"`beam.options` must each be --NAME=VALUE: got {option!r}.")
        engine = self.engine()
        if engine is None:
            return
        given = self._given()
        needed = dict(engine.required)
        if engine.portable and not self._is_local(engine):
            kinds = "|".join(ENVIRONMENTS)
            needed["environment_type"] = (kinds, kinds)
            needed |= ENVIRONMENTS.get(given.get("environment_type", ""), {})
        for name, (pattern, form) in needed.items():
            if name not in given:
                raise UserError(
                    f"`beam.options` must hold --{name}={form} for the runner {self.runner}"
                    f"{_instead_of(name, given)}."
                )
            if not re.fullmatch(pattern, given[name]):
                raise UserError(
                    f"`beam.options`: --{name} must be {form} for the runner {self.runner}: got "
                    f"{given[name]!r}."
                )
        known = {*needed, *_OTHERS}
        for name in given:
            close = difflib.get_close_matches(name, known, cutoff=0.85)
            if close and name not in known:
                raise UserError(
                    f"`beam.options`: --{name} is no option of Beam's; --{close[0]} is."
                )

    def engine(self) -> Engine | None:
        """The engine that the runner is, by its short name or Beam's; None for any other runner."""
        if self.runner in ENGINES:
            return ENGINES[self.runner]
        last = self.runner.rpartition(".")[2]
        return next((e for e in ENGINES.values() if e.runner.rpartition(".")[2] == last), None)

    def on_other_machines(self) -> bool:
        """Tells whether an engine's workers run elsewhere than the step that submits to it."""
        engine = self.engine()
        if engine is ENGINES["dask"]:
            return "dask_client_address" in self._given()
        return engine is not None and not self._is_local(engine)

    def pipeline_args(self) -> list[str]:
        """The options as Beam takes them."""
        engine, given = self.engine(), self._given()
        runner = engine.runner if engine else self.runner
        defaults = {k: v for k, v in _DEFAULTS.get(runner, {}).items() if k not in given}
        args = [f"--runner={runner}", *self.options, *(f"--{k}={v}" for k, v in defaults.items())]
        if self.workers > 1:
            mode = "--direct_running_mode=multi_processing"
            args += [mode, f"--direct_num_workers={self.workers}"]
        here = runner in ("FnApiRunner", "DirectRunner") or engine is ENGINES["dask"]
        return [*args, _WORKERS_HERE] if here and "sdk_container_image" not in given else args

    def statistics_args(self) -> list[str]:
        """Options that replace them for StatisticsGen.

        It reads by a Beam source, unknown to the Dask runner; then it runs in this process.
        """
        in_memory = self.statistics_in_memory
        if in_memory is None:
            in_memory = self.engine() is ENGINES["dask"]
        return ["--runner=FnApiRunner", _WORKERS_HERE] if in_memory else []

    def check_machine(self) -> None:
        """Prepares this machine to submit to the engine.

        Raises:
          UserError: the machine lacks what that needs.
        """
        prepare_java(self.pipeline_args())
        engine, given = self.engine(), self._given()
        if engine is None or not engine.portable or "job_endpoint" in given:
            return
        version = _java_version()
        if version is None or version < MIN_JAVA:
            lacking = f"it has {version}" if version else "none runs from the PATH or JAVA_HOME"
            raise UserError(
                f"the runner {self.runner} needs Java {MIN_JAVA} or later on this machine, for "
                f"Beam's job server: {lacking}."
            )
        self._check_answers(given)
        for name in ("flink_job_server_jar", "spark_job_server_jar"):
            jar = given.get(name, "")
            if jar and "://" not in jar and not os.path.isfile(jar):
                raise UserError(f"`beam.options`: --{name} must be a file or a URL: got {jar!r}.")

    def _check_answers(self, given: dict[str, str]) -> None:
        """Raises UserError where nothing answers at the address of the engine's master."""
        for name in ("flink_master", "spark_master_url"):
            found = re.fullmatch(r"(?:spark://|https?://)?([^/:\s]+):(\d+)", given.get(name, ""))
            if not found:
                continue
            try:
                socket.create_connection((found[1], int(found[2])), CONNECT_SECONDS).close()
            except (OSError, OverflowError) as error:
                raise UserError(
                    f"`beam.options`: --{name} must be the address of the engine: nothing answers "
                    f"at {given[name]} ({error})."
                ) from None

    def _given(self) -> dict[str, str]:
        """The options by name."""
        names = {"environment_options": "environment_option"}  # Beam knows both
        pairs = (option[2:].partition("=") for option in self.options)
        return {names.get(name, name): value for name, _, value in pairs}

    def _is_local(self, engine: Engine) -> bool:
        return any(re.fullmatch(_LOCAL, self._given().get(name, "")) for name in engine.required)


def _java_version() -> int | None:
    """The version of the Java that Beam would start; None if there is none."""
    home = os.environ.get("JAVA_HOME")
    java = os.path.join(home, "bin", "java") if home else "java"
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60).stderr
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', said)  # "1.8.0_292", "17.0.15"
    return int(found[1]) if found else None


def prepare_java(beam_args: Sequence[str]) -> None:
    """Gives Java, which Beam starts as a job server, what Flink and Spark need of version 17.

    `beam_args` are Beam's options. Those of Java that the environment has come last, and so win.
    """
    runners = {f"--runner={engine.runner}" for engine in ENGINES.values() if engine.portable}
    given = os.environ.get(_JAVA_VARIABLE, "")
    if runners & {*beam_args} and "--add-opens" not in given:
        os.environ[_JAVA_VARIABLE] = " ".join(filter(None, [*JAVA_OPTIONS, given]))


def _instead_of(name: str, given: dict[str, str]) -> str:
    close = difflib.get_close_matches(name, given, cutoff=0.8)
    return f"; --{close[0]} is no option of Beam's" if close else ""

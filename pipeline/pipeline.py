"""The pipeline: its steps and what flows between them. Nothing runs here."""

import dataclasses

from tfx import v1 as tfx
from tfx.dsl.components.base import executor_spec

from components import own_code
from components.episode_gen.component import EpisodeGen
from components.episode_validator.component import EpisodeValidator
from components.few_shot_evaluator.component import FewShotEvaluator
from components.few_shot_evaluator.last_blessed import BestOtherBlessedModelStrategy
from components.serving_validator.component import ServingValidator
from components.version_pusher.executor import VersionPusher
from pipeline.code_version import code_version
from pipeline.config import Config

RUN_FN = "components.meta_trainer.run_fn.run_fn"


def create_pipeline(
    config: Config,
    *,
    pipeline_root: str,
    serving_dir: str,
    checkpoint_root: str,
    data_fingerprint: str = "",
    metadata_path: str | None = None,
    baseline_pointer: str | None = None,
    enable_cache: bool = True,
) -> tfx.dsl.Pipeline:
    """Describes the pipeline, from class data to a pushed model that adapts.

    Args:
      config: the whole configuration.
      pipeline_root: location of the artifacts.
      serving_dir: folder of the model's versions, which a server watches.
      checkpoint_root: location of the checkpoints, with which an interrupted run goes on.
      data_fingerprint: a text that changes when the class data do, which TFX does not see.
      metadata_path: SQLite file of ML Metadata, for the local runner.
      baseline_pointer: location of the file that names the model pushed last, which the next run
        compares with; by default ML Metadata names it, which a cluster's backend cannot do.
      enable_cache: whether to reuse outputs of steps whose inputs, parameters and code are equal.
    """
    # From class data to episodes, by a plan that is the same on every runner.
    episode_gen = EpisodeGen(
        data=config.data,
        episodes=config.episodes,
        data_fingerprint=data_fingerprint,
        code_version=code_version("components.episode_gen.executor"),
    )
    examples = episode_gen.outputs["examples"]

    # Statistics of the episodes, and checks of their values and rules.
    statistics_gen = tfx.components.StatisticsGen(examples=examples)
    statistics_gen.with_beam_pipeline_args(config.beam.statistics_args())
    schema_gen = tfx.components.SchemaGen(statistics=statistics_gen.outputs["statistics"])
    example_validator = tfx.components.ExampleValidator(
        statistics=statistics_gen.outputs["statistics"], schema=schema_gen.outputs["schema"]
    )
    episode_validator = EpisodeValidator(
        examples=examples,
        anomalies=example_validator.outputs["anomalies"],
        code_version=code_version("components.episode_validator.executor"),
    )

    # Meta-training; nothing is trained on episodes that failed their checks.
    trainer = tfx.components.Trainer(
        run_fn=RUN_FN,
        examples=examples,
        train_args=tfx.proto.TrainArgs(num_steps=config.training.steps),
        eval_args=tfx.proto.EvalArgs(num_steps=config.training.eval_episodes),
        custom_config={
            "learner": config.learner,
            "training": dataclasses.asdict(config.training),  # type: ignore[call-overload]
            "model_name": config.serving.model_name,
            "checkpoint_root": checkpoint_root,
            "code_version": code_version(
                RUN_FN.rpartition(".")[0],
                files=own_code.learner_files(config.learner)
                + own_code.model_files(config.training.start_from),
            ),
        },
    )
    trainer.add_upstream_node(episode_validator)

    # The model that the new one must not fall behind.
    baselines = [] if baseline_pointer else [_latest_blessed_model(trainer)]

    # Is it good enough, and does it run as the server would run it?
    evaluator = FewShotEvaluator(
        examples=examples,
        model=trainer.outputs["model"],
        baseline_model=baselines[0].outputs["model"] if baselines else None,
        baseline_pointer=baseline_pointer or "",
        model_run=trainer.outputs["model_run"],
        options=config.evaluation,
        code_version=code_version("components.few_shot_evaluator.executor"),
    )
    serving_validator = ServingValidator(
        model=trainer.outputs["model"],
        examples=examples,
        code_version=code_version("components.serving_validator.executor"),
    )

    # Push it if both bless it. No code_version: a pushed model stays right if the pusher changes.
    folder = tfx.proto.PushDestination.Filesystem(base_directory=serving_dir)
    pusher = tfx.components.Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=serving_validator.outputs["blessing"],
        push_destination=tfx.proto.PushDestination(filesystem=folder),
        custom_config={
            "keep_versions": config.serving.keep_versions,
            "baseline_pointer": baseline_pointer,
        },
        custom_executor_spec=executor_spec.ExecutorClassSpec(VersionPusher),
    )

    checks = [statistics_gen, schema_gen, example_validator, episode_validator]
    steps = [episode_gen, *checks, trainer, *baselines, evaluator, serving_validator, pusher]
    sqlite = tfx.orchestration.metadata.sqlite_metadata_connection_config
    return tfx.dsl.Pipeline(
        pipeline_name=config.name,
        pipeline_root=pipeline_root,
        components=steps,
        enable_cache=enable_cache,
        metadata_connection_config=sqlite(metadata_path) if metadata_path else None,
        beam_pipeline_args=config.beam.pipeline_args(),
    )


def _latest_blessed_model(trainer: tfx.components.Trainer) -> tfx.dsl.Resolver:
    return tfx.dsl.Resolver(
        strategy_class=BestOtherBlessedModelStrategy,
        model=tfx.dsl.Channel(type=tfx.types.standard_artifacts.Model),
        model_blessing=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ModelBlessing),
        candidate=trainer.outputs["model"],
    ).with_id("LatestBlessedModel")

"""Compiles the pipeline to the file that Kubeflow Pipelines v2 runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from pipeline.config import Config
from pipeline.kubeflow import names, spec
from pipeline.kubeflow.linter import lint
from pipeline.kubeflow.own_parts import OwnParts
from pipeline.kubeflow.shown import with_shown_outputs
from serving import atomic
from serving.errors import UserError

ENTRYPOINT = "pipeline.kubeflow_entrypoint"
POINTER_FILE = "blessed.json"


def compile_pipeline(
    config: Config,
    image: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    pack_own_code: bool = True,
) -> list[dict[str, Any]]:
    """Returns the documents of the file: the specification and the settings for Kubernetes.

    Args:
      config: the whole configuration.
      image: container image of all steps.
      parameters: defaults of run-time parameters by name, instead of the configuration's.
      pack_own_code: whether the specification holds the user's own learner, backbone and source;
        otherwise the image must.

    Raises:
      UserError: the image, the pipeline's name or the section `kubeflow` is wrong, or the backend
        would refuse the result.
    """
    names.check_image(image)
    names.check_pipeline_name(config.name)

    from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner as tfx_runner

    from pipeline.pipeline import create_pipeline

    options = config.kubeflow
    if config.beam.on_other_machines() and not options.direct:
        raise UserError(
            "`kubeflow.direct` must be true, with a pipeline root on gs://, where `beam.runner` is "
            f"{config.beam.runner}: its workers cannot open the copies on a step's own disk."
        )
    serving_dir = options.serving_location(config.serving.model_name)
    pipeline = create_pipeline(
        config,
        pipeline_root="",  # the backend sets it
        serving_dir=serving_dir,
        checkpoint_root=f"{options.shared_dir}/checkpoints",
        baseline_pointer=f"{serving_dir}/{POINTER_FILE}",
    )
    components = [component.id for component in pipeline.components]
    for component in options.steps:
        if component not in components:
            raise UserError(
                f"`kubeflow.steps` must name one of {', '.join(components)}: got {component!r}."
            )
    command = ["python", "-m", ENTRYPOINT, *(["--direct"] if options.direct else [])]
    runner_config = tfx_runner.KubeflowV2DagRunnerConfig(
        default_image=image,
        default_commands=command,
        use_pipeline_spec_2_1=True,  # the backend refuses 2.0
    )
    runner = tfx_runner.KubeflowV2DagRunner(runner_config)
    compiled = runner.run(pipeline, write_out=False)["pipelineSpec"]
    declared = {
        component.id: {name: p.type for name, p in component.spec.PARAMETERS.items()}
        for component in pipeline.components
    }
    compiled = spec.with_declared_types(compiled, declared)
    compiled = spec.with_settings(compiled, options)
    compiled = spec.with_parameters(compiled, config, parameters or {})
    if pack_own_code:
        compiled = spec.with_arguments(compiled, OwnParts(config, parameters or {}).arguments())
    compiled = with_shown_outputs(compiled)
    documents = [spec.with_kfp_names(compiled), spec.platform(options, components)]
    problems = lint(documents)
    if problems:
        raise UserError(f"Kubeflow would refuse this pipeline: {'; '.join(problems)}.")
    return documents


def write_package(documents: list[dict[str, Any]], path: Path) -> None:
    """Writes the compiled documents as one YAML file."""
    atomic.write_text(path, yaml.safe_dump_all(documents, sort_keys=True))


def read_package(path: Path) -> list[dict[str, Any]]:
    """Reads the documents of a compiled file.

    Raises:
      UserError: the file is missing or `fewshot compile` did not write it.
    """
    try:
        documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"the pipeline must be a readable YAML file: {path} ({reason}).") from None
    if not documents or not all(isinstance(document, dict) for document in documents):
        raise UserError(f"the pipeline must be a file that `fewshot compile` wrote: {path} is not.")
    return documents

"""The FewShotEvaluator component: specification and constructor."""

import dataclasses
import json
from typing import ClassVar

from tfx.dsl.components.base import executor_spec
from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.types import standard_artifacts
from tfx.types.channel import BaseChannel, Channel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.few_shot_evaluator.executor import Executor
from components.few_shot_evaluator.options import EvaluationOptions


class FewShotEvaluatorSpec(ComponentSpec):
    """Parameters, inputs and outputs of `FewShotEvaluator`, as TFX stores them."""

    PARAMETERS: ClassVar = {
        "config_json": ExecutionParameter(type=str),
        "baseline_pointer": ExecutionParameter(type=str),
        "code_version": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "model": ChannelParameter(type=standard_artifacts.Model),
        "baseline_model": ChannelParameter(type=standard_artifacts.Model, optional=True),
        "model_run": ChannelParameter(type=standard_artifacts.ModelRun, optional=True),
    }
    OUTPUTS: ClassVar = {
        "evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
    }


class FewShotEvaluator(BaseBeamComponent):
    """Evaluates a few-shot model on episodes of unseen classes, and blesses it or not.

    `Executor.Do` describes the inputs and the parameters. By default no model is blessed.

    ## Example
    ```
    evaluator = FewShotEvaluator(
        examples=episode_gen.outputs["examples"],
        model=trainer.outputs["model"],
        baseline_model=resolver.outputs["model"],
        model_run=trainer.outputs["model_run"],
        options=EvaluationOptions(threshold=0.9),
    )
    ```

    Component `outputs` contains:
     - `evaluation`: ModelEvaluation, `metrics.json` (`summary.summarise`) and `report.html`.
     - `blessing`: ModelBlessing as the stock Evaluator writes it; Pusher and
       LatestBlessedModelStrategy read it.
    """

    SPEC_CLASS = FewShotEvaluatorSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        *,
        examples: BaseChannel,
        model: BaseChannel,
        baseline_model: BaseChannel | None = None,
        model_run: BaseChannel | None = None,
        options: EvaluationOptions | None = None,
        baseline_pointer: str = "",
        code_version: str = "",
    ):
        super().__init__(
            spec=FewShotEvaluatorSpec(
                examples=examples,
                model=model,
                baseline_model=baseline_model,
                model_run=model_run,
                config_json=json.dumps(dataclasses.asdict(options or EvaluationOptions())),
                baseline_pointer=baseline_pointer,
                code_version=code_version,
                evaluation=Channel(type=standard_artifacts.ModelEvaluation),
                blessing=Channel(type=standard_artifacts.ModelBlessing),
            )
        )

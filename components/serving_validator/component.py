"""The ServingValidator component: specification and constructor."""

import dataclasses
import json
from typing import ClassVar

from tfx.dsl.components.base import executor_spec
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.types import standard_artifacts
from tfx.types.channel import BaseChannel, Channel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.serving_validator.executor import Executor
from components.serving_validator.options import ServingValidatorOptions


class ServingValidatorSpec(ComponentSpec):
    """Parameters, inputs and outputs of `ServingValidator`, as TFX stores them."""

    PARAMETERS: ClassVar = {
        "config_json": ExecutionParameter(type=str),
        "code_version": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "examples": ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS: ClassVar = {"blessing": ChannelParameter(type=standard_artifacts.InfraBlessing)}


class ServingValidator(BaseComponent):
    """Sends right requests and wrong ones to a model, run as the server runs it.

    The requests are made of the `test` split; `Executor.Do` describes inputs and parameters.

    ## Example
    ```
    validator = ServingValidator(
        model=trainer.outputs["model"], examples=episode_gen.outputs["examples"]
    )
    pusher = Pusher(model=..., infra_blessing=validator.outputs["blessing"], ...)
    ```

    Component `outputs` contains:
     - `blessing`: InfraBlessing as the stock InfraValidator writes it, and `checks.json`.
    """

    SPEC_CLASS = ServingValidatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        *,
        model: BaseChannel,
        examples: BaseChannel,
        options: ServingValidatorOptions | None = None,
        code_version: str = "",
    ):
        super().__init__(
            spec=ServingValidatorSpec(
                model=model,
                examples=examples,
                config_json=json.dumps(dataclasses.asdict(options or ServingValidatorOptions())),
                code_version=code_version,
                blessing=Channel(type=standard_artifacts.InfraBlessing),
            )
        )

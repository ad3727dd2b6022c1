"""`training.start_from`: from a name to the folder of the model that meta-training begins with."""

import dataclasses
from pathlib import Path

from pipeline.config import Config
from pipeline.evaluate.model import find_model


def with_start_folder(config: Config) -> Config:
    """The configuration with the SavedModel's folder in place of a run, a configuration or a name.

    A location such as gs://... stays as it is: the Trainer reads it.

    Raises:
      UserError: there is no model of this project.
    """
    name = config.training.start_from
    if not name or "://" in name:
        return config
    folder = find_model(Path(name).expanduser(), "training.start_from").folder
    training = dataclasses.replace(config.training, start_from=str(folder.resolve()))
    return dataclasses.replace(config, training=training)

"""EpisodeValidator's executor."""

import logging
import os
from typing import Any

import tensorflow as tf
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils

from components.episode_validator.validate import REPORTED, find_violations
from serving import atomic

REPORT_FILE = "episode_validation.json"


class InvalidEpisodesError(RuntimeError):
    """The episodes break a rule, or TFDV found anomalies. Retrying does not help."""


class Executor(base_beam_executor.BaseBeamExecutor):
    """Raises an error where episodes break a rule."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Checks the episodes; writes their counts and splits' hash to `episode_validation.json`.

        Raises:
          InvalidEpisodesError: names the first classes or episodes that break a rule, or the
            features that TFDV found anomalous.
        """
        del exec_properties
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        validation = artifact_utils.get_single_instance(output_dict["validation"])
        tf.io.gfile.makedirs(validation.uri)
        violations = [
            sentence
            for anomalies in input_dict.get("anomalies") or []
            for sentence in describe_anomalies(anomalies)
        ]
        violations += find_violations(
            examples.uri,
            output=os.path.join(validation.uri, "violations.txt"),
            make_pipeline=self._make_beam_pipeline,
        )
        if violations:
            raise InvalidEpisodesError(
                "the episodes must not be trained on: " + "; ".join(violations[:REPORTED]) + "."
            )
        splits = artifact_utils.decode_split_names(examples.split_names)
        validation.split_names = examples.split_names
        report = {"valid": True, "splits": splits}
        atomic.write_json(os.path.join(validation.uri, REPORT_FILE), report)
        logging.info("EpisodeValidator: all rules hold in %s", ", ".join(splits))


def describe_anomalies(artifact: types.Artifact) -> list[str]:
    """The anomalies that TFDV found in any split, as sentences."""
    sentences = []
    for split in artifact_utils.decode_split_names(artifact.split_names):
        path = os.path.join(artifact_utils.get_split_uri([artifact], split), "SchemaDiff.pb")
        with tf.io.gfile.GFile(path, "rb") as file:
            anomalies = anomalies_pb2.Anomalies.FromString(file.read())
        sentences += [
            f"TFDV finds feature {name!r} of {split} anomalous: {info.description}"
            for name, info in sorted(anomalies.anomaly_info.items())
        ]
        if anomalies.dataset_anomaly_info.reason:
            reason = anomalies.dataset_anomaly_info.description
            sentences.append(f"TFDV finds {split} anomalous: {reason}")
    return sentences

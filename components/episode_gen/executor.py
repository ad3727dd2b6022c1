"""EpisodeGen's executor."""

import logging
import os
from typing import Any

import tensorflow as tf
from tfx import types
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils

from components.episode_gen.generate import generate_episodes
from components.episode_gen.options import EpisodeGenConfig
from components.episodes import SPLITS


class Executor(base_beam_executor.BaseBeamExecutor):
    """Writes the episodes of a configuration with Beam."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `Split-<split>/*.gz` and `episodes.json` into the Examples artifact.

        The artifact gets the custom properties ways, shots, queries, seed, format_version (int),
        splits_hash, payload_format and file_format (str). Splits without episodes are not among its
        splits. Of `exec_properties` only `config_json`, an `EpisodeGenConfig`, is read.

        Raises:
          UserError: the data or the configuration are wrong.
        """
        del input_dict
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        config = EpisodeGenConfig.from_json(exec_properties["config_json"])
        logging.info("EpisodeGen: %s", config)
        # Inside the output folder, which workers can reach wherever they are.
        work = os.path.join(examples.uri, ".work")
        record = generate_episodes(
            config, uri=examples.uri, work=work, make_pipeline=self._make_beam_pipeline
        )
        tf.io.gfile.rmtree(work)
        examples.split_names = artifact_utils.encode_split_names(
            [split for split in SPLITS if record.counts[split]]
        )
        examples_utils.set_payload_format(examples, example_gen_pb2.PayloadFormat.FORMAT_TF_EXAMPLE)
        examples_utils.set_file_format(examples, "tfrecords_gzip")
        for name in ("ways", "shots", "queries", "seed", "format_version"):
            examples.set_int_custom_property(name, getattr(record, name))
        examples.set_string_custom_property("splits_hash", record.splits_hash)

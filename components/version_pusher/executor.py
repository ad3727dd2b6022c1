"""Pusher's executor with atomic version folders.

The stock executor copies into the version folder that servers watch, names it by the second and
silently skips a push in the same second. Give this one to the stock component:

    Pusher(..., custom_executor_spec=executor_spec.ExecutorClassSpec(VersionPusher))
"""

import json
import time
from pathlib import Path
from typing import Any

from absl import logging
from tfx.components.pusher import executor as stock
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils
from tfx.types import standard_component_specs as specs
from tfx.utils import io_utils, proto_utils

from serving.model_server.loading import loads
from serving.model_versions import folders, object_storage
from serving.model_versions.pointer import write_pointer


class VersionPusher(stock.Executor):
    """Publishes a blessed model as a new version folder, which appears whole."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Pushes the model if all given blessings say so.

        Args:
          input_dict:
            model: one Model artifact.
            model_blessing: the FewShotEvaluator's ModelBlessing, or none.
            infra_blessing: the ServingValidator's InfraBlessing, or none.
          output_dict:
            pushed_model: one PushedModel, a copy of the model; custom properties int pushed (1 or
              0), str pushed_destination (the version folder) and str pushed_version.
          exec_properties:
            push_destination: str, JSON of a PushDestination with a file system.
            custom_config: str, JSON; `keep_versions` is the number of versions that load and stay
              (in object storage all do), `baseline_pointer` the path of the file that names the
              last pushed model.
        """
        push_destination = pusher_pb2.PushDestination()
        proto_utils.json_to_proto(exec_properties[specs.PUSH_DESTINATION_KEY], push_destination)
        base = push_destination.filesystem.base_directory
        self._log_startup(input_dict, output_dict, exec_properties)
        pushed = artifact_utils.get_single_instance(output_dict[specs.PUSHED_MODEL_KEY])
        if not self.CheckBlessing(input_dict):
            self._MarkNotPushed(pushed)
            return
        model = self.GetModelPath(input_dict)
        io_utils.copy_dir(model, pushed.uri)
        config = _custom_config(exec_properties)
        destination = publish(model, base)
        if config.get("baseline_pointer"):
            scored = {}
            for blessing in input_dict.get(specs.MODEL_BLESSING_KEY) or ():
                scored["score"] = blessing.get_float_custom_property("score")
                scored["task"] = blessing.get_string_custom_property("task")
            write_pointer(config["baseline_pointer"], destination, **scored)
        version = destination.rpartition("/")[2]
        self._MarkPushed(pushed, pushed_destination=destination, pushed_version=version)
        logging.info("Model pushed to %s.", destination)
        keep = config.get("keep_versions")
        if keep is not None and not object_storage.is_remote(base):
            dropped = folders.drop_versions(Path(base), keep=keep, loads=loads)
            logging.info("Old versions dropped: %s.", dropped or "none")


def publish(model: str, base: str) -> str:
    """Publishes a SavedModel under the path or url `base`; gives the new version's path or url."""
    now = int(time.time())
    if object_storage.is_remote(base):
        return object_storage.publish(Path(model), base, now=now)
    return str(folders.publish(Path(model), Path(base), now=now))


def _custom_config(exec_properties: dict[str, Any]) -> dict[str, Any]:
    config = exec_properties.get("custom_config") or "{}"
    return (json.loads(config) if isinstance(config, str) else config) or {}

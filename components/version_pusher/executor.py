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
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import io_utils, proto_utils

from serving import versions


class VersionPusher(stock.Executor):
    """Publishes a blessed model as a new version folder, made aside and renamed."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Pushes if all given blessings say so.

        Args:
          input_dict: `model`, and optionally `model_blessing` and `infra_blessing`.
          output_dict: `pushed_model`: a copy of the model, with the custom properties `pushed`
            (1 or 0), `pushed_destination` (the version folder) and `pushed_version`.
          exec_properties: `push_destination`: JSON of PushDestination, a file system;
            `custom_config`: JSON, `keep_versions` says how many old version folders stay.
        """
        destination = pusher_pb2.PushDestination()
        proto_utils.json_to_proto(
            exec_properties[standard_component_specs.PUSH_DESTINATION_KEY], destination
        )
        base = destination.filesystem.base_directory
        if "://" in base:
            # Object storage has no rename; the stock executor writes saved_model.pb last there.
            super().Do(input_dict, output_dict, exec_properties)
            return
        self._log_startup(input_dict, output_dict, exec_properties)
        pushed = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.PUSHED_MODEL_KEY]
        )
        if not self.CheckBlessing(input_dict):
            self._MarkNotPushed(pushed)
            return
        model = self.GetModelPath(input_dict)
        io_utils.copy_dir(model, pushed.uri)
        folder = versions.publish(Path(model), Path(base), now=int(time.time()))
        self._MarkPushed(pushed, pushed_destination=str(folder), pushed_version=folder.name)
        logging.info("Model pushed to %s.", folder)
        keep = _keep_versions(exec_properties)
        if keep is not None:
            dropped = versions.drop_versions(Path(base), keep=keep)
            logging.info("Old versions dropped: %s.", dropped or "none")


def _keep_versions(exec_properties: dict[str, Any]) -> int | None:
    config = exec_properties.get("custom_config") or "{}"
    config = json.loads(config) if isinstance(config, str) else config
    return (config or {}).get("keep_versions")

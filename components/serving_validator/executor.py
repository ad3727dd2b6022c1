"""The executor of ServingValidator."""

import json
import logging
import os
from typing import Any

from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import artifact_utils
from tfx.utils import io_utils, path_utils

from components.serving_validator.isolation import validate
from components.serving_validator.options import ServingValidatorOptions
from serving import atomic

# As the stock InfraValidator marks its blessing; Pusher reads the property.
BLESSED_FILE, NOT_BLESSED_FILE = "INFRA_BLESSED", "INFRA_NOT_BLESSED"
BLESSED_KEY = "blessed"
CHECKS_FILE = "checks.json"


class Executor(BaseExecutor):
    """Checks a model as it will be served."""

    def Do(self, input_dict, output_dict, exec_properties: dict[str, Any]) -> None:
        """Validates and blesses the model or not; a bad model does not fail the pipeline.

        Args:
          input_dict:
            model: one Model artifact, the model that is checked.
            examples: the episodes, one Examples artifact with a `test` split and `episodes.json`.
          output_dict:
            blessing: one InfraBlessing, as the stock InfraValidator writes it: an empty file
              INFRA_BLESSED or INFRA_NOT_BLESSED and the int custom property blessed; beside it
              `checks.json`, {blessed, checks: [{check, passed, detail}]}.
          exec_properties:
            config_json: str, `ServingValidatorOptions` as JSON.
            code_version: str, part of the cache key only.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        options = ServingValidatorOptions(**json.loads(exec_properties["config_json"]))
        model = artifact_utils.get_single_instance(input_dict["model"])
        examples_uri = artifact_utils.get_single_uri(input_dict["examples"])
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])

        results = validate(path_utils.serving_model_path(model.uri), examples_uri, options)
        blessed = bool(results) and all(result.passed for result in results)
        report = {"blessed": blessed, "checks": [result._asdict() for result in results]}
        atomic.write_json(os.path.join(blessing.uri, CHECKS_FILE), report)
        for result in results:
            if not result.passed:
                logging.error("Not fit for serving: %s: %s", result.check, result.detail)
        passed = sum(result.passed for result in results)
        logging.info("Serving checks: %d of %d passed.", passed, len(results))
        blessing.set_int_custom_property(BLESSED_KEY, int(blessed))
        name = BLESSED_FILE if blessed else NOT_BLESSED_FILE
        io_utils.write_string_file(os.path.join(blessing.uri, name), "")

"""Protocol messages as JSON objects, with every field, the unset ones too."""

import inspect
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

# protobuf 5 renamed the option.
_ALL_FIELDS = "always_print_fields_with_no_presence"
if _ALL_FIELDS not in inspect.signature(json_format.MessageToDict).parameters:
    _ALL_FIELDS = "including_default_value_fields"


def message_to_dict(message: Message) -> dict[str, Any]:
    """Converts a message to a JSON object whose keys are the names of its fields."""
    layout = {"preserving_proto_field_name": True, _ALL_FIELDS: True}
    return json_format.MessageToDict(message, **layout)

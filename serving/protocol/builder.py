"""Builds protocol-buffer classes from a few lines of proto3, without protoc or generated code.

The generated modules of `tensorflow-serving-api` import TensorFlow, which costs a client ten
seconds and a gigabyte. Only field numbers and types matter on the wire, so the client builds its
own classes, in a descriptor pool of their own: they never clash with the generated ones.
"""

import re

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

_FIELD = re.compile(r"(repeated )?(?:map<string, ?(?P<value>\w+)>|(?P<type>\w+)) (\w+) = (\d+)$")
_Field = descriptor_pb2.FieldDescriptorProto


def build_messages(package: str, schema: str) -> dict[str, type[Message]]:
    """Builds the messages of a schema: the classes by name.

    It has `Name { type field = number; ... }` blocks. Types are the scalars, `map<string, X>` and
    the other messages of the schema; an enum is written as `int32`, which is the same on the wire.
    """
    blocks = dict(re.findall(r"(\w+) \{([^}]*)\}", schema))
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package}.proto", package=package, syntax="proto3"
    )
    for name, body in blocks.items():
        message = file.message_type.add(name=name)
        for line in filter(None, map(str.strip, body.split(";"))):
            _add_field(message, line, package)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
        for name in blocks
    }


def _add_field(message: descriptor_pb2.DescriptorProto, line: str, package: str) -> None:
    match = _FIELD.match(line)
    if match is None:
        raise ValueError(f"not a field of the proto3 subset: {line!r}")
    repeated, value, kind, name, number = match.groups()
    if value is not None:
        kind = _map_entry(message, name, value, package)
        repeated = "repeated "
    field = message.field.add(name=name, number=int(number))
    field.label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
    scalar = getattr(_Field, f"TYPE_{kind.upper()}", None)
    if scalar is None:
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{package}.{kind}"
    else:
        field.type = scalar


def _map_entry(message: descriptor_pb2.DescriptorProto, name: str, value: str, package: str) -> str:
    """Adds the entry type of a map, which on the wire is a repeated message of key and value."""
    entry = message.nested_type.add(
        name="".join(part.capitalize() for part in name.split("_")) + "Entry"
    )
    entry.options.map_entry = True
    _add_field(entry, "string key = 1", package)
    _add_field(entry, f"{value} value = 2", package)
    return f"{message.name}.{entry.name}"

"""Values against types that were generated from an OpenAPI document."""

from collections.abc import Callable
from typing import Any

from kubernetes.client import models as kubernetes_models

_SCALARS = {"str": str, "int": int, "bool": bool, "float": (int, float), "object": object}


def kubernetes_type(name: str) -> Any:
    """A type of the `kubernetes` client."""
    return getattr(kubernetes_models, name)


def faults(
    value: Any, kind: str, where: str = "", *, types: Callable[[str], Any] = kubernetes_type
) -> list[str]:
    """What a value has that its OpenAPI type does not allow.

    Args:
      value: as YAML gives it.
      kind: the type's name, `list[...]` or `dict(str, ...)`.
      where: the value's place, for the messages.
      types: the generated class of a name.
    """

    def inside(item: Any, item_kind: str, place: str) -> list[str]:
        return faults(item, item_kind, f"{where}{place}", types=types)

    if kind.startswith("list["):
        return [f for n, item in enumerate(value) for f in inside(item, kind[5:-1], f"[{n}]")]
    if kind.startswith("dict("):
        item_kind = kind[5:-1].split(", ")[1]
        return [f for key, item in value.items() for f in inside(item, item_kind, f".{key}")]
    if kind in _SCALARS:
        right = isinstance(value, _SCALARS[kind])
        return [] if right else [f"{where}: {value!r} is not of type {kind}"]
    model = types(kind)
    fields = {json_name: name for name, json_name in model.attribute_map.items()}
    found = [f"{where}.{name} is no field of {kind}" for name in value if name not in fields]
    for name in set(value) & set(fields):
        found += inside(value[name], model.openapi_types[fields[name]], f".{name}")
    try:  # the constructor refuses absent required fields
        model(**{fields[name]: value[name] for name in value if name in fields})
    except ValueError as error:
        found.append(f"{where}: {error}")
    return found

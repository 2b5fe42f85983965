"""How many bytes a body of an operation may have: what its schema can need, but at least `DEFAULT`.

Whatever is larger is refused unread, so that nobody makes the server parse a megabyte of nonsense where some hundred
bytes are due.
"""

from __future__ import annotations

import json
from typing import Final

from infra.contract.bundle import Json

DEFAULT: Final = 65_536
# A character as `\u0000`, which some libraries write for all but ASCII. (Those outside the basic plane take two.)
_CHARACTER: Final = 6
# Of a member that the schema does not name.
_NAME: Final = 100
_PLAIN: Final = {"boolean": 5, "integer": 32, "number": 32}
_FORMATS: Final = {"date": 10, "date-time": 40, "uuid": 36, "email": 320, "uri": 2_048}


def body_limit(document: Json, operation: Json) -> int:
    """The limit in bytes: `x-body-limit` where the contract says one, else what the schema needs.

    A schema without a bound gets the default, as does one that needs less.
    """
    said: int | None = operation.get("x-body-limit")
    if said is not None:
        return said
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    needed = most_bytes(document, schema) or 0
    # In whole KiB: a description that grows by a letter changes nothing.
    return max(DEFAULT, -(-needed // 1024) * 1024)


def most_bytes(document: Json, schema: Json, within: tuple[str, ...] = ()) -> int | None:
    """The bytes of the longest JSON that fits a schema, written without spaces; None when there is no longest."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        inner = document["components"]["schemas"][name]
        return None if name in within else most_bytes(document, inner, (*within, name))
    if "enum" in schema:
        return max(len(json.dumps(value)) for value in schema["enum"])
    for keyword, combined in (("allOf", sum), ("oneOf", max), ("anyOf", max)):
        if keyword in schema:
            parts = [most_bytes(document, part, within) for part in schema[keyword]]
            known = [part for part in parts if part is not None]
            return combined(known) if len(known) == len(parts) else None
    kind = schema.get("type")
    if kind in ("array", "object"):
        return _array(document, schema, within) if kind == "array" else _object(document, schema, within)
    return _string(schema) if kind == "string" else _PLAIN.get(str(kind))


def _string(schema: Json) -> int | None:
    characters = schema.get("maxLength", _FORMATS.get(schema.get("format", "")))
    return None if characters is None else characters * _CHARACTER + 2


def _array(document: Json, schema: Json, within: tuple[str, ...]) -> int | None:
    item = most_bytes(document, schema["items"], within)
    return None if item is None or "maxItems" not in schema else 2 + schema["maxItems"] * (item + 1)


def _object(document: Json, schema: Json, within: tuple[str, ...]) -> int | None:
    size = 2
    for name, inner in schema.get("properties", {}).items():
        value = most_bytes(document, inner, within)
        if value is None:
            return None
        size += len(json.dumps(name)) + 2 + value
    others = schema.get("additionalProperties", True)
    if others is False:
        return size
    value = most_bytes(document, others, within) if isinstance(others, dict) else None
    if value is None or "maxProperties" not in schema:
        return None
    return size + int(schema["maxProperties"]) * (_NAME * _CHARACTER + 4 + value)

"""Documents as plain data: reading a dotted path, applying a patch. Shared by the adapters; no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from handlers.platform.store.port import (
    MAX_DOCUMENT_BYTES,
    MAX_PATCH_FIELDS,
    DocumentTooLarge,
    Json,
    Patch,
    Scalar,
    StoreMisuse,
)

# Moments and dataclasses must be turned into JSON by the code that knows how, not silently by the store.
_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


def encode(document: Mapping[str, Any]) -> bytes:
    """The document as JSON. Raises `StoreMisuse` when it is none, `DocumentTooLarge` over the limit."""
    try:
        raw = orjson.dumps(document, option=_OPTIONS)
    except TypeError as error:
        raise StoreMisuse(f"not a JSON document: {error}") from error
    if len(raw) > MAX_DOCUMENT_BYTES:
        raise DocumentTooLarge(f"{len(raw)} bytes, at most {MAX_DOCUMENT_BYTES}")
    return raw


def value_at(document: Mapping[str, Any], segments: Sequence[str]) -> Any:
    """The value at the path, None when there is none."""
    value: Any = document
    for segment in segments:
        if not isinstance(value, Mapping):
            return None
        value = value.get(segment)
    return value


def place(partition_key: Sequence[str], document: Mapping[str, Any]) -> Json:
    """The partition key's fields of a document: what puts another one beside it into the same partition."""
    return fields_at({path: value_at(document, path.split(".")) for path in partition_key})


def fields_at(values: Mapping[str, Any]) -> Json:
    """A document of values at dotted paths."""
    document: Json = {}
    for path, value in values.items():
        *above, leaf = path.split(".")
        parent = document
        for segment in above:
            parent = parent.setdefault(segment, {})
        parent[leaf] = value
    return document


def scalar_at(document: Mapping[str, Any], path: str) -> Scalar:
    """The scalar at the dotted path. Raises `StoreMisuse` when there is none: a sort key must be one."""
    value = value_at(document, path.split("."))
    if not isinstance(value, str | int | float | bool):
        raise StoreMisuse(f"sort key {path!r} is {type(value).__name__}, not a scalar")
    return value


def check_patch(patch: Patch, fixed: frozenset[str]) -> None:
    """Raises `StoreMisuse` for a patch that no document could take; `fixed` are the fields that must not change."""
    paths = [*patch.sets, *patch.increments, *patch.removes]
    if not 1 <= len(paths) <= MAX_PATCH_FIELDS:
        raise StoreMisuse(f"a patch changes 1 to {MAX_PATCH_FIELDS} fields, not {len(paths)}")
    for path in paths:
        if any(_overlap(path, one) for one in fixed):
            raise StoreMisuse(f"a patch cannot change {path!r}")
    if not all(type(by) is int for by in patch.increments.values()):
        raise StoreMisuse("increments are integers (decision 65)")


def _overlap(path: str, other: str) -> bool:
    """Whether one of the paths is the other or lies in it."""
    return f"{path}.".startswith(f"{other}.") or f"{other}.".startswith(f"{path}.")


def apply_patch(document: Json, patch: Patch) -> None:
    """Changes `document`: sets, then increments, then removes. Raises `StoreMisuse` where it cannot."""
    for path, value in patch.sets.items():
        parent, leaf = _parent(document, path)
        parent[leaf] = value
    for path, by in patch.increments.items():
        parent, leaf = _parent(document, path)
        before = parent[leaf] if isinstance(parent, list) else parent.get(leaf, 0)
        if type(before) is not int:
            raise StoreMisuse(f"cannot increment {path!r}: it is {type(before).__name__}, not an integer")
        parent[leaf] = before + by
    for path in patch.removes:
        parent, leaf = _parent(document, path)
        if isinstance(parent, dict) and leaf not in parent:
            raise StoreMisuse(f"cannot remove {path!r}: it is not there")
        del parent[leaf]


def _parent(document: Json, path: str) -> tuple[Any, Any]:
    """What holds the path's last segment, and that segment as its key or index."""
    *above, leaf = path.split(".")
    parent: Any = document
    for segment in above:
        parent = parent.get(segment) if isinstance(parent, dict) else _element(parent, segment)
    if isinstance(parent, dict):
        return parent, leaf
    if isinstance(parent, list) and leaf.isdecimal() and int(leaf) < len(parent):
        return parent, int(leaf)
    raise StoreMisuse(f"cannot patch {path!r}: there is no parent to hold it")


def _element(parent: Any, segment: str) -> Any:
    if isinstance(parent, list) and segment.isdecimal() and int(segment) < len(parent):
        return parent[int(segment)]
    return None

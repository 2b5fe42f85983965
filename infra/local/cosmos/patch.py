"""The operations of a partial update."""

from __future__ import annotations

from typing import Any

from infra.local.cosmos.wire import Json, Refusal


def apply(document: Json, operations: list[Json]) -> None:
    """Changes a document in place. Raises `Refusal` (400) where it cannot."""
    if not 1 <= len(operations) <= 10:
        raise Refusal(400, "a patch has 1 to 10 operations")
    for operation in operations:
        parent, leaf = _place(document, operation["path"])
        match operation["op"]:
            case "set" | "add":
                _set(parent, leaf, operation["value"])
            case "replace":
                _present(parent, leaf)
                _set(parent, leaf, operation["value"])
            case "incr":
                before = _get(parent, leaf)
                if isinstance(before, bool) or not isinstance(before, int | float):
                    raise Refusal(400, f"{operation['path']} is no number")
                _set(parent, leaf, before + operation["value"])
            case "remove":
                _present(parent, leaf)
                del parent[leaf]
            case other:
                raise Refusal(400, f"unknown operation {other}")


def _place(document: Json, path: str) -> tuple[Any, Any]:
    *above, leaf = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    parent: Any = document
    for segment in above:
        key = _key(parent, segment)
        if key is None or (isinstance(parent, dict) and key not in parent):
            raise Refusal(400, f"{path}: there is no parent")
        parent = parent[key]
    key = _key(parent, leaf)
    if key is None:
        raise Refusal(400, f"{path}: the parent takes no such member")
    return parent, key


def _key(parent: Any, segment: str) -> str | int | None:
    if isinstance(parent, dict):
        return segment
    if isinstance(parent, list) and segment.isdecimal() and int(segment) < len(parent):
        return int(segment)
    return None


def _get(parent: Any, leaf: Any) -> Any:
    return parent.get(leaf, 0) if isinstance(parent, dict) else parent[leaf]


def _set(parent: Any, leaf: Any, value: Any) -> None:
    parent[leaf] = value


def _present(parent: Any, leaf: Any) -> None:
    if isinstance(parent, dict) and leaf not in parent:
        raise Refusal(400, f"there is no {leaf}")

"""Ways through the documents that several rules share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infra.contract.bundle import Json, references
from infra.contract.lint.contract import Contract, Operation, component_place

Place = tuple[str, str, Json]  # file, JSON Pointer inside it, schema


def subschemas(schema: Any, pointer: str = "") -> Iterator[tuple[str, Json]]:
    """A schema and every schema inside it, references not followed."""
    if not isinstance(schema, dict):
        return
    yield pointer, schema
    for name, inner in (schema.get("properties") or {}).items():
        yield from subschemas(inner, f"{pointer}/properties/{name}")
    for key in ("items", "additionalProperties", "not"):
        yield from subschemas(schema.get(key), f"{pointer}/{key}")
    for key in ("allOf", "anyOf", "oneOf"):
        for index, inner in enumerate(schema.get(key) or []):
            yield from subschemas(inner, f"{pointer}/{key}/{index}")


def media(document: Json) -> Iterator[tuple[str, Json]]:
    """Every media type object of an operation, response or parameter with its pointer."""
    holders: list[tuple[str, Any]] = [("", document), ("/requestBody", document.get("requestBody"))]
    holders += [(f"/parameters/{n}", entry) for n, entry in enumerate(document.get("parameters") or [])]
    holders += [(f"/responses/{status}", entry) for status, entry in (document.get("responses") or {}).items()]
    for pointer, holder in holders:
        content = holder.get("content") if isinstance(holder, dict) else None
        for kind, entry in (content or {}).items():
            yield f"{pointer}/content/{kind.replace('/', '~1')}", entry


def schema_roots(contract: Contract) -> Iterator[Place]:
    """Every outermost schema: components, and those of parameters, headers and media types."""
    for place, kind, document in contract.documents:
        if kind in ("schemas", "examples"):
            yield from [(place, "", document)] if kind == "schemas" else []
            continue
        if kind in ("parameters", "headers") and "schema" in document:
            yield place, "/schema", document["schema"]
        for index, parameter in enumerate(document.get("parameters", []) if kind == "operation" else []):
            if "schema" in parameter:
                yield place, f"/parameters/{index}/schema", parameter["schema"]
        for pointer, entry in media(document):
            if "schema" in entry:
                yield place, f"{pointer}/schema", entry["schema"]


def all_schemas(contract: Contract) -> Iterator[Place]:
    """Every schema of the contract, inline ones too."""
    for place, start, root in schema_roots(contract):
        for pointer, schema in subschemas(root, start):
            yield place, pointer, schema


def named(reference: str) -> str:
    """The name at the end of a reference."""
    return reference.rsplit("/", 1)[-1]


def request_schemas(contract: Contract) -> Iterator[tuple[str, Json]]:
    """The named schemas that a request can carry, in bodies and JSON parameters."""
    starts: list[str] = []
    for operation in contract.operations:
        body = operation.document.get("requestBody") or {}
        starts += references(body)
        for parameter in contract.parameters(operation):
            starts += references({"schema": parameter.get("schema", {}), "content": parameter.get("content", {})})
    for name in sorted(reachable(contract, starts)):
        yield name, contract.components("schemas")[name]


def reachable(contract: Contract, starts: list[str]) -> set[str]:
    """The names of the schemas that references lead to, and of those behind them."""
    found: set[str] = set()
    todo = [named(reference) for reference in starts if "/schemas/" in reference]
    while todo:
        name = todo.pop()
        if name not in found and name in contract.components("schemas"):
            found.add(name)
            todo += [named(reference) for reference in references(contract.components("schemas")[name])]
    return found


def successes(operation: Operation) -> Iterator[tuple[str, Json]]:
    """The 2xx answers of an operation by status."""
    for status, response in (operation.document.get("responses") or {}).items():
        if str(status).startswith("2"):
            yield str(status), response


def schema_place(name: str) -> str:
    """The file of a schema."""
    return component_place("schemas", name)

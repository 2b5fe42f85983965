"""Examples: everywhere, and each one valid against its schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from infra.contract.bundle import Json
from infra.contract.lint.contract import Contract
from infra.contract.lint.registry import Found, rule
from infra.contract.lint.walkers import all_schemas, media, subschemas, successes

_ROOT = "urn:contract"


@rule("example-body")
def bodies(contract: Contract) -> Found:
    """Every request body and success answer has an example."""
    for operation in contract.operations:
        body = operation.document.get("requestBody") or {}
        places = [("the request body", body), *((f"the answer {s}", r) for s, r in successes(operation))]
        for what, node in places:
            for kind, entry in (node.get("content") or {}).items():
                if "example" not in entry and not entry.get("examples") and not _binary(entry.get("schema", {})):
                    yield operation.place, f"{what} ({kind}) has no example"


@rule("example-parameter")
def parameters(contract: Contract) -> Found:
    """Every parameter and header has an example, or its schema has one."""
    for place, kind, document in contract.documents:
        found = [document] if kind in ("parameters", "headers") else []
        if kind == "operation":
            found = [parameter for parameter in document.get("parameters", []) if "$ref" not in parameter]
        for parameter in found:
            content: list[Json] = list((parameter.get("content") or {}).values())
            if "example" not in parameter and not any("example" in entry for entry in content):
                yield place, f"{parameter.get('name', 'the header')} has no example"


@rule("example-property")
def properties(contract: Contract) -> Found:
    """Every property and named scalar has an example, of its own or behind its references."""
    for place, pointer, schema in all_schemas(contract):
        if pointer == "" and "properties" not in schema and not _shown(schema):
            yield place, "no example"
        for name, inner in (schema.get("properties") or {}).items():
            if not _shown(inner):
                yield place, f"property {name} at {pointer or '/'} has no example"


def _shown(schema: Json) -> bool:
    if "$ref" in schema or "example" in schema or _binary(schema):
        return True
    parts = [*schema.get("allOf", []), *schema.get("anyOf", []), *schema.get("oneOf", [])]
    return any(_shown(part) for part in parts) or ("items" in schema and _shown(schema["items"]))


def _binary(schema: Json) -> bool:
    return schema.get("format") == "binary"


@rule("example-valid")
def valid(contract: Contract) -> Found:
    """Every example and default is valid against its schema, formats included."""
    checker = _Checker(contract)
    for place, pointer, schema in all_schemas(contract):
        for key in ("example", "default"):
            if key in schema and not _misread(schema, schema[key]):
                yield from checker.faults(place, f"{pointer}/{key}", schema, schema[key])
    for place, kind, document in contract.documents:
        for pointer, schema, example in _outer(kind, document):
            if not _misread(schema, example):
                yield from checker.faults(place, pointer, schema, example)


def _outer(kind: str, document: Json) -> Iterator[tuple[str, Json, Any]]:
    """Examples that stand beside a schema instead of in it."""
    holders = [("", document)] if kind in ("parameters", "headers") else []
    if kind == "operation":
        holders = [(f"/parameters/{n}", entry) for n, entry in enumerate(document.get("parameters", []))]
    content = [] if kind in ("schemas", "examples") else list(media(document))
    for pointer, entry in [*holders, *content]:
        if "schema" not in entry:
            continue
        if "example" in entry:
            yield f"{pointer}/example", entry["schema"], entry["example"]
        for name, example in (entry.get("examples") or {}).items():
            if "value" in example:
                yield f"{pointer}/examples/{name}", entry["schema"], example["value"]


class _Checker:
    """Compiled validators over the whole bundle, with `nullable` said in JSON Schema."""

    def __init__(self, contract: Contract) -> None:
        schemas = {name: _draft(schema) for name, schema in contract.components("schemas").items()}
        resource = {"$id": _ROOT, "components": {"schemas": schemas}}
        self._registry = jsonschema_rs.Registry([(_ROOT, resource)])
        self._compiled: dict[str, Any] = {}

    def faults(self, place: str, pointer: str, schema: Json, value: Any) -> Found:
        """What is wrong with one value."""
        for error in self._validator(schema).iter_errors(value):
            where = "/".join(str(part) for part in error.instance_path)
            yield place, f"{pointer}{'/' if where else ''}{where}: {error.message[:200]}"

    def _validator(self, schema: Json) -> Any:
        reference = schema.get("$ref")
        if reference in self._compiled:
            return self._compiled[reference]
        validator = jsonschema_rs.Draft202012Validator(
            _draft(schema, absolute=True), registry=self._registry, validate_formats=True
        )
        if isinstance(reference, str):
            self._compiled[reference] = validator
        return validator


def _draft(node: Any, absolute: bool = False) -> Any:
    """An OpenAPI 3.0 schema in JSON Schema 2020-12: `nullable` becomes a type, examples are left out."""
    if isinstance(node, list):
        return [_draft(item, absolute) for item in node]
    if not isinstance(node, dict):
        return node
    schema = {k: _draft(v, absolute) for k, v in node.items() if k not in ("nullable", "example", "default")}
    if isinstance(node.get("properties"), dict):
        schema["properties"] = {name: _draft(inner, absolute) for name, inner in node["properties"].items()}
    if isinstance(node.get("$ref"), str):
        schema["$ref"] = f"{_ROOT}{node['$ref']}"
    if node.get("nullable") is True:
        if isinstance(schema.get("type"), str):
            schema["type"] = [schema["type"], "null"]
        if isinstance(schema.get("enum"), list):
            schema["enum"] = [*schema["enum"], None]
    return schema


@rule("yaml-trap")
def yaml_trap(contract: Contract) -> Found:
    """No enum member, example or default of a string that YAML reads as true, a number or nothing."""
    for place, start, schema in all_schemas(contract):
        for pointer, inner in subschemas(schema, start):
            if pointer != start or inner.get("type") != "string":
                continue
            values = [("enum", member) for member in inner.get("enum", [])]
            values += [(key, inner[key]) for key in ("example", "default") if key in inner]
            for key, value in values:
                if _misread(inner, value):
                    yield place, f"{pointer}/{key}: YAML reads {value!r}; put it in quotes"


@rule("yaml-key", needs_bundle=False)
def yaml_key(contract: Contract) -> Found:
    """Every key is a string: statuses and words like `on` in quotes."""
    yield from contract.odd_keys


def _misread(schema: Json, value: Any) -> bool:
    """Whether a string was meant and YAML made something else of it."""
    if schema.get("type") != "string" or isinstance(value, str):
        return False
    return value is not None or schema.get("nullable") is not True

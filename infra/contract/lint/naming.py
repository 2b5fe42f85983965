"""Names are the map: files, folders, identifiers."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from infra.contract.lint.contract import ENTRY, Contract
from infra.contract.lint.registry import Found, rule
from infra.contract.lint.walkers import all_schemas

_CAMEL = re.compile(r"^[a-z][a-z0-9]*([A-Z][a-z0-9]*)*$")
_PASCAL = re.compile(r"^([A-Z][A-Za-z0-9]*)$")
_SNAKE = re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")
_TRAIN = re.compile(r"^[A-Z][A-Za-z0-9]*(-[A-Z][A-Za-z0-9]*)*$")
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def snake(name: str) -> str:
    """`createOrder` as `create_order`."""
    return _WORD.sub("_", name).lower()


@rule("operation-id-case")
def operation_id_case(contract: Contract) -> Found:
    """Every operation has an operationId in camelCase."""
    for operation in contract.operations:
        if not _CAMEL.match(operation.id):
            yield operation.place, f"operationId {operation.id!r} is not camelCase"


@rule("operation-file-name")
def operation_file_name(contract: Contract) -> Found:
    """The file of an operation is named like its handler: snake_case of the operationId."""
    for operation in contract.operations:
        if PurePosixPath(operation.place).stem != snake(operation.id):
            yield operation.place, f"should be named {snake(operation.id)}.yaml for operationId {operation.id}"


@rule("operation-folder")
def operation_folder(contract: Contract) -> Found:
    """The folder of an operation is its one tag, and the tag is declared."""
    declared = {tag["name"] for tag in contract.http.get("tags", [])}
    for operation in contract.operations:
        tags = operation.document.get("tags") or []
        if len(tags) != 1 or PurePosixPath(operation.place).parent.name != tags[0]:
            yield operation.place, f"tags {tags} should be its folder, alone"
        elif tags[0] not in declared:
            yield operation.place, f"tag {tags[0]} is not declared in openapi.yaml"


@rule("tag-used")
def tag_used(contract: Contract) -> Found:
    """Every declared tag has an operation."""
    used = {operation.tag for operation in contract.operations}
    for tag in contract.http.get("tags", []):
        if tag["name"] not in used:
            yield ENTRY, f"tag {tag['name']} has no operation"


@rule("duplicate-operation-id")
def duplicate_operation_id(contract: Contract) -> Found:
    """No operationId is used twice."""
    seen: dict[str, str] = {}
    for operation in contract.operations:
        first = seen.setdefault(operation.id, operation.place)
        if first != operation.place:
            yield operation.place, f"operationId {operation.id} is also that of {first}"


@rule("schema-name-case")
def schema_name_case(contract: Contract) -> Found:
    """Components are named in PascalCase."""
    for place in contract.files:
        if "/components/" in place and not _PASCAL.match(PurePosixPath(place).stem):
            yield place, "the file name is not PascalCase"


@rule("property-case")
def property_case(contract: Contract) -> Found:
    """Properties are named in snake_case."""
    for place, pointer, schema in all_schemas(contract):
        for name in schema.get("properties") or {}:
            if not _SNAKE.match(str(name)):
                yield place, f"property {name!r} at {pointer or '/'} is not snake_case"


@rule("parameter-case")
def parameter_case(contract: Contract) -> Found:
    """Parameters of path, query and cookie are named in snake_case, headers in Train-Case."""
    for place, kind, document in contract.documents:
        found = [document] if kind == "parameters" else document.get("parameters", []) if kind == "operation" else []
        for parameter in found:
            name, pattern = parameter.get("name"), _TRAIN if parameter.get("in") == "header" else _SNAKE
            if name is not None and not pattern.match(str(name)):
                yield place, f"parameter {name!r} is not {'Train-Case' if pattern is _TRAIN else 'snake_case'}"

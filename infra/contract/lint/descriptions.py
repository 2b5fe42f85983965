"""Everything that a reader of the reference sees has words."""

from __future__ import annotations

from infra.contract.bundle import Json
from infra.contract.lint.contract import ENTRY, Contract
from infra.contract.lint.registry import Found, rule
from infra.contract.lint.walkers import all_schemas


def _words(node: Json) -> bool:
    return bool(str(node.get("description") or "").strip())


@rule("description-operation")
def operations(contract: Contract) -> Found:
    """Every operation has a summary, short and without a full stop, and a description."""
    for operation in contract.operations:
        summary = str(operation.document.get("summary") or "").strip()
        if not summary or len(summary) > 60 or summary.endswith("."):
            yield operation.place, "summary is missing, longer than 60 characters, or ends with a full stop"
        if not _words(operation.document):
            yield operation.place, "description is missing"


@rule("description-answer")
def answers(contract: Contract) -> Found:
    """Every answer and header has a description."""
    for operation in contract.operations:
        for status, response in (operation.document.get("responses") or {}).items():
            if "$ref" not in response and not _words(response):
                yield operation.place, f"the answer {status} has no description"
    for place, kind, document in contract.documents:
        if kind in ("responses", "headers") and not _words(document):
            yield place, "description is missing"


@rule("description-parameter")
def parameters(contract: Contract) -> Found:
    """Every parameter has a description."""
    for place, kind, document in contract.documents:
        found = [document] if kind == "parameters" else document.get("parameters", []) if kind == "operation" else []
        for parameter in found:
            if "$ref" not in parameter and not _words(parameter):
                yield place, f"parameter {parameter.get('name')} has no description"


@rule("description-schema")
def schemas(contract: Contract) -> Found:
    """Every named schema and every property has a description, of its own or behind its reference."""
    for place, pointer, schema in all_schemas(contract):
        if pointer == "" and not _words(schema):
            yield place, "description is missing"
        for name, inner in (schema.get("properties") or {}).items():
            if "$ref" not in inner and not _words(inner) and not _alternatives_described(inner):
                yield place, f"property {name} at {pointer or '/'} has no description"


def _alternatives_described(schema: Json) -> bool:
    """A nullable reference, said as `anyOf`, takes the words of the schema behind it."""
    return any("$ref" in alternative for alternative in schema.get("anyOf", []))


@rule("description-tag")
def tags(contract: Contract) -> Found:
    """Every tag has a description."""
    for tag in contract.http.get("tags", []):
        if not _words(tag):
            yield ENTRY, f"tag {tag.get('name')} has no description"

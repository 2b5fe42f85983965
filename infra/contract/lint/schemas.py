"""Schemas: named, described, bounded, closed where they come from outside, and in the OpenAPI 3.0 dialect."""

from __future__ import annotations

from infra.contract.bundle import Json, references
from infra.contract.lint.contract import Contract
from infra.contract.lint.registry import Found, rule
from infra.contract.lint.walkers import (
    all_schemas,
    named,
    reachable,
    request_schemas,
    schema_place,
    subschemas,
    successes,
)

# Objects in requests that are open or free on purpose, with the reason.
OPEN_REQUESTS = {
    "StripeEvent": "Stripe's own shape; it adds members as it likes",
    "AgentInvokeRequest": "`context` is for the agent, which owns its shape",
    "ConfigValue": "a setting may be an object",
}
_FORBIDDEN = ("const", "examples", "if", "then", "else", "prefixItems", "$defs", "patternProperties", "contains")
_SHORT_FORMATS = ("date", "date-time", "uuid", "byte", "binary")


def _is_component(place: str, pointer: str) -> bool:
    return pointer == "" and place.startswith("openapi/components/schemas/")


@rule("inline-enum")
def inline_enum(contract: Contract) -> Found:
    """Every enum has its own name; inline only `enum: [null]` beside a nullable reference."""
    for place, pointer, schema in all_schemas(contract):
        if "enum" in schema and schema["enum"] != [None] and not _is_component(place, pointer):
            yield place, f"{pointer}: an enum without a name; make it a schema of its own"


@rule("inline-object")
def inline_object(contract: Contract) -> Found:
    """Every object with properties has its own name."""
    for place, pointer, schema in all_schemas(contract):
        if "properties" in schema and not _is_component(place, pointer):
            yield place, f"{pointer}: an object without a name; make it a schema of its own"


@rule("request-closed")
def request_closed(contract: Contract) -> Found:
    """Objects in requests say `additionalProperties: false`, or the schema of their members."""
    for name, schema in request_schemas(contract):
        for pointer, inner in subschemas(schema):
            extra = inner.get("additionalProperties", True)
            if inner.get("type") == "object" and extra in (True, {}) and name not in OPEN_REQUESTS:
                yield schema_place(name), f"{pointer or '/'}: a request schema without `additionalProperties: false`"


@rule("string-bounded")
def string_bounded(contract: Contract) -> Found:
    """Strings in requests and parameters carry `maxLength`, or a format or enum that bounds them."""
    for place, pointer, schema in _incoming(contract):
        if schema.get("type") == "string" and not _bounded(schema):
            yield place, f"{pointer or '/'}: a string without maxLength"


def _bounded(schema: Json) -> bool:
    return "maxLength" in schema or "enum" in schema or schema.get("format") in _SHORT_FORMATS


@rule("number-bounded")
def number_bounded(contract: Contract) -> Found:
    """Numbers in requests and parameters carry `minimum` and `maximum`."""
    for place, pointer, schema in _incoming(contract):
        if schema.get("type") in ("integer", "number") and not {"minimum", "maximum"} <= set(schema):
            yield place, f"{pointer or '/'}: a number without minimum and maximum"


@rule("array-bounded")
def array_bounded(contract: Contract) -> Found:
    """Arrays in requests and parameters carry `maxItems`."""
    for place, pointer, schema in _incoming(contract):
        if schema.get("type") == "array" and "maxItems" not in schema:
            yield place, f"{pointer or '/'}: an array without maxItems"


def _incoming(contract: Contract) -> list[tuple[str, str, Json]]:
    """Every schema that describes what comes from outside."""
    owned = [(schema_place(name), schema) for name, schema in request_schemas(contract)]
    found = [(place, pointer, inner) for place, schema in owned for pointer, inner in subschemas(schema)]
    for place, kind, document in contract.documents:
        parameters = [("", document)] if kind == "parameters" else []
        if kind == "operation":
            parameters = [(f"/parameters/{n}", p) for n, p in enumerate(document.get("parameters", []))]
        for start, parameter in parameters:
            found += [(place, where, inner) for where, inner in subschemas(parameter.get("schema"), f"{start}/schema")]
    return found


@rule("multiple-of")
def multiple_of(contract: Contract) -> Found:
    """`multipleOf` is forbidden: binary fractions break it."""
    for place, pointer, schema in all_schemas(contract):
        if "multipleOf" in schema:
            yield place, f"{pointer or '/'}: multipleOf"


@rule("openapi-30-dialect")
def dialect(contract: Contract) -> Found:
    """No keyword of JSON Schema that OpenAPI 3.0 does not have; `nullable` only beside a `type`."""
    for place, pointer, schema in all_schemas(contract):
        for keyword in _FORBIDDEN:
            if keyword in schema:
                yield place, f"{pointer or '/'}: {keyword} is not OpenAPI 3.0"
        if isinstance(schema.get("type"), list):
            yield place, f"{pointer or '/'}: a list of types is not OpenAPI 3.0; say `nullable: true`"
        if "nullable" in schema and "type" not in schema:
            yield place, f"{pointer or '/'}: nullable without type means nothing in OpenAPI 3.0"
        for keyword in ("exclusiveMinimum", "exclusiveMaximum"):
            if not isinstance(schema.get(keyword, False), bool):
                yield place, f"{pointer or '/'}: {keyword} is true or false in OpenAPI 3.0"


@rule("required-known")
def required_known(contract: Contract) -> Found:
    """Every name in `required` is a property."""
    for place, pointer, schema in all_schemas(contract):
        for name in schema.get("required", []) if "properties" in schema else ():
            if name not in schema["properties"]:
                yield place, f"{pointer or '/'}: required names {name}, which is no property"


@rule("default-valid")
def default_bounds(contract: Contract) -> Found:
    """A number's default and bounds are in order."""
    for place, pointer, schema in all_schemas(contract):
        low, high = schema.get("minimum"), schema.get("maximum")
        default = schema.get("default")
        if low is not None and high is not None and low > high:
            yield place, f"{pointer or '/'}: minimum {low} is above maximum {high}"
        elif isinstance(default, int | float) and not (low or default) <= default <= (high or default):
            yield place, f"{pointer or '/'}: default {default} is outside the bounds"


@rule("time-named")
def time_named(contract: Contract) -> Found:
    """Times and days are `Timestamp` and `Date` by reference, except nullable ones, which 3.0 cannot refer to."""
    for place, pointer, schema in all_schemas(contract):
        if schema.get("format") in ("date", "date-time") and pointer and schema.get("nullable") is not True:
            yield place, f"{pointer}: a time without a name; refer to Timestamp or Date"


@rule("update-partial")
def update_partial(contract: Contract) -> Found:
    """The body of a PUT that is an `…Update` has `minProperties: 1` and requires nothing: what is absent stays."""
    for operation in contract.operations:
        content = (operation.document.get("requestBody") or {}).get("content") or {}
        names = {named(entry.get("schema", {}).get("$ref", "")) for entry in content.values()}
        for name in names if operation.method == "put" else ():
            schema = contract.components("schemas").get(name, {})
            if name.endswith("Update") and (schema.get("required") or schema.get("minProperties") != 1):
                yield schema_place(name), "the body of a PUT has `minProperties: 1` and requires nothing"


@rule("answer-currency")
def answer_currency(contract: Contract) -> Found:
    """An answer with amounts of money says their currency."""
    schemas = contract.components("schemas")
    for operation in contract.operations:
        for status, response in successes(operation):
            names = reachable(contract, list(references(response.get("content") or {})))
            said = any("currency" in schemas[name].get("properties", {}) for name in names)
            if not said and any(name.endswith("Amount") for name in names):
                yield operation.place, f"the answer {status} has amounts and no currency"


@rule("page-schema")
def page_schema(contract: Contract) -> Found:
    """A `…Page` has items, page, limit and next_cursor, all required."""
    for name, schema in contract.components("schemas").items():
        if name.endswith("Page"):
            missing = {"items", "page", "limit", "next_cursor"} - set(schema.get("required", []))
            for member in sorted(missing):
                yield schema_place(name), f"a page requires {member}"

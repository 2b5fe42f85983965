"""`generated/params.py` and `generated/routing.py`: one typed adapter per operation."""

from __future__ import annotations

import keyword
import re
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from infra.contract.body_limits import DEFAULT, body_limit
from infra.contract.bundle import ContractError, Json
from infra.contract.patterns import portable
from infra.contract.policy import BANNER, access, operations

_CONVERTERS = ("boolean", "day", "instant", "integer", "json_content", "number", "text")
_ANNOTATIONS = {"integer": "int", "number": "float", "boolean": "bool"}


def snake(name: str) -> str:
    """`createOrder` → `create_order`; `If-Match` → `if_match`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()


def pascal(name: str) -> str:
    """`createOrder` → `CreateOrder`."""
    return name[:1].upper() + name[1:]


def resolved(document: Json, node: Json) -> Json:
    """What a reference inside the bundle points to; the node itself when it is none."""
    while "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def parameters(document: Json, operation: Json) -> list[Json]:
    """The parameters of an operation, references resolved, cookies left to the handler."""
    found = [resolved(document, parameter) for parameter in operation.get("parameters", [])]
    return [parameter for parameter in found if parameter["in"] != "cookie"]


def attribute(name: str) -> str:
    """The Python name of a parameter."""
    plain = snake(name)
    return f"{plain}_" if keyword.iskeyword(plain) else plain


# --- params.py ------------------------------------------------------------------------------------------------------


def render_params(document: Json, generated: str = "generated") -> str:
    """A dataclass per operation that has parameters. `generated` is the package that it will be in."""
    blocks = [
        BANNER
        + "from dataclasses import dataclass, field\nfrom datetime import date, datetime\n"
        + "from typing import Literal\n\n"
        f'from {generated} import models as m\n\n__all__ = ["Literal", "date", "datetime", "field", "m"]\n'
    ]
    for _, _, operation in operations(document):
        found = parameters(document, operation)
        if found:
            blocks.append(_params_class(document, operation, found))
    return "\n\n".join(blocks) + "\n"


def _params_class(document: Json, operation: Json, found: list[Json]) -> str:
    lines = ["@dataclass(kw_only=True, slots=True)", f"class {pascal(operation['operationId'])}Parameters:"]
    lines.append(f'    """Parameters of `{operation["operationId"]}`."""\n')
    for parameter in found:
        kind = _annotation(document, parameter)
        default = _default(document, parameter)
        if parameter.get("required"):
            lines.append(f"    {attribute(parameter['name'])}: {kind}")
        elif isinstance(default, list):
            lines.append(f"    {attribute(parameter['name'])}: {kind} = field(default_factory=lambda: {default!r})")
        elif default is not None:
            lines.append(f"    {attribute(parameter['name'])}: {kind} = {default!r}")
        else:
            lines.append(f"    {attribute(parameter['name'])}: {kind} | None = None")
    return "\n".join(lines)


def _annotation(document: Json, parameter: Json) -> str:
    if "content" in parameter:
        return f"m.{_name(parameter['content']['application/json']['schema'])}"
    return _schema_annotation(document, parameter["schema"])


def _schema_annotation(document: Json, schema: Json) -> str:
    schema = resolved(document, schema)
    if schema.get("type") == "array":
        return f"list[{_schema_annotation(document, schema['items'])}]"
    if "enum" in schema:
        return "Literal[" + ", ".join(f'"{value}"' for value in schema["enum"]) + "]"
    if schema.get("type") == "string":
        return {"date": "date", "date-time": "datetime"}.get(schema.get("format", ""), "str")
    return _ANNOTATIONS[schema["type"]]


def _default(document: Json, parameter: Json) -> Any:
    if "schema" not in parameter:
        return None
    schema = resolved(document, parameter["schema"])
    if "default" in schema and schema.get("format") in ("date", "date-time"):
        raise ContractError(f"parameter {parameter['name']}: a default of a date or time is not supported")
    return schema.get("default")


def _name(schema: Json) -> str:
    return str(schema["$ref"]).rsplit("/", 1)[1]


# --- routing.py -----------------------------------------------------------------------------------------------------


def render_routing(document: Json, generated: str = "generated", handlers: str = "handlers") -> str:
    """The table of operations, each with the one typed line that holds its handler to the contract.

    `generated` is the package that it will be in, `handlers` the one of the rooms.
    """
    rooms = sorted({op["tags"][0] for _, _, op in operations(document) if built(op)})
    imports = ["from collections.abc import Awaitable, Callable", "from typing import Any\n"]
    imports += [
        f"from {generated} import models as m",
        f"from {generated} import params as p",
        f"from {generated} import views as v",
    ]
    imports += ["from handlers.contract.call import Call", "from handlers.contract.operation import Body, Operation"]
    imports += [f"from handlers.contract.parameters import Parameter, Parameters, {', '.join(_CONVERTERS)}"]
    imports += ["from handlers.contract.reply import Reply"]
    imports += [f"from {handlers}.{room} import api as {room}" for room in rooms]
    imports += ["from handlers.platform.access import Access", "from handlers.platform.limits import LimitRule"]
    imports += ["from handlers.platform.responses.kept import CacheRule\n"]
    blocks = [BANNER + "\n".join(imports)]
    blocks += [_operation(document, path, method, operation) for path, method, operation in operations(document)]
    names = [operation["operationId"] for _, _, operation in operations(document)]
    blocks.append("OPERATIONS: tuple[Operation, ...] = (\n" + "".join(f"    {name},\n" for name in names) + ")")
    exported = [*_CONVERTERS, "Any", "Awaitable", "Body", "CacheRule", "Call", "Callable", "LimitRule", "Reply"]
    exported += ["m", "p", "v"]
    blocks.append(f"__all__ = {sorted(exported)!r}")
    return "\n\n".join(blocks) + "\n"


def built(operation: Json) -> bool:
    """Whether the operation has its handler (decision 52)."""
    return operation.get("x-status") != "planned"


def _operation(document: Json, path: str, method: str, operation: Json) -> str:
    name = operation["operationId"]
    lines = []
    if built(operation):
        handler = f"{operation['tags'][0]}.{snake(name)}"
        lines.append(f"_{snake(name)}: {_signature(document, operation)} = {handler}")
    lines.append(f"{name} = Operation(")
    lines.append(f'    id="{name}", method="{method}", path="{path}", access={access(operation)},')
    if built(operation):
        lines.append(f"    handler=_{snake(name)},")
    lines += [f"    {line}," for line in _details(document, operation)]
    return "\n".join([*lines, ")"])


def _signature(document: Json, operation: Json) -> str:
    takes = []
    if parameters(document, operation):
        takes.append(f"p.{pascal(operation['operationId'])}Parameters")
    body = _body_schema(operation)
    if body:
        takes.append(f"m.{body}" if operation["requestBody"].get("required") else f"m.{body} | None")
    answer = _answer(document, operation)
    return f"Callable[[{', '.join([*takes, 'Call'])}], Awaitable[{answer} | Reply[{answer}]]]"


def _body_schema(operation: Json) -> str | None:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return _name(content["schema"]) if content else None


def success(operation: Json) -> tuple[int, Json]:
    """Status and response of the operation's success."""
    status = min(int(status) for status in operation["responses"] if str(status).startswith("2"))
    response: Json = operation["responses"][str(status)]
    return status, response


def _answer(document: Json, operation: Json) -> str:
    _, response = success(operation)
    content = resolved(document, response).get("content")
    if not content:
        return "None"
    if "application/json" not in content:
        return "Any"
    schema = content["application/json"]["schema"]
    return f"v.{_name(schema)}" if "$ref" in schema else "Any"


def _details(document: Json, operation: Json) -> list[str]:
    status, response = success(operation)
    lines = [f"status={status}"] if status != 200 else []
    if parameters(document, operation):
        lines.append(_parameters(document, operation))
    body = _body_schema(operation)
    if body:
        schema = document["components"]["schemas"][body]
        options = [] if operation["requestBody"].get("required") else ["required=False"]
        options += [f"min_properties={schema['minProperties']}"] if schema.get("minProperties") else []
        most = body_limit(document, operation)
        options += [f"max_bytes={most}"] if most != DEFAULT else []
        lines.append(f"body=Body({', '.join([f'm.{body}', *options])})")
    limit = operation.get("x-rate-limit")
    if limit:
        lines.append(f"limit=LimitRule(per_minute={limit['per_minute']}, burst={limit['burst']})")
    headers = _headers(operation)
    lines.append(f"headers={headers!r}")
    if "Set-Cookie" in response.get("headers", {}):
        lines.append("sets_cookies=True")
    if operation.get("x-idempotent"):
        lines.append("idempotent=True")
    if operation.get("x-priority"):
        lines.append("priority=True")
    if "server" in operation.get("x-cache", {}):
        lines.append(f"cache={_cache_rule(operation['x-cache'])}")
    return lines


def _cache_rule(cache: Json) -> str:
    options = [f"seconds={cache['server']}", f"of={tuple(cache.get('of', ()))!r}"]
    options += [] if cache.get("shared", True) else ["shared=False"]
    options += ["private=True"] if cache["scope"] == "private" else []
    return f"CacheRule({', '.join(options)})"


def _headers(operation: Json) -> tuple[tuple[bytes, bytes], ...]:
    cache = operation.get("x-cache")
    control = f"{cache.get('scope', 'public')}, max-age={cache['max_age']}" if cache else "no-store"
    headers = [(b"cache-control", control.encode("ascii"))]
    if operation.get("deprecated"):
        since = datetime.fromisoformat(operation["x-deprecated-since"]).replace(tzinfo=UTC)
        headers.append((b"deprecation", f"@{int(since.timestamp())}".encode("ascii")))  # RFC 9745
        sunset = datetime.fromisoformat(operation["x-sunset"]).replace(tzinfo=UTC)
        headers.append((b"sunset", format_datetime(sunset, usegmt=True).encode("ascii")))  # RFC 8594
    return tuple(headers)


def _parameters(document: Json, operation: Json) -> str:
    places: dict[str, list[str]] = {}
    for parameter in parameters(document, operation):
        places.setdefault(parameter["in"], []).append(_parameter(document, parameter))
    groups = "".join(f"\n        {place}=({', '.join(items)},)," for place, items in places.items())
    return f"parameters=Parameters(\n        p.{pascal(operation['operationId'])}Parameters,{groups}\n    )"


def _parameter(document: Json, parameter: Json) -> str:
    options = [f'"{parameter["name"]}"', f'"{attribute(parameter["name"])}"', _converter(document, parameter)]
    if parameter.get("required"):
        options.append("required=True")
    schema = resolved(document, parameter.get("schema", {}))
    if schema.get("type") == "array":
        options += ["many=True", f"max_items={schema['maxItems']}"]
    return f"Parameter({', '.join(options)})"


def _converter(document: Json, parameter: Json) -> str:
    if "content" in parameter:
        return f"json_content(m.{_name(parameter['content']['application/json']['schema'])})"
    schema = resolved(document, parameter["schema"])
    if schema.get("type") == "array":
        _refuse_others(parameter, schema, {"items", "maxItems", "default"})
        if parameter["in"] != "query" or parameter.get("explode") is False or "maxItems" not in schema:
            raise ContractError(
                f"parameter {parameter['name']}: arrays need maxItems, and to be in the query, exploded"
            )
        schema = resolved(document, schema["items"])
    kind = schema["type"]
    if kind == "boolean":
        _refuse_others(parameter, schema, {"default"})
        return "boolean()"
    if kind in ("integer", "number"):
        _refuse_others(parameter, schema, {*_BOUNDS, "default", "format"})
        return f"{kind}({_options(schema, _BOUNDS)})"
    if schema.get("format") in ("date", "date-time"):
        _refuse_others(parameter, schema, {"format", "maxLength", "minLength"})
        return "day()" if schema["format"] == "date" else "instant()"
    _refuse_others(parameter, schema, {*_TEXT_OPTIONS, "default"})
    if schema.get("format") not in (None, "email", "uri"):
        raise ContractError(f"parameter {parameter['name']}: format {schema['format']} is not supported in parameters")
    return f"text({_options(schema, _TEXT_OPTIONS)})"


_BOUNDS = {"minimum": "minimum", "maximum": "maximum"}
_TEXT_OPTIONS = {
    "minLength": "min_length",
    "maxLength": "max_length",
    "pattern": "pattern",
    "enum": "enum",
    "format": "format_name",
}
_SILENT = {"type", "title", "description", "example", "deprecated"}


def _refuse_others(parameter: Json, schema: Json, honoured: set[str]) -> None:
    """Raises `ContractError` for a keyword that the runtime would not check: better no code than too little."""
    others = sorted(key for key in schema.keys() - honoured - _SILENT if not key.startswith("x-"))
    if others:
        raise ContractError(f"parameter {parameter['name']}: {', '.join(others)} is not supported in parameters")


def _options(schema: Json, names: dict[str, str]) -> str:
    values = {python: schema[key] for key, python in names.items() if key in schema}
    values |= {"pattern": portable(values["pattern"])} if "pattern" in values else {}
    return ", ".join(f"{name}={tuple(value) if isinstance(value, list) else value!r}" for name, value in values.items())

"""`generated/errors.py` and `generated/access.py`: what the contract says about errors and about who may call what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infra.contract.bundle import METHODS, Json

BANNER = '"""Written by `make generate` from the contract. Do not edit."""\n\nfrom __future__ import annotations\n\n'


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Every operation of the document as (path, method, operation), in the document's order."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def render_errors(document: Json) -> str:
    """The closed enums of error codes and business rules, and the status of each code."""
    schemas = document["components"]["schemas"]
    status_of: dict[str, int] = {}
    for response, status in _STATUS_OF_RESPONSE.items():
        example = document["components"]["responses"][response]["content"]["application/json"]["example"]
        status_of[example["error"]["code"]] = status
    lines = [BANNER + "from typing import Final, Literal\n"]
    for name in ("ErrorCode", "ErrorRule"):
        lines += [f"\n{name} = Literal[", *(f'    "{value}",' for value in schemas[name]["enum"]), "]\n"]
    lines += ["\nSTATUS_OF: Final[dict[ErrorCode, int]] = {"]
    lines += [f'    "{code}": {status_of[code]},' for code in schemas["ErrorCode"]["enum"]]
    return "\n".join([*lines, "}\n"])


_STATUS_OF_RESPONSE = {
    "InvalidRequest": 400,
    "Unauthorized": 401,
    "Forbidden": 403,
    "NotFound": 404,
    "MethodNotAllowed": 405,
    "Conflict": 409,
    "PreconditionFailed": 412,
    "PayloadTooLarge": 413,
    "UnsupportedMediaType": 415,
    "Unprocessable": 422,
    "RateLimited": 429,
    "InternalError": 500,
    "NotImplemented": 501,
    "Unavailable": 503,
}


def render_access(document: Json) -> str:
    """What each role may, and what each operation asks for."""
    lines = [BANNER + "from typing import Final\n", "from handlers.platform.access import Access\n"]
    lines += ["PERMISSIONS: Final[dict[str, frozenset[str]]] = {"]
    lines += [f'    "{role}": {frozen(entry["permissions"])},' for role, entry in document["x-roles"].items()]
    lines += ["}", "", "ACCESS: Final[dict[str, Access]] = {"]
    for _, _, operation in operations(document):
        lines.append(f'    "{operation["operationId"]}": {access(operation)},')
    return "\n".join([*lines, "}\n"])


def access(operation: Json) -> str:
    """The `Access(...)` expression of an operation."""
    permissions: list[Any] = operation.get("x-permissions", [])
    more = f", {frozen(permissions)}" if permissions else ""
    return f'Access("{operation["x-required-role"]}"{more})'


def frozen(values: list[str]) -> str:
    """A frozenset of strings as source text, sorted."""
    return "frozenset({" + ", ".join(f'"{value}"' for value in sorted(values)) + "})" if values else "frozenset()"

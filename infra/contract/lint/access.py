"""Who may call what: roles, permissions, idempotency keys."""

from __future__ import annotations

from itertools import pairwise

from infra.contract.lint.contract import ENTRY, Contract
from infra.contract.lint.registry import Found, rule
from infra.contract.lint.walkers import named

ROLES = ("anonymous", "customer", "staff", "admin")
_EVERYBODYS = {"read:products"}  # the plan grants it; reading the catalogue is public, so nothing asks for it
_KEYS = ("IdempotencyKey", "RequiredIdempotencyKey")


def _granted(contract: Contract, role: str) -> set[str]:
    """The permissions of a role; for anonymous those of a guest, who is the anonymous caller with a session."""
    roles = contract.http.get("x-roles", {})
    found = set(roles.get(role, {}).get("permissions", []))
    return found | set(roles.get("guest", {}).get("permissions", [])) if role == "anonymous" else found


@rule("role-known")
def role_known(contract: Contract) -> Found:
    """Every operation says its least role, one of the four."""
    for operation in contract.operations:
        role = operation.document.get("x-required-role")
        if role not in ROLES:
            yield operation.place, f"x-required-role is {role!r}, not one of {', '.join(ROLES)}"


@rule("role-order")
def role_order(contract: Contract) -> Found:
    """A higher role has every permission of the lower ones."""
    for lower, higher in pairwise(ROLES):
        for permission in sorted(_granted(contract, lower) - _granted(contract, higher)):
            yield ENTRY, f"x-roles: {higher} lacks {permission}, which {lower} has"


@rule("permission-known")
def permission_known(contract: Contract) -> Found:
    """Every permission that an operation asks for is granted to some role."""
    known = {p for entry in contract.http.get("x-roles", {}).values() for p in entry.get("permissions", [])}
    for operation in contract.operations:
        for permission in operation.document.get("x-permissions", []):
            if permission not in known:
                yield operation.place, f"x-permissions: {permission} is granted to no role in x-roles"


@rule("permission-held")
def permission_held(contract: Contract) -> Found:
    """The role that an operation asks for holds the permissions that it asks for."""
    known = {p for entry in contract.http.get("x-roles", {}).values() for p in entry.get("permissions", [])}
    for operation in contract.operations:
        role = str(operation.document.get("x-required-role"))
        asked = set(operation.document.get("x-permissions", [])) & known
        for permission in sorted(asked - _granted(contract, role)) if role in ROLES else ():
            yield operation.place, f"x-permissions: {role} does not hold {permission}"


@rule("permission-used")
def permission_used(contract: Contract) -> Found:
    """Every permission in x-roles is asked for by some operation."""
    asked = {p for operation in contract.operations for p in operation.document.get("x-permissions", [])}
    known = {p for entry in contract.http.get("x-roles", {}).values() for p in entry.get("permissions", [])}
    for permission in sorted(known - asked - _EVERYBODYS):
        yield ENTRY, f"x-roles: no operation asks for {permission}"


@rule("security-derived", needs_bundle=False)
def security_derived(contract: Contract) -> Found:
    """`security` comes from the role; only operations that ignore credentials say `security: []`."""
    for place, document in contract.files.items():
        if place.startswith("openapi/paths/") and isinstance(document, dict) and document.get("security", []) != []:
            yield place, "security is derived from x-required-role; leave it out"


@rule("idempotency-key")
def idempotency_key(contract: Contract) -> Found:
    """`x-idempotent: true` and the parameter IdempotencyKey, or RequiredIdempotencyKey, come together, on POST."""
    for operation in contract.operations:
        parameters = operation.document.get("parameters", [])
        takes = any(named(parameter.get("$ref", "")) in _KEYS for parameter in parameters)
        says = operation.document.get("x-idempotent") is True
        if says and not takes:
            yield operation.place, "x-idempotent without the parameter IdempotencyKey"
        if takes and not says:
            yield operation.place, "the parameter IdempotencyKey without `x-idempotent: true`"
        if says and operation.method != "post":
            yield operation.place, f"x-idempotent on {operation.method.upper()}; it is for POST"

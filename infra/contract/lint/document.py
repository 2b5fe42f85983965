"""The documents as a whole: they read, bundle, and are what the standards say."""

from __future__ import annotations

from openapi_spec_validator import OpenAPIV30SpecValidator

from infra.contract.lint.contract import ENTRY, Contract
from infra.contract.lint.registry import Found, rule


@rule("readable", needs_bundle=False)
def readable(contract: Contract) -> Found:
    """Every file is YAML without a key written twice."""
    yield from contract.unreadable


@rule("bundles", needs_bundle=False)
def bundles(contract: Contract) -> Found:
    """Every reference leads to a file."""
    yield from contract.unbundled


@rule("openapi-version")
def version(contract: Contract) -> Found:
    """The document says OpenAPI 3.0.3, the version every tool agrees on."""
    if contract.http.get("openapi") != "3.0.3":
        yield ENTRY, f"openapi is {contract.http.get('openapi')!r}, not '3.0.3'"


@rule("openapi-valid")
def valid(contract: Contract) -> Found:
    """The bundle is valid by OpenAPI's own schema."""
    for error in OpenAPIV30SpecValidator(contract.http).iter_errors():
        where = "/".join(str(part) for part in getattr(error, "absolute_path", []))
        message = str(getattr(error, "message", error)).replace("\n", " ")
        yield ENTRY, f"/{where}: {message[:300]}"

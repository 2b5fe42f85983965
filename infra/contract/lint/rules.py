"""All families of rules, imported so that they register."""

from infra.contract.lint import (
    access,
    conventions,
    descriptions,
    document,
    errors,
    events,
    examples,
    files,
    inventory,
    lengths,
    naming,
    routes,
    schemas,
)
from infra.contract.lint.registry import RULES, Finding, findings

__all__ = [
    "RULES",
    "Finding",
    "access",
    "conventions",
    "descriptions",
    "document",
    "errors",
    "events",
    "examples",
    "files",
    "findings",
    "inventory",
    "lengths",
    "naming",
    "routes",
    "schemas",
]

"""All families of rules, imported so that they register."""

from infra.contract.lint import access, document, errors, files, naming, routes
from infra.contract.lint.registry import RULES, Finding, findings

__all__ = ["RULES", "Finding", "access", "document", "errors", "files", "findings", "naming", "routes"]

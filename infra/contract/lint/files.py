"""Which file says what, and that nothing lies about unused."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath

from infra.contract.bundle import walk
from infra.contract.lint.contract import ENTRY, Contract
from infra.contract.lint.registry import Found, rule


@rule("operation-inline", needs_bundle=False)
def operation_inline(contract: Contract) -> Found:
    """The table of contents names one file for each operation and says nothing else about it."""
    for path, item in (contract.entry.get("paths") or {}).items():
        for method, entry in item.items():
            if not isinstance(entry, dict) or set(entry) != {"$ref"}:
                yield ENTRY, f"{method.upper()} {path} should be one $ref to a file below paths/"


@rule("operation-shared", needs_bundle=False)
def operation_shared(contract: Contract) -> Found:
    """One file is one operation: no file is listed twice."""
    counted = Counter(place for _, _, place in contract.listed() if place != ENTRY)
    for place, count in counted.items():
        if count > 1:
            yield place, f"is listed {count} times in openapi.yaml"


@rule("operation-orphan", needs_bundle=False)
def operation_orphan(contract: Contract) -> Found:
    """Every file below paths/ is in the table of contents."""
    listed = {place for _, _, place in contract.listed()}
    for place in contract.files:
        if place.startswith("openapi/paths/") and place not in listed:
            yield place, "openapi.yaml does not list it"


@rule("component-unused")
def component_unused(contract: Contract) -> Found:
    """Every component is used by an operation or an event."""
    used = {place for place, _, _ in contract.documents}
    shared = set(contract.events.get("components", {}).get("schemas", {}))
    for place in contract.files:
        if not place.startswith("openapi/components/") or place in used:
            continue
        if "/schemas/" not in place or PurePosixPath(place).stem not in shared:
            yield place, "nothing refers to it"


@rule("file-reference", needs_bundle=False)
def file_reference(contract: Contract) -> Found:
    """References between files are relative paths without a fragment."""
    for place, document in contract.files.items():
        if place == ENTRY or not place.startswith("openapi/"):
            continue
        for pointer, node in walk(document):
            if not isinstance(node, dict) or "$ref" not in node:
                continue
            target = node["$ref"]
            if not isinstance(target, str) or "#" in target or not target.endswith(".yaml"):
                yield place, f"{pointer}: $ref {target!r} is not a relative file path"


@rule("reference-siblings", needs_bundle=False)
def reference_siblings(contract: Contract) -> Found:
    """A $ref stands alone: OpenAPI 3.0 ignores what is beside it."""
    for place, document in contract.files.items():
        for pointer, node in walk(document):
            if isinstance(node, dict) and isinstance(node.get("$ref"), str) and len(node) > 1:
                beside = ", ".join(sorted(str(key) for key in node if key != "$ref"))
                yield place, f"{pointer or '/'}: {beside} beside $ref is ignored"

"""Paths: no two that a request could mean, and every parameter declared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

from infra.contract.lint.contract import ENTRY, Contract
from infra.contract.lint.registry import Found, rule

_TEMPLATE = re.compile(r"\{([^}]*)\}")
_SHAPE = re.compile(r"^/$|^(/([a-z0-9.][a-z0-9.-]*|\{[a-z][a-z0-9_]*\}))+$")


def _segments(path: str) -> list[str]:
    return path.strip("/").split("/")


def _is_template(segment: str) -> bool:
    return segment.startswith("{")


@rule("path-shape")
def path_shape(contract: Contract) -> Found:
    """Paths are kebab-case, without a slash at the end; a parameter is a whole segment."""
    for path in contract.http["paths"]:
        if not _SHAPE.match(path):
            yield ENTRY, f"{path}: segments are kebab-case or one {{parameter}}, without a slash at the end"


@rule("ambiguous-path")
def ambiguous_path(contract: Contract) -> Found:
    """No request fits two templates of which neither is the more exact one."""
    for one, other in combinations(contract.http["paths"], 2):
        pairs = list(zip(_segments(one), _segments(other), strict=False))
        if len(_segments(one)) != len(_segments(other)):
            continue
        if any(a != b and not _is_template(a) and not _is_template(b) for a, b in pairs):
            continue
        wider = {_is_template(b) for a, b in pairs if _is_template(a) != _is_template(b)}
        if wider not in ({True}, {False}):
            yield ENTRY, f"{one} and {other} fit the same requests"


@rule("parameter-names-differ")
def parameter_names_differ(contract: Contract) -> Found:
    """One position has one parameter name in all paths below it."""
    names: dict[tuple[str, ...], tuple[str, str]] = {}
    for path in contract.http["paths"]:
        for prefix, segment in _positions(path):
            name, first = names.setdefault(prefix, (segment, path))
            if name != segment:
                yield ENTRY, f"{path} says {segment} where {first} says {name}"


def _positions(path: str) -> Iterator[tuple[tuple[str, ...], str]]:
    segments = _segments(path)
    for index, segment in enumerate(segments):
        if _is_template(segment):
            yield tuple("{}" if _is_template(part) else part for part in segments[:index]), segment


@rule("path-parameters")
def path_parameters(contract: Contract) -> Found:
    """The parameters in the path and the declared ones are the same, and required."""
    for operation in contract.operations:
        wanted = set(_TEMPLATE.findall(operation.path))
        declared = [p for p in contract.parameters(operation) if p.get("in") == "path"]
        names = {str(parameter.get("name")) for parameter in declared}
        for name in sorted(wanted ^ names):
            where = "in the path but not declared" if name in wanted else "declared but not in the path"
            yield operation.place, f"path parameter {name} is {where}"
        for parameter in declared:
            if parameter.get("required") is not True:
                yield operation.place, f"path parameter {parameter.get('name')} is not `required: true`"


@rule("duplicate-parameter")
def duplicate_parameter(contract: Contract) -> Found:
    """No operation has a parameter twice."""
    for operation in contract.operations:
        keys = [(str(p.get("in")), str(p.get("name"))) for p in contract.parameters(operation)]
        for where, name in sorted({key for key in keys if keys.count(key) > 1}):
            yield operation.place, f"{where} parameter {name} is listed twice"

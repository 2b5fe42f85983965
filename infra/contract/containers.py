"""Reads `infra/containers.yaml` and writes `generated/containers.py`: the containers as typed, frozen data.

Run as `python -m infra.contract.containers` to write the file. A description that makes no sense is refused with the
place and the reason.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "infra" / "containers.yaml"
TARGET = ROOT / "generated" / "containers.py"

NEVER, PER_DOCUMENT = None, -1
Json = dict[str, Any]

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_PATH = re.compile(r"(/[A-Za-z_][A-Za-z0-9_]*)+\Z")
_FIELDS = {
    "reason",
    "partition_key",
    "unique_keys",
    "filters",
    "indexes",
    "ttl",
    "service_rows",
    "cross_partition",
    "throughput",
}
_DEFAULT_THROUGHPUT = 1000  # request units a second: the least that autoscale knows
_MOST_THROUGHPUT = 10_000  # the plan's bound for a container, and the service's for a range
_KIND_FIELDS = {"reason", "ttl", "indexes", "cross_partition"}

_HEADER = '''\
"""The containers of the document store. Written by infra/contract/containers.py: edit infra/containers.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

PER_DOCUMENT: Final = -1


@dataclass(frozen=True, slots=True)
class Key:
    """One key of an index."""

    path: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Index:
    """An index in the order of its keys; `id` is the last one. `kind`: over the service rows of that kind."""

    keys: tuple[Key, ...]
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Container:
    """A container. Paths are dotted. `ttl` in seconds; -1: only by the document's own field; None: never.

    `throughput` is the most that autoscale may reach, in request units a second.
    `kinds` are the service rows that may live in it, each with its `ttl` in the same terms.
    `cross_partition` are the purposes for which it may be read without a partition.
    """

    name: str
    partition_key: tuple[str, ...]
    unique_keys: tuple[tuple[str, ...], ...] = ()
    filters: tuple[str, ...] = ()
    indexes: tuple[Index, ...] = ()
    ttl: int | None = None
    throughput: int = 1000
    kinds: Mapping[str, int | None] = field(default_factory=dict)
    cross_partition: frozenset[str] = frozenset()


CONTAINERS: Final[Mapping[str, Container]] = MappingProxyType(
    {
'''
_FOOTER = "    }\n)\n"


class BadContainers(ValueError):
    """The description of the containers makes no sense; says where and why."""


def load(source: Path = SOURCE) -> Json:
    """The parsed description."""
    parsed = yaml.safe_load(source.read_text(encoding="utf-8"))
    if not isinstance(parsed, dict):
        raise BadContainers(f"{source.name}: not a mapping")
    return parsed


def render(containers: Json) -> str:
    """The text of `generated/containers.py` for a parsed description. Raises `BadContainers`."""
    kinds = _mapping(containers.get("service_rows", {}), "service_rows")
    for name, kind in kinds.items():
        _check_kind(name, kind)
    described = _mapping(containers.get("containers"), "containers")
    return _HEADER + "".join(_render_one(name, described[name], kinds) for name in described) + _FOOTER


def _render_one(name: str, described: Any, kinds: Json) -> str:
    container = _mapping(described, name)
    _check_container(name, container, kinds)
    own = list(container.get("service_rows", []))
    indexes = [_index(f"{name}.indexes", keys, None) for keys in container.get("indexes", [])]
    for kind in own:
        indexes += [_index(f"service_rows.{kind}", keys, kind) for keys in kinds[kind].get("indexes", [])]
    purposes = {*container.get("cross_partition", {})}
    for kind in own:
        purposes |= {*kinds[kind].get("cross_partition", {})}
    lines = [
        f"name={name!r}",
        f"partition_key={_tuple(repr(_dotted(name, path)) for path in container['partition_key'])}",
    ]
    unique = [_tuple(repr(_dotted(name, path)) for path in keys) for keys in container.get("unique_keys", [])]
    filters = [repr(_dotted(f"{name}.filters", path)) for path in container.get("filters", [])]
    ttl = _ttl(name, container["ttl"])
    lines += [f"unique_keys={_tuple(unique)}"] if unique else []
    lines += [f"filters={_tuple(filters)}"] if filters else []
    lines += (
        ["indexes=(\n" + "".join(f"                {index},\n" for index in indexes) + "            )"]
        if indexes
        else []
    )
    lines += [f"ttl={ttl}"] if ttl is not None else []
    throughput = container.get("throughput", _DEFAULT_THROUGHPUT)
    lines += [f"throughput={throughput}"] if throughput != _DEFAULT_THROUGHPUT else []
    lines += [f"kinds=MappingProxyType({_kinds(own, kinds)})"] if own else []
    lines += [f"cross_partition=frozenset({sorted(purposes)!r})"] if purposes else []
    body = "".join(f"            {line},\n" for line in lines)
    return f"        {name!r}: Container(\n{body}        ),\n"


def _index(place: str, keys: Any, kind: str | None) -> str:
    """One `Index(...)`; the closing `id` is left to the reader of the table."""
    rendered = []
    for key in keys:
        path, _, direction = str(key).partition(" ")
        if direction not in {"", "desc"}:
            raise BadContainers(f"{place}: {key!r} is neither a path nor a path and 'desc'")
        rendered.append(f"Key({_dotted(place, path)!r}{', True' if direction else ''})")
    return f"Index({_tuple(rendered)}{f', kind={kind!r}' if kind else ''})"


def _kinds(own: list[str], kinds: Json) -> str:
    return "{" + ", ".join(f"{kind!r}: {_ttl(kind, kinds[kind]['ttl'])}" for kind in own) + "}"


def _check_container(name: str, container: Json, kinds: Json) -> None:
    _check_fields(name, container, _FIELDS, {"reason", "partition_key", "ttl"})
    if not _NAME.match(name):
        raise BadContainers(f"{name!r}: a name is lower case with underscores")
    if not 1 <= len(container["partition_key"]) <= 3:
        raise BadContainers(f"{name}: a partition key has one to three paths (Cosmos)")
    throughput = container.get("throughput", _DEFAULT_THROUGHPUT)
    if throughput not in range(_DEFAULT_THROUGHPUT, _MOST_THROUGHPUT + 1, 1000):
        raise BadContainers(f"{name}: throughput {throughput!r} is no multiple of 1000 up to {_MOST_THROUGHPUT}")
    unknown = {*container.get("service_rows", [])} - {*kinds}
    if unknown:
        raise BadContainers(f"{name}: unknown service rows {sorted(unknown)}")
    if container.get("unique_keys") and container.get("service_rows"):
        raise BadContainers(f"{name}: unique keys and service rows exclude each other: rows without the fields collide")
    _check_reasons(name, container.get("cross_partition", {}))


def _check_kind(name: str, kind: Any) -> None:
    _check_fields(f"service_rows.{name}", _mapping(kind, name), _KIND_FIELDS, {"reason", "ttl"})
    if not _NAME.match(name):
        raise BadContainers(f"{name!r}: a name is lower case with underscores")
    _check_reasons(name, kind.get("cross_partition", {}))


def _check_fields(place: str, given: Json, known: set[str], needed: set[str]) -> None:
    if unknown := {*given} - known:
        raise BadContainers(f"{place}: unknown fields {sorted(unknown)}")
    if missing := needed - {*given}:
        raise BadContainers(f"{place}: missing {sorted(missing)}")


def _check_reasons(place: str, purposes: Any) -> None:
    for purpose, reason in _mapping(purposes, f"{place}.cross_partition").items():
        if not _NAME.match(purpose) or not reason:
            raise BadContainers(f"{place}: purpose {purpose!r} needs a name and a reason")


def _dotted(place: str, path: Any) -> str:
    if not isinstance(path, str) or not _PATH.match(path):
        raise BadContainers(f"{place}: {path!r} is no path such as /price/amount")
    return path[1:].replace("/", ".")


def _ttl(place: str, ttl: Any) -> int | None:
    if ttl == "none":
        return NEVER
    if ttl == "per_document":
        return PER_DOCUMENT
    if isinstance(ttl, int) and not isinstance(ttl, bool) and ttl > 0:
        return ttl
    raise BadContainers(f"{place}: ttl {ttl!r} is neither none nor per_document nor seconds")


def _mapping(value: Any, place: str) -> Json:
    if not isinstance(value, dict):
        raise BadContainers(f"{place}: not a mapping")
    return value


def _tuple(parts: Any) -> str:
    items = list(parts)
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"


if __name__ == "__main__":
    TARGET.write_text(render(load()), encoding="utf-8")

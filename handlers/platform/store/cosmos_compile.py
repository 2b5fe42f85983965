"""Turns a `Query` into Cosmos SQL. Values are always bound; only checked names are written into the text."""
# ruff: noqa: S608  (as the line above says)

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, assert_never

import orjson

from generated.containers import Container, Key
from handlers.platform.store.cosmos_indexing import KIND, closed, reverse
from handlers.platform.store.cosmos_layout import CosmosLayout, PartitionValue
from handlers.platform.store.port import (
    MAX_IN_VALUES,
    And,
    Condition,
    Contains,
    Difference,
    Eq,
    Exists,
    In,
    Json,
    Or,
    Prefix,
    Query,
    Range,
    Scalar,
    Sort,
    StoreMisuse,
)
from handlers.platform.store.sqlite_compile import json_path, sort_keys, whole_partition
from handlers.platform.store.sqlite_layout import PARTITION

_OWN: Final = f'(NOT IS_DEFINED(c["{KIND}"]) OR IS_NULL(c["{KIND}"]))'


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL, its parameters, and the logical partition it stays in (None: it goes over all)."""

    text: str
    parameters: list[Json]
    partition: PartitionValue | None


@dataclass(slots=True)
class _Compiler:
    """`inline` writes values into the text as JSON, for a patch's predicate, which takes no parameters."""

    inline: bool = False
    parameters: list[Json] = field(default_factory=list)

    def condition(self, condition: Condition) -> str:
        match condition:
            case Eq(path, value):
                sql = f"{operand(path)} = {self.bind(value)}"
            case In(path, values):
                sql = self._in(path, values)
            case Range():
                sql = self._range(condition)
            case Prefix(path, value):
                sql = f"STARTSWITH({operand(path)}, {self.bind(value)})"
            case Contains(path, value):
                sql = f"ARRAY_CONTAINS({operand(path)}, {self.bind(value)})"
            case Exists(path, present):
                sql = present_at(path) if present else absent_at(path)
            case Difference(path, less, least):
                sql = f"({operand(path)} - {operand(less)}) >= {self.bind(least)}"
            case And(conditions):
                sql = self._all(conditions, " AND ", "true")
            case Or(conditions):
                sql = self._all(conditions, " OR ", "false")
            case _:
                assert_never(condition)
        return sql

    def bind(self, value: Scalar) -> str:
        if not isinstance(value, str | int | float | bool):
            raise StoreMisuse(f"{value!r} is no operand: scalars only, never null")
        if self.inline:
            return orjson.dumps(value).decode()
        name = f"@p{len(self.parameters)}"
        self.parameters.append({"name": name, "value": value})
        return name

    def _all(self, conditions: Sequence[Condition], joint: str, empty: str) -> str:
        parts = [self.condition(condition) for condition in conditions]
        return f"({joint.join(parts)})" if parts else empty

    def _in(self, path: str, values: Sequence[Scalar]) -> str:
        if len(values) > MAX_IN_VALUES:
            raise StoreMisuse(f"{path}: at most {MAX_IN_VALUES} values")
        name = operand(path)
        return f"{name} IN ({', '.join(map(self.bind, values))})" if values else "false"

    def _range(self, condition: Range) -> str:
        bounds = [(">=", condition.ge), (">", condition.gt), ("<=", condition.le), ("<", condition.lt)]
        given = [(sign, value) for sign, value in bounds if value is not None]
        if len({_type(value) for _, value in given}) != 1:
            raise StoreMisuse(f"{condition.path}: a range needs bounds, all of one type")
        parts = [f"{operand(condition.path)} {sign} {self.bind(value)}" for sign, value in given]
        return f"({' AND '.join(parts)})"


def select(layout: CosmosLayout, query: Query) -> Statement:
    """One document more than the page; the extra one says that there is a next page."""
    compiler = _Compiler()
    where = _where(layout, compiler, query)
    where += [present_at(sort.path) for sort in query.sort if sort.path != "id"]
    order = _order(layout, query)
    if query.after is not None:
        where.append(_after(layout, compiler, query))
    keys = ", ".join(f"{operand(key.path)} {'DESC' if key.descending else 'ASC'}" for key in order)
    rows = query.limit + 1
    top = "" if query.offset else f"TOP {rows} "
    tail = f" OFFSET {query.offset} LIMIT {rows}" if query.offset else ""
    text = f"SELECT {top}* FROM c WHERE {' AND '.join(where)} ORDER BY {keys}{tail}"
    return Statement(text, compiler.parameters, _whole(layout, query))


def count(layout: CosmosLayout, query: Query) -> Statement:
    """The number of matching documents."""
    compiler = _Compiler()
    where = _where(layout, compiler, query)
    return Statement(
        f"SELECT VALUE COUNT(1) FROM c WHERE {' AND '.join(where)}", compiler.parameters, _whole(layout, query)
    )


def predicate(condition: Condition) -> str:
    """A condition alone, with its values written out."""
    return _Compiler(inline=True).condition(condition)


def operand(path: str) -> str:
    """The dotted path as a property. Raises `StoreMisuse` for a name that cannot be quoted."""
    json_path(path)  # the names that the embedded store can quote: no quotes, no backslashes, no control characters
    return "c" + "".join(f'["{segment}"]' for segment in path.split("."))


def present_at(path: str) -> str:
    """There is a value, and it is not null."""
    return f"(IS_DEFINED({operand(path)}) AND NOT IS_NULL({operand(path)}))"


def absent_at(path: str) -> str:
    """There is no value, or it is null."""
    return f"(NOT IS_DEFINED({operand(path)}) OR IS_NULL({operand(path)}))"


def _where(layout: CosmosLayout, compiler: _Compiler, query: Query) -> list[str]:
    where = [_of_kind(layout.container, query.kind)]
    if query.partition is None:
        if query.purpose not in layout.container.cross_partition:
            raise StoreMisuse(
                f"{layout.container.name}: purpose {query.purpose!r} may not read across partitions "
                "(cross_partition in infra/containers.yaml)"
            )
    elif not whole_partition(layout.checks, query):
        # The front of a hierarchical key is a condition: the SDK's own way, by prefix, concatenates the answers of
        # physical partitions and so loses the order.
        parts = tuple(query.partition)
        layout.checks.partition_range(parts)
        paths = layout.container.partition_key[: len(parts)]
        where += [f"{operand(path)} = {compiler.bind(part)}" for path, part in zip(paths, parts, strict=True)]
    if query.where is not None:
        where.append(compiler.condition(query.where))
    return where


def _of_kind(container: Container, kind: str | None) -> str:
    if kind is None:
        return _OWN if container.kinds else "true"
    if kind not in container.kinds:
        raise StoreMisuse(f"{container.name}: no service rows of kind {kind!r} (infra/containers.yaml)")
    return f'c["{KIND}"] = "{kind}"'


def _whole(layout: CosmosLayout, query: Query) -> PartitionValue | None:
    if query.partition is None or not whole_partition(layout.checks, query):
        return None
    return layout.partition(query.partition)


def _order(layout: CosmosLayout, query: Query) -> tuple[Key, ...]:
    """The query's order, written so that a composite index serves it (`cosmos_indexing`).

    Keys of the index that the query binds to one value go in front: they change nothing, and the index begins so.
    """
    container = layout.container
    keys = tuple(Key(sort.path, sort.descending) for sort in query.sort if sort.path != "id")
    last = query.sort[-1].descending if query.sort else False
    _check_id(container, query.sort)
    if not keys:
        alone = (Key("id", last),)
        return alone if whole_partition(layout.checks, query) else closed(container, (), descending=last)
    if (query.kind, keys) not in layout.checks.orders:
        order = ", ".join(f"{key.path}{' desc' if key.descending else ''}" for key in keys)
        raise StoreMisuse(f"{container.name}: no index ends with ({order}) (infra/containers.yaml)")
    bound = {*_bound(query.where), *_bound_by_partition(layout, query)}
    front = max(_fronts(container, query.kind, keys, bound), key=len, default=())
    return closed(container, (*front, *keys), descending=last)


def _check_id(container: Container, sort: tuple[Sort, ...]) -> None:
    at = next((number for number, key in enumerate(sort) if key.path == "id"), None)
    if at is not None and (at != len(sort) - 1 or (at and sort[at].descending != sort[at - 1].descending)):
        raise StoreMisuse(f"{container.name}: `id` is the last key, in the direction of the one before it")


def _fronts(
    container: Container, kind: str | None, keys: tuple[Key, ...], bound: set[str]
) -> Iterator[tuple[Key, ...]]:
    """The keys in front of this order in the indexes that end with it, where all of them are bound."""
    for index in container.indexes:
        whole = tuple(key for key in index.keys if key.path != "id")
        at = len(whole) - len(keys)
        if index.kind != kind or at < 1 or not {key.path for key in whole[:at]} <= bound:
            continue
        if whole[at:] == keys:
            yield whole[:at]
        elif reverse(whole)[at:] == keys:
            yield reverse(whole)[:at]


def _bound(condition: Condition | None) -> Iterator[str]:
    """The paths that a condition binds to one value."""
    if isinstance(condition, Eq):
        yield condition.path
    elif isinstance(condition, And):
        for part in condition.conditions:
            yield from _bound(part)


def _bound_by_partition(layout: CosmosLayout, query: Query) -> tuple[str, ...]:
    if query.partition is None:
        return ()
    parts = (query.partition,) if isinstance(query.partition, str) else query.partition
    return layout.container.partition_key[: len(parts)]


def _after(layout: CosmosLayout, compiler: _Compiler, query: Query) -> str:
    """The documents behind a keyset position: beyond in the first key, or equal in it and beyond in the rest."""
    order, after = sort_keys(layout.checks, query), query.after or ()
    if len(after) != len(order):
        raise StoreMisuse(f"the position has {len(after)} values, the order {len(order)} keys")
    keys: list[tuple[str, bool, Any]] = []
    for sort, value in zip(order, after, strict=True):
        if sort.path == PARTITION:
            parts = layout.checks.partition_parts(str(value))
            keys += [
                (path, sort.descending, part) for path, part in zip(layout.container.partition_key, parts, strict=False)
            ]
        else:
            keys.append((sort.path, sort.descending, value))
    text = ""
    for path, descending, value in reversed(keys):
        beyond = f"{operand(path)} {'<' if descending else '>'} {compiler.bind(value)}"
        text = f"({beyond} OR ({operand(path)} = {compiler.bind(value)} AND {text}))" if text else f"({beyond})"
    return text


def _type(value: Scalar) -> type:
    if isinstance(value, bool):
        return bool
    return str if isinstance(value, str) else float

"""Turns a `Query` into SQL for a container's table. Values are always bound, never written into the text."""
# ruff: noqa: S608  (what is written into SQL are names from containers.yaml; values are always bound)

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, assert_never

from generated.containers import Key
from handlers.platform.store.port import (
    MAX_IN_VALUES,
    And,
    Condition,
    Contains,
    Difference,
    Eq,
    Exists,
    In,
    Or,
    Prefix,
    Query,
    Range,
    Scalar,
    Sort,
    StoreMisuse,
)
from handlers.platform.store.sqlite_layout import PARTITION, Layout, cell

# A field name may come from a client (an attribute's name); what JSON paths cannot quote is refused.
_SEGMENT: Final = re.compile(r'[^"\\\x00-\x1f.]{1,200}\Z')

# What `cell` does, for a path that has no column.
_INLINE: Final = (
    "CASE json_type(doc, ?) WHEN 'true' THEN x'01' WHEN 'false' THEN x'00' "
    "WHEN 'array' THEN x'02' WHEN 'object' THEN x'02' ELSE json_extract(doc, ?) END"
)
# SQLite sorts numbers before texts before blobs; these bound a type from below and above.
_TEXT_LOW: Final = "''"
_BLOB_LOW: Final = "x''"
_BOOL_HIGH: Final = "x'02'"
_ELEMENT_TYPES: Final = {str: "type = 'text'", bool: "type IN ('true', 'false')"}
_HIGHEST: Final = 0x10FFFF
_SURROGATES: Final = range(0xD800, 0xE000)


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and the values to bind."""

    sql: str
    values: tuple[Any, ...]


class _Compiler:
    """Collects bound values in the order in which the text needs them."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self.values: list[Any] = []

    def condition(self, condition: Condition) -> str:
        match condition:
            case Eq(path, value):
                sql = f"{self.operand(path)} = {self.bind(value)}"
            case In(path, values):
                sql = self._in(path, values)
            case Range():
                sql = self._range(condition)
            case Prefix(path, value):
                sql = self._prefix(path, value)
            case Contains(path, value):
                sql = self._contains(path, value)
            case Exists(path, present):
                sql = f"{self.operand(path)} IS {'NOT ' if present else ''}NULL"
            case Difference(path, less, least):
                sql = self._difference(path, less, least)
            case And(conditions):
                sql = self._all(conditions, " AND ", "1")
            case Or(conditions):
                sql = self._all(conditions, " OR ", "0")
            case _:
                assert_never(condition)
        return sql

    def bind(self, value: Scalar) -> str:
        if not isinstance(value, str | int | float | bool):
            raise StoreMisuse(f"{value!r} is no operand: scalars only, never null")
        self.values.append(cell(value))
        return "?"

    def operand(self, path: str) -> str:
        column = self._layout.columns.get(path)
        if column is not None:
            return column
        self.values += [json_path(path)] * 2
        return _INLINE

    def _all(self, conditions: Sequence[Condition], joint: str, empty: str) -> str:
        parts = [self.condition(condition) for condition in conditions]
        return f"({joint.join(parts)})" if parts else empty

    def _in(self, path: str, values: Sequence[Scalar]) -> str:
        if len(values) > MAX_IN_VALUES:
            raise StoreMisuse(f"{path}: at most {MAX_IN_VALUES} values")
        if not values:
            return "0"
        operand = self.operand(path)
        # Filled up to a power of two, so that there are few texts to prepare.
        size = 1 << (len(values) - 1).bit_length()
        marks = [self.bind(value) for value in [*values, *[values[-1]] * (size - len(values))]]
        return f"{operand} IN ({', '.join(marks)})"

    def _range(self, condition: Range) -> str:
        bounds = [(">=", condition.ge), (">", condition.gt), ("<=", condition.le), ("<", condition.lt)]
        given = [(sign, value) for sign, value in bounds if value is not None]
        types = {_type(value) for _, value in given}
        if len(types) != 1:
            raise StoreMisuse(f"{condition.path}: a range needs bounds, all of one type")
        parts = [f"{self.operand(condition.path)} {sign} {self.bind(value)}" for sign, value in given]
        signs = {sign[0] for sign, _ in given}
        low, high = _LIMITS[types.pop()]
        if ">" not in signs and low:
            parts.append(f"{self.operand(condition.path)} >= {low}")
        if "<" not in signs:
            parts.append(f"{self.operand(condition.path)} < {high}")
        return f"({' AND '.join(parts)})"

    def _difference(self, path: str, less: str, least: int) -> str:
        # SQLite would take a text for a number where Cosmos finds nothing to subtract.
        numbers = [f"typeof({self.operand(each)}) IN ('integer', 'real')" for each in (path, less)]
        gap = f"{self.operand(path)} - {self.operand(less)} >= {self.bind(least)}"
        return f"({' AND '.join(numbers)} AND {gap})"

    def _prefix(self, path: str, prefix: str) -> str:
        low = f"{self.operand(path)} >= {self.bind(prefix)}"
        operand = self.operand(path)
        above = after_prefix(prefix)
        high = self.bind(above) if above is not None else _BLOB_LOW
        return f"({low} AND {operand} < {high})"

    def _contains(self, path: str, value: Scalar) -> str:
        at = json_path(path)
        self.values.append(at)
        self.values.append(at)
        element = self.bind(int(value) if isinstance(value, bool) else value)
        types = _ELEMENT_TYPES.get(_type(value), "type IN ('integer', 'real')")
        return (
            "(json_type(doc, ?) = 'array' AND "
            f"EXISTS (SELECT 1 FROM json_each(doc, ?) WHERE value = {element} AND {types}))"
        )


_LIMITS: Final[dict[type, tuple[str, str]]] = {
    float: ("", _TEXT_LOW),
    str: (_TEXT_LOW, _BLOB_LOW),
    bool: (_BLOB_LOW, _BOOL_HIGH),
}


def select(layout: Layout, query: Query, now: int) -> Statement:
    """One row more than the page: document, etag, partition; the extra one says that there is a next page."""
    compiler = _Compiler(layout)
    where = _where(layout, compiler, query, now)
    order = sort_keys(layout, query)
    _check_order(layout, query)
    # The plus keeps this out of the choice of an index range, which belongs to the position.
    where += [f"+{compiler.operand(sort.path)} IS NOT NULL" for sort in query.sort if sort.path != "id"]
    if query.after is not None:
        where.append(_after(compiler, order, query.after))
    ordered = [f"{compiler.operand(sort.path)}{' DESC' if sort.descending else ''}" for sort in order]
    sql = (
        f"SELECT CAST(doc AS BLOB), etag, pk FROM {layout.table} WHERE {' AND '.join(where)} "
        f"ORDER BY {', '.join(ordered)} LIMIT ?{' OFFSET ?' if query.offset else ''}"
    )
    tail = (query.limit + 1, query.offset) if query.offset else (query.limit + 1,)
    return Statement(sql, (*compiler.values, *tail))


def count(layout: Layout, query: Query, now: int) -> Statement:
    """The number of matching rows."""
    compiler = _Compiler(layout)
    where = _where(layout, compiler, query, now)
    sql = f"SELECT COUNT(*) FROM {layout.table} WHERE {' AND '.join(where)}"
    return Statement(sql, tuple(compiler.values))


def predicate(layout: Layout, condition: Condition) -> Statement:
    """A condition alone, as an expression over one row."""
    compiler = _Compiler(layout)
    sql = compiler.condition(condition)
    return Statement(sql, tuple(compiler.values))


def sort_keys(layout: Layout, query: Query) -> list[Sort]:
    """The query's order with its tie-breakers: `id`, and across partitions the partition."""
    keys = list(query.sort)
    descending = keys[-1].descending if keys else False
    if all(sort.path != "id" for sort in keys):
        keys.append(Sort("id", descending))
    if not whole_partition(layout, query) and all(layout.columns.get(sort.path) != "pk" for sort in keys):
        keys.append(Sort(PARTITION, descending))
    return keys


def whole_partition(layout: Layout, query: Query) -> bool:
    """Whether the query stays within one logical partition."""
    if query.partition is None:
        return False
    return isinstance(query.partition, str) or len(query.partition) == len(layout.container.partition_key)


def json_path(path: str) -> str:
    """The dotted path as SQLite's JSON functions take it. Raises `StoreMisuse` for a name they cannot quote."""
    segments = path.split(".")
    if not all(_SEGMENT.match(segment) for segment in segments):
        raise StoreMisuse(f"{path!r} is no path")
    return "$" + "".join(f'."{segment}"' for segment in segments)


def after_prefix(prefix: str) -> str | None:
    """The least string greater than all that start with `prefix`; None when there is none."""
    trimmed = prefix.rstrip(chr(_HIGHEST))
    if not trimmed:
        return None
    following = ord(trimmed[-1]) + 1
    return trimmed[:-1] + chr(_SURROGATES.stop if following in _SURROGATES else following)


def _where(layout: Layout, compiler: _Compiler, query: Query, now: int) -> list[str]:
    # The kind is written out, not bound: only so can the planner see that a partial index fits.
    where = ["kind IS NULL" if query.kind is None else f"kind = '{_kind(layout, query.kind)}'"]
    where += _partition(layout, compiler, query)
    if query.where is not None:
        where.append(compiler.condition(query.where))
    ttl = layout.container.ttl if query.kind is None else layout.container.kinds[query.kind]
    if ttl is not None:
        where.append("expires > ?")
        compiler.values.append(now)
    return where


def _check_order(layout: Layout, query: Query) -> None:
    """Cosmos sorts only by what an index holds in that order, so nothing else may be asked for here."""
    keys = tuple(Key(sort.path, sort.descending) for sort in query.sort if sort.path != "id")
    if keys and (query.kind, keys) not in layout.orders:
        order = ", ".join(f"{key.path}{' desc' if key.descending else ''}" for key in keys)
        raise StoreMisuse(f"{layout.container.name}: no index ends with ({order}) (infra/containers.yaml)")


def _kind(layout: Layout, kind: str) -> str:
    if kind not in layout.container.kinds:
        raise StoreMisuse(f"{layout.container.name}: no service rows of kind {kind!r} (infra/containers.yaml)")
    return kind


def _partition(layout: Layout, compiler: _Compiler, query: Query) -> list[str]:
    if query.partition is None:
        if query.purpose not in layout.container.cross_partition:
            raise StoreMisuse(
                f"{layout.container.name}: purpose {query.purpose!r} may not read across partitions "
                "(cross_partition in infra/containers.yaml)"
            )
        return []
    if whole_partition(layout, query):
        compiler.values.append(layout.partition(query.partition))
        return ["pk = ?"]
    compiler.values += layout.partition_range(tuple(query.partition))
    return ["pk >= ? AND pk < ?"]


def _after(compiler: _Compiler, order: list[Sort], after: Sequence[Scalar]) -> str:
    """The rows behind a keyset position."""
    if len(after) != len(order):
        raise StoreMisuse(f"the position has {len(after)} values, the order {len(order)} keys")
    if len({sort.descending for sort in order}) == 1:
        keys = ", ".join(compiler.operand(sort.path) for sort in order)
        marks = ", ".join(compiler.bind(value) for value in after)
        return f"({keys}) {_beyond(order[0])} ({marks})"
    return _after_mixed(compiler, order, after)


def _after_mixed(compiler: _Compiler, order: list[Sort], after: Sequence[Scalar]) -> str:
    """Directions differ: beyond in the first key, or equal in it and beyond in the rest.

    The bound in front says nothing new; it is for the index.
    """
    first, rest, value = order[0], order[1:], after[0]
    bound = f"{compiler.operand(first.path)} {_beyond(first)}= {compiler.bind(value)}"
    beyond = f"{compiler.operand(first.path)} {_beyond(first)} {compiler.bind(value)}"
    return f"({bound} AND ({beyond} OR {_after(compiler, rest, after[1:])}))"


def _beyond(sort: Sort) -> str:
    return "<" if sort.descending else ">"


def _type(value: Scalar) -> type:
    """bool, str, or float for every number."""
    if isinstance(value, bool):
        return bool
    return str if isinstance(value, str) else float

"""Queries: within a logical partition, over one range, and the plan that an SDK asks for to go over all ranges."""
# ruff: noqa: S608  (the text is only ever parsed by this folder's own parser)

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cmp_to_key, lru_cache
from typing import Any, Final

from handlers.platform.store import charges
from infra.local.cosmos.collection import Collection
from infra.local.cosmos.evaluate import UNDEFINED, Evaluate, compile_node, holds, rank, value_at
from infra.local.cosmos.items import check_session, headers_of
from infra.local.cosmos.partition import PartitionKey, Physical, Stored
from infra.local.cosmos.sql import Node, Path, Select, parse
from infra.local.cosmos.wire import CONTINUATION, PAGE_SIZE, RANGE_ID, Json, Refusal, Request, Response, answer

_PAGE: Final = 100
_SYSTEM: Final = "{documentdb-formattableorderbyquery-filter}"


@dataclass(frozen=True, slots=True)
class _Ready:
    select: Select
    test: Evaluate | None
    paths: frozenset[tuple[str, ...]]


@lru_cache(maxsize=1024)
def _ready(text: str) -> _Ready:
    select = parse(text)
    test = compile_node(select.where) if select.where is not None else None
    return _Ready(select, test, frozenset(_paths(select.where)) if select.where is not None else frozenset())


def run(collection: Collection, request: Request, key: PartitionKey | None, *, lag: float = 0.0) -> Response:
    """One page of a query, from a replica that may be `lag` seconds behind."""
    body = request.json()
    ready = _ready(body["query"])
    params = {param["name"]: param["value"] for param in body.get("parameters", [])}
    part, found = _source(collection, request, key, ready.select)
    _check_order(collection, ready.select)
    seen = check_session(part, request)
    lsn = None
    if lag:
        found = [shown for stored in found if (shown := stored.as_seen(lag, seen)) is not None]
        lsn = max(seen, *(stored.lsn for stored in found), 0)
    matching = [stored for stored in found if holds(ready.test, stored.document, params)]
    if ready.select.shape in {"count", "partial_count"}:
        value: Any = len(matching) if ready.select.shape == "count" else [{"item": len(matching)}]
        return _page(collection, part, [value], charges.count_units(len(matching)), lsn=lsn)
    _sort(matching, ready.select)
    matching = _cut(matching, ready.select)
    start, size = int(request.headers.get(CONTINUATION, 0)), int(request.headers.get(PAGE_SIZE, _PAGE))
    page = matching[start : start + size] if size > 0 else matching[start:]
    more = start + len(page) < len(matching)
    unindexed = not all(collection.indexed(path) for path in ready.paths)
    loaded = sum(1 for _ in _all_of(collection, part, key)) if unindexed else len(page) + (ready.select.offset or 0)
    charge = charges.query_units(loaded, sum(stored.size for stored in page))
    documents = [_shaped(stored, ready.select) for stored in page]
    return _page(collection, part, documents, charge, str(start + len(page)) if more else None, lsn=lsn)


def plan(request: Request) -> Response:
    """How an SDK is to go over all ranges: merge by these orders, cut here, add those counts."""
    select = _ready(request.json()["query"]).select
    top, limit, offset = select.top, select.limit, select.offset
    info: Json = {
        "distinctType": "None",
        "top": top,
        "offset": offset,
        "limit": limit,
        "orderBy": ["Descending" if order.descending else "Ascending" for order in select.order],
        "orderByExpressions": [_written(order.path) for order in select.order],
        "groupByExpressions": [],
        "aggregates": ["Count"] if select.shape == "count" else [],
        "rewrittenQuery": _rewritten(select),
        "hasSelectValue": select.shape == "count",
        "hasNonStreamingOrderBy": False,
    }
    ranges = [{"min": "", "max": "FF", "isMinInclusive": True, "isMaxInclusive": False}]
    return answer(200, {"partitionedQueryExecutionInfoVersion": 2, "queryInfo": info, "queryRanges": ranges})


def _source(
    collection: Collection, request: Request, key: PartitionKey | None, select: Select
) -> tuple[Physical, Iterable[Stored]]:
    now = collection.now()
    if key is not None:
        part = collection.physical(key)
        return part, part.logical(key, now)
    if RANGE_ID in request.headers:
        part = collection.by_id(request.headers[RANGE_ID])
        low, high = request.headers.get("x-ms-start-epk", ""), request.headers.get("x-ms-end-epk", "FF")
        return part, (stored for stored in part.all(now) if low <= stored.epk < high)
    if not request.flag("x-ms-documentdb-query-enablecrosspartition"):
        raise Refusal(400, "a query over partitions needs to be enabled")
    raise Refusal(400, "the query cannot be served by the gateway", sub_status=1004)


def _all_of(collection: Collection, part: Physical, key: PartitionKey | None) -> Iterable[Stored]:
    now = collection.now()
    return part.logical(key, now) if key is not None else part.all(now)


def _check_order(collection: Collection, select: Select) -> None:
    """One property needs an index of its own, several a composite index in these directions or all reversed."""
    keys = [(order.path.segments, order.descending) for order in select.order]
    if len(keys) == 1 and not collection.indexed(keys[0][0]):
        raise Refusal(400, "the order-by item is excluded from the index")
    reverse = [(path, not descending) for path, descending in keys]
    if len(keys) > 1 and keys not in collection.composites and reverse not in collection.composites:
        names = ", ".join(f"{'.'.join(path)}{' desc' if descending else ''}" for path, descending in keys)
        raise Refusal(400, f"no composite index serves ORDER BY {names}")


def _sort(found: list[Stored], select: Select) -> None:
    for order in reversed(select.order):
        segments = order.path.segments

        def compare(one: Stored, other: Stored, segments: tuple[str, ...] = segments) -> int:
            return _compare(value_at(one.document, segments), value_at(other.document, segments))

        found.sort(key=cmp_to_key(compare), reverse=order.descending)


def _compare(one: Any, other: Any) -> int:
    kind = rank(one)
    if kind != rank(other):
        return kind - rank(other)
    return (one > other) - (one < other) if kind in {2, 4, 5} else 0


def _cut(found: list[Stored], select: Select) -> list[Stored]:
    if select.top is not None:
        return found[: select.top]
    if select.limit is not None:
        start = select.offset or 0
        return found[start : start + select.limit]
    return found


def _shaped(stored: Stored, select: Select) -> Json:
    if select.shape != "ordered":
        return stored.document
    values = [value_at(stored.document, order.path.segments) for order in select.order]
    items = [{} if value is UNDEFINED else {"item": value} for value in values]
    return {"_rid": stored.document["_rid"], "orderByItems": items, "payload": stored.document}


def _page(
    collection: Collection,
    part: Physical,
    documents: list[Any],
    charge: float,
    more: str | None = None,
    *,
    lsn: int | None,
) -> Response:
    headers = headers_of(part, charge, lsn=lsn)
    if more is not None:
        headers[CONTINUATION] = more
    return answer(200, {"_rid": collection.rid, "Documents": documents, "_count": len(documents)}, headers)


def _rewritten(select: Select) -> str:
    where = f"WHERE ({select.where_text}) AND ({_SYSTEM})" if select.where_text else f"WHERE ({_SYSTEM})"
    if select.shape == "count":
        return f'SELECT VALUE [{{"item": COUNT(1)}}] FROM c {where}'
    top = f"TOP {select.top} " if select.top is not None else ""
    tail = "" if select.limit is None else f" OFFSET 0 LIMIT {(select.offset or 0) + select.limit}"
    if not select.order:
        return f"SELECT {top}* FROM c {where}{tail}"
    items = ", ".join(f'{{"item": {_written(order.path)}}}' for order in select.order)
    order = ", ".join(f"{_written(key.path)} {'DESC' if key.descending else 'ASC'}" for key in select.order)
    return f"SELECT {top}c._rid, [{items}] AS orderByItems, c AS payload FROM c {where} ORDER BY {order}{tail}"


def _written(path: Path) -> str:
    return "c" + "".join(f'["{segment}"]' for segment in path.segments)


def _paths(node: Node) -> Iterator[tuple[str, ...]]:
    if isinstance(node, Path):
        yield node.segments
        return
    for name in getattr(node, "__slots__", ()):
        value = getattr(node, name)
        for part in value if isinstance(value, tuple) else (value,):
            if hasattr(part, "__slots__") and not isinstance(part, str):
                yield from _paths(part)

"""Conformance: what a query may ask, positions, service rows, partitions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from handlers.platform.store.port import (
    MAX_IN_VALUES,
    Condition,
    Contains,
    Create,
    DocumentStore,
    Eq,
    Exists,
    In,
    Prefix,
    Query,
    Range,
    Scalar,
    Sort,
    StoreMisuse,
)
from tests.platform.store.adapters import thing
from tests.platform.store.reference import run

ALL = Query("things", purpose="everything", limit=3)


VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 1.0, 1.5, 2**53, "", "0", "1", "a", "ab", "b", "true", "[]", "null", "é", "🎄"),
    *([], [1], ["1"], [True], [None, "a"], [[1]], {}, {"x": 1}),
)
OPERANDS: tuple[Scalar, ...] = (True, False, 0, 1, 1.0, 1.5, -1, "", "0", "1", "a", "ab", "true", "[]", "é")


def conditions(path: str) -> Iterator[Condition]:
    """Every kind of condition with every operand."""
    yield from (Exists(path), Exists(path, present=False), In(path, []), In(path, [1, "a", True]))
    for value in OPERANDS:
        yield from (Eq(path, value), In(path, [value]), Contains(path, value))
        yield from (Range(path, ge=value), Range(path, gt=value), Range(path, le=value), Range(path, lt=value))
        if isinstance(value, str):
            yield Prefix(path, value)


@pytest.mark.parametrize("path", ["a", "price.amount", "b", "deep.er"])
async def test_every_condition_on_every_value(store: DocumentStore, path: str) -> None:
    """`a` and `price.amount` are indexed, `b` and `deep.er` are not; it makes no difference."""
    documents = [thing("absent")]
    for number, value in enumerate(VALUES):
        place = {"a": value, "b": value, "price": {"amount": value}, "deep": {"er": value}}
        documents.append(thing(f"{number:02d}", **place))
    for document in documents:
        await store.write("things", Create(document))
    for condition in conditions(path):
        query = Query("things", "ann", condition, limit=99)
        assert await ids(store, query) == [document["id"] for document in run(query, documents)], condition


async def ids(store: DocumentStore, query: Query) -> list[str]:
    """The ids of one page."""
    return [document.data["id"] for document in (await store.query(query)).items]


async def test_the_allow_list_is_kept(store: DocumentStore) -> None:
    assert await ids(store, ALL) == []
    for query in (replace(ALL, purpose=None), replace(ALL, purpose="other"), Query("plain", purpose="everything")):
        with pytest.raises(StoreMisuse, match="across partitions"):
            await store.query(query)
        with pytest.raises(StoreMisuse, match="across partitions"):
            await store.count(query)


@pytest.mark.parametrize(
    "query",
    [
        replace(ALL, container="nowhere"),
        replace(ALL, kind="unknown"),
        replace(ALL, limit=0),
        replace(ALL, offset=-1),
        replace(ALL, sort=(Sort("unindexed"),)),
        replace(ALL, sort=(Sort("s"), Sort("n", True))),
        replace(ALL, sort=(Sort("n"),), after=(1,)),
        replace(ALL, partition=("ann", "2026")),
        replace(ALL, partition=""),
    ],
)
async def test_a_query_that_makes_no_sense_is_the_callers_fault(store: DocumentStore, query: Query) -> None:
    with pytest.raises(StoreMisuse):
        await store.query(query)


@pytest.mark.parametrize(
    "where",
    [
        Eq("a", None),  # type: ignore[arg-type]
        Range("a"),
        Range("a", ge=1, lt="x"),
        Range("a", ge=1, lt=True),
        In("a", ["x"] * (MAX_IN_VALUES + 1)),
        Eq('b"', 1),
        Eq("b..c", 1),
        Eq("b\\", 1),
        Eq("", 1),
    ],
)
async def test_a_condition_that_makes_no_sense_is_the_callers_fault(store: DocumentStore, where: Condition) -> None:
    with pytest.raises(StoreMisuse):
        await store.query(replace(ALL, where=where))


async def test_field_names_and_values_are_never_part_of_the_language(store: DocumentStore) -> None:
    evil = "x') OR 1=1 --"
    await store.write("things", Create({"id": "1", "owner": "ann", evil: 1, "s": evil}))
    await store.write("things", Create({"id": "2", "owner": "ann"}))
    assert await ids(store, replace(ALL, where=Eq(evil, 1))) == ["1"]
    assert await ids(store, replace(ALL, where=Eq("s", evil))) == ["1"]
    assert await ids(store, replace(ALL, where=Eq("nothing' OR '1'='1", 1))) == []


async def test_positions_hold_while_documents_come_and_go(store: DocumentStore) -> None:
    for number in (10, 20, 30, 40):
        await store.write("things", Create(thing(str(number), n=number)))
    query = replace(ALL, sort=(Sort("n"),), limit=2)
    first = await store.query(query)
    assert first.next == (20, "20", "ann")
    await store.write("things", Create(thing("15", n=15)))
    await store.write("things", Create(thing("25", n=25)))
    assert await ids(store, replace(query, after=first.next, limit=9)) == ["25", "30", "40"]
    last = await store.query(replace(query, after=first.next, limit=3))
    assert last.next is None


async def test_offset_counts_from_the_start(store: DocumentStore) -> None:
    for number in range(7):
        await store.write("things", Create(thing(str(number), n=number)))
    query = replace(ALL, sort=(Sort("n", True),), offset=3)
    assert await ids(store, query) == ["3", "2", "1"]
    assert await ids(store, replace(query, offset=9)) == []
    assert await store.count(query) == 7


async def test_documents_without_the_sort_field_are_left_out(store: DocumentStore) -> None:
    await store.write("things", Create(thing("1", n=1)))
    await store.write("things", Create(thing("2")))
    await store.write("things", Create(thing("3", n=None)))
    for sort in (Sort("n"), Sort("n", True)):
        assert await ids(store, replace(ALL, sort=(sort,))) == ["1"]


async def test_service_rows_are_apart(store: DocumentStore) -> None:
    await store.write("things", Create(thing("order", n=1, created_at="1")))
    await store.write("things", Create(thing("event-b", kind="outbox", created_at="1")))
    await store.write("things", Create(thing("event-a", kind="outbox", created_at="2")))
    await store.write("things", Create(thing("hold", kind="hold", n=1)))
    assert await ids(store, ALL) == ["order"]
    assert await ids(store, replace(ALL, sort=(Sort("n"),))) == ["order"]
    assert await ids(store, replace(ALL, kind="outbox", sort=(Sort("created_at"),))) == ["event-b", "event-a"]
    assert await ids(store, Query("things", "ann", kind="hold")) == ["hold"]
    assert await store.read("things", "ann", "event-a") is not None


async def test_the_front_of_a_hierarchical_key(store: DocumentStore) -> None:
    for entity, month in [("order", "2026-01"), ("order", "2026-02"), ("orders", "2026-01"), ("user", "2026-01")]:
        row = {"id": f"{entity}-{month}", "entity": entity, "month": month, "at": month}
        await store.write("months", Create(row))
    by_time = (Sort("at", True),)
    assert await ids(store, Query("months", ("order", "2026-01"), sort=by_time)) == ["order-2026-01"]
    assert await ids(store, Query("months", ("order",), sort=by_time)) == ["order-2026-02", "order-2026-01"]
    page = await store.query(Query("months", ("order",), sort=by_time, limit=1))
    assert await ids(store, Query("months", ("order",), sort=by_time, after=page.next)) == ["order-2026-01"]
    assert await store.count(Query("months", purpose="everything")) == 4


async def test_the_slow_hint_changes_no_answer(store: DocumentStore) -> None:
    for number in range(5):
        await store.write("things", Create(thing(str(number), b=number % 2)))
    query = replace(ALL, where=Eq("b", 1))
    assert await ids(store, query) == await ids(store, replace(query, slow=True)) == ["1", "3"]
    assert await store.count(replace(query, slow=True)) == 2
    await store.write("things", Create(thing("9", b=1)))
    assert await store.count(replace(query, slow=True)) == 3

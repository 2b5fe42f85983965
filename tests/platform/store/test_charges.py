"""Request units: the published figures, and who pays."""

from __future__ import annotations

import asyncio

import pytest

from handlers.platform.store.charges import begin, charge, count_units, query_units, read_units, write_units
from handlers.platform.store.port import Create, Delete, DocumentStore, Patch, Query
from tests.platform.store.adapters import thing


@pytest.mark.parametrize(("size", "units"), [(0, 1.0), (500, 1.0), (1024, 1.0), (8192, 1.33), (131_072, 9.95)])
def test_reads_cost_what_is_published(size: int, units: float) -> None:
    assert read_units(size) == pytest.approx(units)


@pytest.mark.parametrize(("size", "units"), [(1024, 4.95), (3072, 6.48), (2_097_152, 1250), (4_194_304, 2500)])
def test_writes_cost_what_is_published(size: int, units: float) -> None:
    assert write_units(size, 0) == pytest.approx(units)


def test_more_costs_more() -> None:
    assert write_units(1024, 10) > write_units(1024, 2)
    assert write_units(1024, 4, replaces=True) > write_units(1024, 4)
    assert query_units(0, 0) == pytest.approx(2.3)
    assert query_units(20, 20_480) > query_units(1, 1024)
    assert query_units(1, 1024, partitions=3) > query_units(1, 1024)
    assert count_units(1000) > count_units(0) > 2


async def test_a_request_pays_for_its_operations_and_those_of_its_tasks(store: DocumentStore) -> None:
    charges = begin()
    await store.write("things", Create(thing(n=1)))
    after_create = charges.units
    assert 4.95 <= after_create < 7
    await asyncio.gather(*(store.read("things", "ann", "t1") for _ in range(10)))
    assert charges.units == pytest.approx(after_create + 10)
    await store.query(Query("things", "ann"))
    await store.count(Query("things", "ann"))
    await store.batch("things", "ann", [Patch("t1", increments={"n": 1}), Delete("t1")])
    assert charges.operations == 1 + 10 + 2 + 2
    assert charges.units > after_create + 10 + 4.6 + 10


async def test_requests_do_not_pay_for_each_other(store: DocumentStore) -> None:
    async def request(reads: int) -> float:
        charges = begin()
        for _ in range(reads):
            await store.read("things", "ann", "t1")
        return charges.units

    tasks = [asyncio.create_task(request(reads)) for reads in (1, 2, 3)]
    assert await asyncio.gather(*tasks) == [1, 2, 3]


def test_without_a_request_nobody_pays() -> None:
    charge(1.0)

"""Documents and periodic reading do not grow with what has happened."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from generated.containers import CONTAINERS
from handlers.orders import store as orders
from handlers.platform.bounded import AT_ONCE, FIRST, HISTORY, LATEST
from handlers.platform.clock import moment, timestamp
from handlers.platform.store.port import Create, Query
from handlers.platform.store.sqlite import SqliteStore
from handlers.shipments import changes, states, store, tracking
from handlers.shipments.changes import Cause
from tests.orders.test_process import document
from tests.shipments.test_operations import shipped_order
from tests.shipments.test_states import shipment
from tests.support.shop import Shop
from tests.support.wait import eventually

Json = dict[str, Any]

SCANS: Final = 300
# `make flows` asks for 100,000.
FINISHED: Final = int(os.environ.get("FINISHED_ORDERS", "2000"))


@pytest.mark.asyncio(loop_scope="session")
async def test_a_parcel_of_many_scans_stays_small_and_loses_none(shop: Shop) -> None:
    _, order, _ = await shipped_order(shop)
    services, order_id = shop.services, order["order_id"]
    for number in range(SCANS):
        found = await store.of_order(services.store, order_id)
        assert found is not None
        now = services.clock.now()
        after = states.moved(
            found.data, "in_transit", event_id=f"scan-{number}", occurred=now, now=now, location="Dallas, TX"
        )
        batch, _ = changes.stepped(services, found, [after], Cause("request-of-a-test"))
        await services.store.batch(store.CONTAINER, order_id, batch)
    parcel = await store.of_order(services.store, order_id)
    assert parcel is not None
    assert len(parcel.data["events"]) < FIRST + LATEST + AT_ONCE
    assert len(orjson.dumps(parcel.data)) < 20_000
    rows = await services.store.query(Query(store.CONTAINER, partition=order_id, kind=HISTORY, limit=100))
    moved = [each["event_id"] for row in rows.items for each in row.data["entries"]]
    kept = [each["event_id"] for each in parcel.data["events"]]
    assert len(moved) + len(kept) == len({*moved, *kept}) == SCANS + 1
    assert (kept[1], kept[-1]) == ("scan-0", f"scan-{SCANS - 1}")

    async def heard() -> bool:
        return len((await document(shop, order))["changes"]) >= 50

    await eventually(heard, 60)

    async def all_heard() -> bool:
        rows = await services.store.query(Query(orders.CONTAINER, partition=order["user_id"], kind=HISTORY, limit=100))
        told = sum(len(row.data["entries"]) for row in rows.items) + len((await document(shop, order))["timeline"])
        return told == SCANS + 3

    await eventually(all_heard, 60)
    known = await document(shop, order)
    assert len(known["timeline"]) < FIRST + LATEST + AT_ONCE
    assert known["timeline"][0]["stage"] == "order_placed"
    assert len(orjson.dumps(known)) < 40_000


async def test_the_carrier_scan_reads_what_is_under_way_however_much_is_done(tmp_path: Path) -> None:
    """The steps that the database takes for a scan, with few and with many finished shipments."""
    opened = SqliteStore.open(tmp_path / "shop.db", CONTAINERS)
    try:
        await add(opened, "label_created", 20)
        before = await reading(opened)
        finished = [status for status in states.STATUSES if status in states.FINAL]
        for status in finished:
            await add(opened, status, FINISHED // len(finished))
        after = await reading(opened)
    finally:
        await opened.close()
    assert (before[0], after[0]) == (20, 20)
    # Deeper trees of the index cost a few steps; to look at what is finished would cost thousands.
    assert before[1] * 0.5 < after[1] < before[1] * 1.5 + 500


async def add(opened: SqliteStore, status: states.Status, count: int) -> None:
    """Shipments of a status, each of an order of its own."""
    start = moment("2026-01-25T11:00:00.000Z")

    async def one(number: int) -> None:
        order_id = f"order-{status}-{number}"
        made = shipment(status=status, order_id=order_id, shipment_id=f"shipment-{status}-{number}")
        made |= {"id": f"shipment-{status}-{number}", "created_at": timestamp(start + timedelta(seconds=number))}
        await opened.write(store.CONTAINER, Create(made))

    for begin in range(0, count, 500):
        await asyncio.gather(*map(one, range(begin, min(begin + 500, count))))


async def reading(opened: SqliteStore) -> tuple[int, int]:
    """How many parcels a scan is given, and the steps of the database's machine for it."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection = opened._reader._inline
    connection.set_progress_handler(count, 1)
    try:
        found = [each async for each in tracking.under_way(opened)]
    finally:
        connection.set_progress_handler(None, 1)
    return len(found), steps

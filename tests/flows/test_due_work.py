"""What is due is found without reading what is done: watchdog and reconciliation beside very many finished orders.

`FINISHED_ORDERS`: how many; 100,000 in `make flows`, a few in the tests.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from handlers.orders import store as orders
from handlers.orders.watchdog import Watchdog
from handlers.payments import process, rules, store
from handlers.payments.check_overdue import check_overdue
from handlers.payments.reconcile import Rounds, reconcile
from handlers.platform.clock import timestamp
from handlers.platform.store.port import Query, Upsert
from tests.support.paying import Paying, cause, payable, paying

FINISHED: Final = int(os.environ.get("FINISHED_ORDERS", "2000"))
AT_ONCE: Final = 500
TURNS: Final = 15
# What is read is counted exactly; the time of the queries may be another process's in part. A scan of 100,000 orders
# takes a hundred times as long.
SLOWER: Final = 4.0
SLACK: Final = 0.05  # seconds

pytestmark = pytest.mark.timeout(120 + FINISHED // 100)

Json = dict[str, Any]


@pytest.fixture
async def till(tmp_path: Path, redis_url: str) -> AsyncIterator[Paying]:
    """A shop that pays at a stand-in, and whose jobs turn when the test says so."""
    async with paying(tmp_path, redis_url, ROLE="crud") as opened:
        yield opened


async def finish(till: Paying, count: int) -> None:
    """So many orders that are completed and paid, each with the look-up, payment and claim that stay behind."""
    now = till.services.clock.now()

    async def one(number: int) -> None:
        order = payable(order_id=f"order-done-{number:06d}")
        when = timestamp(now - timedelta(minutes=number % 100_000))
        payment = rules.new_payment(order, f"pi_done_{number}", cause(), when, "succeeded") | {"paid_at": when}
        await store.open_payment(till.services.store, payment)
        done = {"id": order.order_id, "order_id": order.order_id, "user_id": order.user_id, "email": "dana@example.com"}
        states = {"status": "completed", "payment_status": "paid", "fulfillment_status": "delivered"}
        document = {**done, **states, "created_at": when, "deadline_at": None}
        await till.services.store.write(orders.CONTAINER, Upsert(document))

    for first in range(0, count, AT_ONCE):
        await asyncio.gather(*(one(number) for number in range(first, min(first + AT_ONCE, count))))


async def due(till: Paying) -> None:
    """Ten open payments and ten deadlines: the same work, whatever else there is."""
    for number in range(10):
        await process.prepare(till.services, payable(), cause())
        await orders.watch(till.services.store, f"order-due-{number}", "user-1", till.services.clock.now())


async def cost(till: Paying, turn: Callable[[], Awaitable[object]], monkeypatch: pytest.MonkeyPatch) -> Json:
    """What a turn reads, and how long its queries take at best of several. Its writes are the disk's affair."""
    read: list[int] = []
    seconds = 0.0
    query = till.services.store.query

    async def counting(wanted: Query) -> Any:
        nonlocal seconds
        began = time.perf_counter()
        page = await query(wanted)
        seconds += time.perf_counter() - began
        read.append(len(page.items))
        return page

    times = []
    with monkeypatch.context() as patch:
        patch.setattr(till.services.store, "query", counting)
        for _ in range(TURNS):
            read.clear()
            till.services.room(Rounds).after.clear()
            seconds = 0.0
            await turn()
            times.append(seconds)
    return {"queries": len(read), "documents": sum(read), "seconds": round(min(times), 6)}


async def test_what_is_done_costs_nothing(
    till: Paying, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dog = Watchdog(till.services, check_payment=check_overdue)
    await dog.sweep()
    await due(till)
    till.running.clock.advance(minutes=2)
    before: dict[str, Json] = {}
    after: dict[str, Json] = {}
    for found in (before, after):
        found["reconciliation"] = await cost(till, lambda: reconcile(till.services, "job-1"), monkeypatch)
        found["watchdog"] = await cost(till, dog.sweep, monkeypatch)
        if found is before:
            await finish(till, FINISHED)
    await dog.stop()
    with capsys.disabled():
        sys.stdout.write(f"\nbeside {FINISHED} finished orders: {after}; beside none: {before}\n")
    for name, costs in after.items():
        assert (costs["queries"], costs["documents"]) == (before[name]["queries"], before[name]["documents"]), name
        assert costs["seconds"] < before[name]["seconds"] * SLOWER + SLACK, name
    assert before["reconciliation"]["documents"] == 10

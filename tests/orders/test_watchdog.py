"""The watchdog's rounds: what is due is looked at once, by one process, and nothing is passed over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from handlers.orders import store, watchdog
from handlers.orders.watchdog import Watchdog
from handlers.platform.store.port import DocumentExists, Query, StoreUnavailable
from tests.support.app import RunningApp, running_app
from tests.support.wait import eventually


@pytest.fixture
async def crud(tmp_path: Path, redis_url: str) -> AsyncIterator[RunningApp]:
    """An application without an event side, so without a watchdog of its own."""
    async with running_app(tmp_path, redis_url, ROLE="crud") as running:
        yield running


async def due(running: RunningApp, name: str, **later: float) -> None:
    """A row for an order, due later by so much."""
    moment = running.clock.now() + timedelta(**later)
    await store.watch(running.services.store, name, "user-1", moment)


async def test_what_is_due_is_looked_at_once(crud: RunningApp) -> None:
    dog = Watchdog(crud.services)
    assert await dog.sweep() == 0
    for number in range(150):
        await due(crud, f"order-{number}", minutes=5)
    await due(crud, "order-later", minutes=90)
    assert await dog.sweep() == 0
    crud.clock.advance(minutes=6)
    assert await Watchdog(crud.services).sweep() == 0  # the first has the lease
    assert await dog.sweep() == 150
    assert await dog.sweep() == 0
    await dog.stop()
    crud.clock.advance(minutes=85)
    # After an hour without anybody the next goes on where the first was.
    assert await Watchdog(crud.services).sweep() == 1


async def test_what_could_not_be_done_is_looked_at_again(crud: RunningApp, monkeypatch: pytest.MonkeyPatch) -> None:
    dog = Watchdog(crud.services)
    await dog.sweep()
    await due(crud, "order-1", minutes=5)

    async def away(*_: object) -> None:
        raise StoreUnavailable("away")

    crud.clock.advance(minutes=6)
    with monkeypatch.context() as patch:
        patch.setattr(dog, "look", away)
        assert await dog.sweep() == 0
        crud.clock.advance(minutes=20)
        assert await dog.sweep() == 0
    crud.clock.advance(minutes=3)
    assert await dog.sweep() == 1


async def test_an_order_that_cannot_be_looked_at_does_not_hold_up_the_others(
    crud: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    dog = Watchdog(crud.services)
    await dog.sweep()
    for name in ("order-1", "order-bad", "order-2"):
        await due(crud, name, minutes=5)
    look = dog.look

    async def fails(row: dict[str, Any]) -> None:
        if row["order_id"] == "order-bad":
            raise KeyError("what no order lacks")
        await look(row)

    crud.clock.advance(minutes=6)
    with monkeypatch.context() as patch:
        patch.setattr(dog, "look", fails)
        assert await dog.sweep() == 2
        await due(crud, "order-3", minutes=5)
        crud.clock.advance(minutes=6)
        assert await dog.sweep() == 1
    # Mended, it is looked at, in the bucket that it was put off to.
    crud.clock.advance(minutes=3)
    assert await dog.sweep() == 1


async def test_what_can_never_be_done_costs_the_same_at_each_sweep(
    crud: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is put off from bucket to bucket, with its reason, and further each time."""
    dog = Watchdog(crud.services)
    await dog.sweep()
    await due(crud, "order-bad", minutes=5)
    asked: list[Query] = []
    query = crud.services.store.query

    async def counting(wanted: Query) -> Any:
        asked.append(wanted)
        return await query(wanted)

    async def fails(_: dict[str, Any]) -> None:
        raise KeyError("what no order lacks")

    monkeypatch.setattr(crud.services.store, "query", counting)
    monkeypatch.setattr(dog, "look", fails)
    counts: list[int] = []
    for _ in range(4 * 60):
        crud.clock.advance(minutes=1)
        asked.clear()
        assert await dog.sweep() == 0
        counts.append(len(asked))
    assert max(counts[10:]) <= 8
    assert 6 <= dog.failed <= 12
    rows = [
        await query(Query(store.DEADLINES, store.bucket_of(crud.clock.now() + timedelta(minutes=m))))
        for m in range(-5, 90)
    ]
    [row] = [item.data for page in rows for item in page.items]
    assert (row["reason"], row["failures"]) == ("KeyError", dog.failed)


@pytest.mark.parametrize("failure", [DocumentExists("a failure"), KeyError("a defect")])
async def test_it_goes_on_after_a_failure(
    crud: RunningApp, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    monkeypatch.setattr(watchdog, "EVERY", 0.01)
    dog = Watchdog(crud.services)
    sweeps: list[int] = []

    async def sweep() -> int:
        sweeps.append(1)
        raise failure

    monkeypatch.setattr(dog, "sweep", sweep)
    dog.start()
    await eventually(lambda: len(sweeps) >= 3)
    await dog.stop()

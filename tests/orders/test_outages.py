"""Outages of our own end no healthy order: a worker or the bus that is gone for an hour or a week, a slow consumer.

The clock is moved; everything else is real. The longest outage that loses nothing is what outbox, log and deadlines
keep: seven days.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from handlers import worker
from handlers.inventory import reservations
from handlers.orders import watchdog
from handlers.orders.watchdog import Watchdog, event_lag
from handlers.platform import relay
from handlers.platform.event_lag import ALARM
from infra.local.stripe.faults import Fault
from tests.orders.test_orders import placed
from tests.orders.test_process import document, levels, until
from tests.payments.test_operations import confirm, prepared
from tests.support.app import time_passes
from tests.support.shop import Shop, running_shop
from tests.support.shopper import Shopper, guest, priced
from tests.support.wait import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]
STEP: Final = 30  # seconds: the watchdog looks at least once a minute while it lives
UNITS: Final = 50


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> AsyncIterator[Shop]:
    """A shop whose worker comes and goes: its processes answer requests only."""
    folder: Path = tmp_path_factory.mktemp("outages")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watchdog, "EVERY", 3600.0)  # it looks at its start, and then when a test says so
        # An hour of the clock takes a second here, so what relays note every 2 s of real time has to be quicker too.
        patch.setattr(relay, "SAVE_SECONDS", 0.02)
        async with running_shop(folder, redis_url, ROLE="crud") as opened:
            yield opened


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def signed_in(shop: Shop) -> None:
    """The administrator, again: the tests move the clock."""
    await shop.sign_in()


@asynccontextmanager
async def working(shop: Shop) -> AsyncIterator[Watchdog]:
    """A worker from its start to its end, which knows nothing but what the one before it has written; its watchdog."""
    shop.services._rooms.pop(event_lag, None)
    made = worker.event_worker(shop.services)
    await made.start()
    try:
        dog = next(job for job in made._jobs if isinstance(job, Watchdog))
        await eventually(lambda: "measured_at" in dog._lease.note and dog._lag.measured_at is not None)
        await dog.sweep()
        yield dog
    finally:
        await made.stop()


async def order(shop: Shop, product: Json) -> tuple[Shopper, Json]:
    """A guest orders one unit, to be paid with a new card."""
    shopper = await guest(shop)
    await shopper.has(product)
    return shopper, await placed(shopper, email="dana@example.com")


async def goes_by(shop: Shop, dog: Watchdog, *, minutes: int) -> None:
    """Time goes by while the watchdog lives."""
    for _ in range(0, minutes * 60, STEP):
        shop.running.clock.advance(seconds=STEP)
        await dog.sweep()
        await asyncio.sleep(0.01)


async def still(shop: Shop, dog: Watchdog, orders: list[Json], status: str) -> None:
    """All orders reach a status, and are there after some more sweeps."""
    for each in orders:
        await until(shop, each, status)
    await goes_by(shop, dog, minutes=2)
    assert {(await document(shop, each))["status"] for each in orders} == {status}


async def ends_in_time(shop: Shop, dog: Watchdog, orders: list[Json]) -> None:
    """Each has its full time after the outage, and no more."""
    await goes_by(shop, dog, minutes=25)
    assert {(await document(shop, each))["status"] for each in orders} == {"awaiting_payment"}
    await ends(shop, dog, orders, "payment_timeout")


async def ends(shop: Shop, dog: Watchdog, orders: list[Json], reason: str) -> None:
    """All orders end. The clock runs so fast here that one's events may hold up the judgement of the next."""
    for _ in range(20):
        await goes_by(shop, dog, minutes=5)
        found = [await document(shop, each) for each in orders]
        if all(each["status"] == "cancelled" for each in found):
            break
    assert [each["cancellation"]["reason"] for each in found] == [reason] * len(orders)


@pytest.mark.parametrize("hours", [1, 7 * 24 - 2])
async def test_a_worker_that_is_gone_ends_nothing(shop: Shop, hours: int) -> None:
    product = await priced(shop, 20.0, on_hand=UNITS)
    async with working(shop):
        payer, paid = await order(shop, product)
        await until(shop, paid, "awaiting_payment")
    # Paid in the moment of the outage: the answer was 200, and nobody hears of it.
    assert (await confirm(payer, await prepared(payer, paid))).status_code == 200
    unheard = [(await order(shop, product))[1] for _ in range(3)]
    shop.running.clock.advance(hours=hours)
    async with working(shop) as dog:
        await still(shop, dog, [paid], "processing")
        await still(shop, dog, unheard, "awaiting_payment")
        await ends_in_time(shop, dog, unheard)


async def test_a_worker_that_comes_and_goes_ends_nothing(shop: Shop) -> None:
    """Shorter lives than the backlog: each time the deadlines begin anew."""
    product = await priced(shop, 20.0, on_hand=UNITS)
    orders = [(await order(shop, product))[1] for _ in range(2)]
    for _ in range(4):
        shop.running.clock.advance(minutes=31)
        async with working(shop):
            pass
    async with working(shop) as dog:
        await still(shop, dog, orders, "awaiting_payment")
        await ends_in_time(shop, dog, orders)


@contextmanager
def locked(shop: Shop) -> Iterator[None]:
    """The event log takes no writes: nothing is published, no checkpoint saved."""
    connection = sqlite3.connect(shop.services.settings.data_dir / "events.sqlite3", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


async def test_a_bus_that_is_gone_for_an_hour_ends_nothing(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    product = await priced(shop, 20.0, on_hand=UNITS)
    async with working(shop) as dog:
        payer, paid = await order(shop, product)
        await until(shop, paid, "awaiting_payment")
        intent = await prepared(payer, paid)
        await dog.sweep()
        with locked(shop):
            assert (await confirm(payer, intent)).status_code == 200
            unheard = [(await order(shop, product))[1] for _ in range(3)]
            await goes_by(shop, dog, minutes=60)
            assert {(await document(shop, each))["status"] for each in unheard} == {"pending"}
            suspended = shop.services.room(event_lag).seconds_behind()
        assert suspended > ALARM.total_seconds()
        assert "no deadline is judged: the event side is behind" in caplog.messages
        assert "deadlines_suspended_seconds" in shop.services.telemetry.render().decode()
        await still(shop, dog, [paid], "processing")
        await still(shop, dog, unheard, "awaiting_payment")
        await ends_in_time(shop, dog, unheard)


async def test_a_slow_consumer_ends_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    product = await priced(shop, 20.0, on_hand=UNITS)
    awake, reserve = asyncio.Event(), reservations.reserve

    async def slowly(*given: Any) -> None:
        await awake.wait()
        await reserve(*given)

    monkeypatch.setattr(reservations, "reserve", slowly)
    async with working(shop) as dog:
        orders = [(await order(shop, product))[1] for _ in range(3)]
        await goes_by(shop, dog, minutes=60)
        assert {(await document(shop, each))["status"] for each in orders} == {"pending"}
        awake.set()
        await still(shop, dog, orders, "awaiting_payment")
        await ends_in_time(shop, dog, orders)


async def test_an_order_whose_event_is_lost_ends_after_its_time(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """It should never happen. The event counts as handled, so nothing waits for it, and the stock is free again."""
    product = await priced(shop, 20.0, on_hand=UNITS)

    async def forgets(*_: Any) -> None:
        return

    monkeypatch.setattr(reservations, "reserve", forgets)
    async with working(shop) as dog:
        _, lost = await order(shop, product)
        await asyncio.sleep(0.5)
        await goes_by(shop, dog, minutes=4)
        assert (await document(shop, lost))["status"] == "pending"
        await ends(shop, dog, [lost], "process_timeout")
    assert await levels(shop, product) == (UNITS, 0)


async def test_while_the_provider_is_unavailable_no_unpaid_order_ends(shop: Shop) -> None:
    product = await priced(shop, 20.0, on_hand=UNITS)
    async with working(shop) as dog:
        payer, due = await order(shop, product)
        await until(shop, due, "awaiting_payment")
        await prepared(payer, due)
        shop.stripe.faults.add(Fault("reset_before", times=10_000))
        time_passes(shop.running, minutes=31)
        await dog.sweep()
        assert dog.put_off == 1
        assert (await document(shop, due))["status"] == "awaiting_payment"
        shop.stripe.faults.clear()
        await ends(shop, dog, [due], "payment_timeout")

"""Checkouts in one process with everything in it (role `all`), as `make run` has it: how many, and how fast they end.

A checkout is a unit put into the cart and the order of it, two requests; its time is that of both. What follows from an
order (stock, payment, shipment, with the provider's webhooks) happens in the same process meanwhile.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from generated.containers import CONTAINERS
from handlers.orders.store import of_user
from handlers.payment_methods import store as payment_methods
from handlers.platform.store.port import Eq, Query
from handlers.platform.store.sqlite import SqliteStore
from tests.load.drive import Sample, Track, pace, saturate
from tests.load.paying import stand_in
from tests.load.report import Check, Line
from tests.load.seed import settings_of
from tests.load.servers import Server, running
from tests.load.session import Session
from tests.load.shoppers import SHOPPERS, Shoppers, fill

CALLERS: Final = 16
RATE: Final = 50.0  # orders a second
FLOOR: Final = 150.0  # checkouts a second
CHECKOUT_MS: Final = 250.0
PROCESS_SECONDS: Final = 1.0
_DRAINED_SECONDS: Final = 60.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Shop:
    """What is measured: the server with its documents in `folder`, the shoppers, their saved `cards` by number."""

    session: Session
    server: Server
    folder: Path
    shoppers: Shoppers
    cards: list[str]


def checkout(session: Session) -> None:
    """Measures checkouts and the order process; adds what it found."""
    folder = session.room("checkout")
    shoppers = Shoppers(settings_of(folder), 64 if session.quick else SHOPPERS)
    session.say(f"shop with {shoppers.count} shoppers, each with a saved card")
    fill(folder)
    with stand_in() as stripe, running("ours", session, folder, role="all", **stripe.environ) as server:
        shop = _Shop(session, server, folder, shoppers, _saved_cards(server, folder, shoppers))
        stripe.tell(server)
        _checkouts(shop, "checkout, new card", None)
        _checkouts(shop, "checkout, saved card", shop.cards)
        _process(shop)


def _saved_cards(server: Server, folder: Path, shoppers: Shoppers) -> list[str]:
    """Saves a card for everybody through the API; answers the ids of the methods."""
    streams = [[shoppers.save_card(number)] for number in range(shoppers.count)]
    for at in range(0, shoppers.count, CALLERS):
        _expect(server, saturate(server.address, streams[at : at + CALLERS], seconds=30, most=CALLERS), {201})

    async def ids(store: SqliteStore) -> list[str]:
        wallets = [await payment_methods.read(store, shoppers.user_id(number)) for number in range(shoppers.count)]
        return [str(wallet.default) for wallet in wallets]

    return _in_store(folder, ids)


def _checkouts(shop: _Shop, title: str, cards: list[str] | None) -> None:
    session, server = shop.session, shop.server
    rounds, seconds = (1, 1.0) if session.quick else (3, 4.0)
    runs: list[Sample] = []
    for number in range(rounds):
        streams = shop.shoppers.checkouts(CALLERS, 200 if session.quick else 1_000, cards)
        before = server.cpu_seconds()
        sample = saturate(server.address, streams, seconds=seconds, together=2)
        _expect(server, sample, {200, 201})
        behind = _in_store(shop.folder, _settled)
        # Whatever the orders lead to counts as well, also where it was done after the round.
        sample.notes["cpu"] = (server.cpu_seconds() - before) / sample.requests
        sample.notes["behind"] = behind
        runs.append(sample)
        session.say(
            f"{title}, round {number + 1} of {rounds}: {sample.rate:,.0f}/s, p95 {sample.percentile(0.95):.0f} ms, "
            f"all through {behind:.1f} s later"
        )
    rates, slow = [run.rate for run in runs], [run.percentile(0.95) for run in runs]
    values = {
        "checkouts/s": statistics.median(rates),
        "p50 ms": statistics.median(run.percentile(0.5) for run in runs),
        "p95 ms": statistics.median(slow),
        "CPU ms each, all": statistics.median(run.notes["cpu"] for run in runs) * 1e3,
        "through after s": statistics.median(run.notes["behind"] for run in runs),
    }
    findings = session.findings
    findings.lines.append(Line(f"{title}, {CALLERS} at once", "ours", values))
    if cards is not None:
        return  # for information: with the payment the provider's library and three webhooks an order come on top
    spread = (min(rates), max(rates))
    findings.checks.append(Check("checkouts a second (add + order)", values["checkouts/s"], FLOOR, "/s", spread=spread))
    check = Check("checkout, p95 at 16 at once", values["p95 ms"], CHECKOUT_MS, "ms", "at most", (min(slow), max(slow)))
    findings.checks.append(check)


def _process(shop: _Shop) -> None:
    """From the moment an order is due to be sent to `processing`, at a steady rate."""
    session, server, shoppers, folder = shop.session, shop.server, shop.shoppers, shop.folder
    orders = shoppers.count
    ahead = orders // 2
    session.say(f"{RATE:g} orders a second for {orders / RATE:.0f} s")
    filled = [[shoppers.add(number, number)] for number in range(ahead)]
    for at in range(0, ahead, CALLERS):
        some = filled[at : at + CALLERS]
        _expect(server, saturate(server.address, some, seconds=30, most=len(some)), {200})
    tracks = {
        "order": Track(
            [shoppers.order(n, n % ahead, method=shop.cards[n], notes=f"paced-{n}") for n in range(orders)], RATE
        ),
        # Each cart is filled long before its order comes.
        "add": Track([shoppers.add((n + ahead) % orders, n) for n in range(orders)], RATE),
    }
    before, began = server.cpu_seconds(), time.time()
    samples = pace(server.address, tracks, seconds=orders / RATE)
    busy = (server.cpu_seconds() - before) / (orders / RATE)
    _expect(server, samples["order"], {201})
    _expect(server, samples["add"], {200})
    _in_store(folder, _settled)
    took = _in_store(folder, lambda store: _until_processing(store, shoppers, orders, began))
    values = {f"p{share * 100:g} ms": took[min(orders - 1, int(share * orders))] * 1e3 for share in (0.5, 0.95, 0.99)}
    findings = session.findings
    findings.lines.append(Line(f"order to processing, {RATE:g}/s", "ours", {**values, "most ms": took[-1] * 1e3}))
    answers = {f"p{share * 100:g} ms": samples["order"].percentile(share) for share in (0.5, 0.95, 0.99)}
    most = {"most ms": samples["order"].latencies[-1] * 1000}
    findings.lines.append(Line(f"order to its answer, {RATE:g}/s", "ours", {**answers, **most}))
    check = Check("order to processing, p95 at 50 a second", values["p95 ms"] / 1e3, PROCESS_SECONDS, "s", "at most")
    findings.checks.append(check)
    findings.remarks.append(
        f"At {RATE:g} orders a second, with adds and webhooks beside them, the process took {busy:.0%} of its core."
    )


async def _until_processing(store: SqliteStore, shoppers: Shoppers, orders: int, began: float) -> list[float]:
    """Seconds from when each order was due to its change to `processing`, by its own history, ascending."""
    took = []
    for number in range(orders):
        async for order in of_user(store, shoppers.user_id(number)):
            if order.get("notes") == f"paced-{number}":
                took.append(_processing_at(order) - (began + number / RATE))
                break
    if len(took) != orders:
        raise RuntimeError(f"{orders - len(took)} paced orders are missing")
    return sorted(took)


def _processing_at(order: dict[str, Any]) -> float:
    moments = [change["updated_at"] for change in order["changes"] if change["status"] == "processing"]
    if not moments:
        raise RuntimeError(f"a paced order ended as {order['status']}")
    return datetime.fromisoformat(moments[0]).timestamp()


async def _settled(store: SqliteStore) -> float:
    """Seconds until no order waits for anything but its shopper or the carrier."""
    began = time.monotonic()
    # A saved card is charged from `awaiting_payment` too: there only orders with a new card may stay.
    while time.monotonic() - began < _DRAINED_SECONDS:
        if not await _under_way(store):
            return time.monotonic() - began
        await asyncio.sleep(0.1)
    raise RuntimeError(f"orders are under way after {_DRAINED_SECONDS:g} s")


async def _under_way(store: SqliteStore) -> bool:
    query = Query("orders", where=Eq("status", "pending"), purpose="staff_orders")
    if await store.count(query):
        return True
    waiting = Query("orders", where=Eq("status", "awaiting_payment"), purpose="staff_orders", limit=1000)
    while True:
        page = await store.query(waiting)
        if any(item.data["payment"]["choice"] == "saved_method" for item in page.items):
            return True
        if page.next is None:
            return False
        waiting = replace(waiting, after=page.next)


def _in_store(folder: Path, work: Callable[[SqliteStore], Awaitable[T]]) -> T:
    """The server's store, read from here."""

    async def run() -> T:
        store = SqliteStore.open(folder / "documents.sqlite3", CONTAINERS)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run())


def _expect(server: Server, sample: Sample, statuses: set[int]) -> None:
    if set(sample.statuses) - statuses:
        output = server.output.read_text()[-2000:]
        raise RuntimeError(f"checkout: {server.name} answered {dict(sample.statuses)}\n{output}")

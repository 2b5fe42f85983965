"""Reservations of one product that everybody orders, by workers on the Cosmos DB stand-in at a given latency.

Each worker has its own store, consumer and part of the orders, as two processes have; both share the processor, so a
rate without latency is that of the SDK and the stand-in on one core. `python -m tests.load.hot_product [orders]`.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import orjson

from generated.containers import CONTAINERS
from handlers.inventory import store as stock_store
from handlers.inventory.events import on_order_created
from handlers.parts import event_services
from handlers.platform.bus.port import Batch, Received
from handlers.platform.consumer import Consumer
from handlers.platform.dead_letters import DeadLetters
from handlers.platform.events import ID, TYPE, EventContract
from handlers.platform.store.cosmos import CosmosStore
from handlers.platform.store.cosmos_connection import Account
from handlers.platform.store.cosmos_indexing import definition
from handlers.platform.store.port import DocumentStore, Json, Query
from infra.local.cosmos.auth import WELL_KNOWN_KEY
from infra.local.cosmos.server import Server
from infra.local.cosmos.transport import InProcessTransport
from tests.load.apart import run_apart
from tests.load.report import Check, Line
from tests.load.session import Session
from tests.support.app import settings_for

GROUP: Final = "inventory-reservation-validation"
TOPIC: Final = "order-events"
WORKERS: Final = 2
PARTITIONS: Final = 4  # of the topic, shared by the workers
DELIVERY: Final = 64  # messages a partition is given at once
LATENCIES: Final = (0.0, 0.005, 0.012)  # seconds
FLOOR: Final = 50.0  # reservations a second at 5 ms
PRODUCT: Final = "product-hot"
VARIANT: Final = "variant-hot"
_DATABASE: Final = "hot"
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class HotFigures:
    """What became of the orders; `conflicts`: refusals with 449; `events`: of the stock level."""

    orders: int
    seconds: float
    reserved: int
    refused: int
    dead: int
    events: int
    conflicts: int

    @property
    def rate(self) -> float:
        """Orders decided a second."""
        return self.orders / self.seconds


def hot_product(session: Session) -> None:
    """Measures in a process on the servers' core; adds what it found."""
    session.say("hot product: reservations of one product, two workers, by the store's latency")
    for found in run_apart(session, "tests.load.hot_product", "120" if session.quick else "600"):
        figures, latency = HotFigures(**found["figures"]), found["latency"]
        values = {"orders/s": figures.rate, "dead letters": float(figures.dead), "level events": float(figures.events)}
        session.findings.lines.append(Line(f"one hot product, store at {latency * 1000:g} ms", "ours", values))
        if latency == LATENCIES[1]:
            title = "reservations of one product at 5 ms"
            session.findings.checks.append(Check(title, figures.rate, FLOOR, "/s"))


async def reserve_all(
    folder: Path, orders: int, on_hand: int, *, latency: float = 0.0, write: float = 0.0, copies: int = 1
) -> tuple[HotFigures, Json, list[Json]]:
    """Orders of one unit each, `copies` of each event; answers the figures, the stock, and the rows beside it."""
    server = Server(f"https://hot-{next(_numbers)}.invalid:443/", time.time)
    server.provide(_DATABASE, [definition(container) for container in CONTAINERS.values()])
    stores = [_store(server) for _ in range(WORKERS)]
    try:
        card = stock_store.card(PRODUCT, "active", [VARIANT], as_of="2026-01-25T10:45:00.000Z")
        stock = stock_store.stock(PRODUCT, VARIANT, "HOT-1", on_hand, "2026-01-25T10:45:00.000Z")
        await stock_store.open_stocks(stores[0], card, [stock])
        server.pace.latency, server.pace.write = latency, write
        workers = [_worker(folder, store) for store in stores]
        messages = [_message(number) for number in range(orders) for _ in range(copies)]
        started = time.perf_counter()
        await asyncio.gather(
            *(_deliver(workers[at % WORKERS], at, messages[at::PARTITIONS]) for at in range(PARTITIONS))
        )
        seconds = time.perf_counter() - started
        server.pace.latency = server.pace.write = 0.0
        found = await stock_store.read_stock(stores[0], PRODUCT, VARIANT)
        assert found is not None
        rows = await _rows(stores[0])
        ends = [row["state"] for row in rows if row["kind"] == "hold" and "variant_id" not in row]
        told = sum(row["topic"] == "inventory-events" and row["partition_key"] == PRODUCT for row in _events(rows))
        figures = HotFigures(
            orders=orders,
            seconds=seconds,
            reserved=ends.count("reserved"),
            refused=ends.count("refused"),
            dead=sum(worker.counts.buried for worker in workers),
            events=told,
            conflicts=server.pace.conflicts,
        )
        return figures, found.data, rows
    finally:
        for each in stores:
            await each.close()


def _store(server: Server) -> CosmosStore:
    account = Account(server.url, _DATABASE, WELL_KNOWN_KEY)
    return CosmosStore(account, CONTAINERS, transport=InProcessTransport(server))


def _worker(folder: Path, store: DocumentStore) -> Consumer:
    services = event_services(settings_for(folder, None), store=store)
    handler = partial(on_order_created, services=services)
    return Consumer(GROUP, {"OrderCreated": handler}, EventContract.load(), DeadLetters(store))


async def _deliver(worker: Consumer, partition: int, messages: Sequence[Received]) -> None:
    for start in range(0, len(messages), DELIVERY):
        await worker.deliver(Batch(GROUP, TOPIC, partition, messages[start : start + DELIVERY], asyncio.Event()))


async def _rows(store: DocumentStore) -> list[Json]:
    """The service rows beside the stock."""
    found: list[Json] = []
    for kind in ("hold", "outbox"):
        page = await store.query(Query(stock_store.CONTAINER, PRODUCT, kind=kind, limit=10_000))
        found += [item.data for item in page.items]
    return found


def _events(rows: Sequence[Json]) -> list[Json]:
    return [row for row in rows if row["kind"] == "outbox"]


def _message(number: int) -> Received:
    order_id = f"order-hot-{number}"
    event_id = f"event-hot-{number}"
    envelope = {
        "event_id": event_id,
        "event_type": "OrderCreated",
        "event_version": "1.0",
        "timestamp": "2026-01-25T10:45:00.000Z",
        "source": "crud-service",
        "data": {**_template(), "order_id": order_id},
        "correlation_id": f"request-{number}",
        "causation_id": f"request-{number}",
    }
    attributes = {ID: event_id, TYPE: "com.holidaypeakhub.OrderCreated.v1"}
    return Received(TOPIC, 0, number + 1, order_id, orjson.dumps(envelope), attributes, time.time())


@cache
def _template() -> dict[str, Any]:
    """The data of the contract's own example, of one unit of the hot product."""
    document = orjson.loads((Path(__file__).parents[2] / "generated" / "asyncapi.json").read_bytes())
    example: dict[str, Any] = document["components"]["messages"]["OrderCreated"]["examples"][0]["payload"]["data"]
    line = {**example["items"][0], "product_id": PRODUCT, "variant_id": VARIANT, "sku": "HOT-1", "quantity": 1}
    return {**example, "items": [line]}


async def _measure(orders: int) -> list[Json]:
    found = []
    for latency in LATENCIES:
        with tempfile.TemporaryDirectory() as folder:
            figures, _, _ = await reserve_all(Path(folder), orders, orders, latency=latency)
        found.append({"latency": latency, "figures": asdict(figures)})
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure(int(sys.argv[1]) if len(sys.argv) > 1 else 600))))

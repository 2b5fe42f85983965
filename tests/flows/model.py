"""What the random lives of orders are made of: the model of an order, events on their way, an application by hand."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final, TypeVar, cast

import httpx

from handlers.app import build_services, create_app
from handlers.contract.services import Services
from handlers.orders import saga
from handlers.orders.saga import Trigger
from handlers.parts import open_store
from handlers.platform.events import Event
from handlers.platform.logs import LineWriter
from handlers.platform.store.port import DocumentStore
from handlers.worker import find_handlers
from infra.local.demo.load import load
from infra.local.stripe.http import serving
from infra.local.stripe.server import Server
from tests.platform.chaos.faults import FaultyStore
from tests.support.app import MovableClock, RunningApp, client_of, lifespan, settings_for
from tests.support.paying import stripe_environ
from tests.support.people import Person
from tests.support.shop import Shop
from tests.support.shopper import Shopper

T = TypeVar("T")
Json = dict[str, Any]
ORDERS: Final = "crud-orders"
# What each event says to an order, as the contract's descriptions have it.
TRIGGERS: Final[dict[str, Trigger]] = {
    "InventoryReserved": "stock_reserved",
    "InventoryReservationFailed": "stock_refused",
    "PaymentProcessed": "payment_received",
    "PaymentPending": "payment_pending",
    "PaymentAttemptFailed": "payment_declined",
    "PaymentFailed": "payment_failed",
    "ShipmentScheduled": "shipment_scheduled",
    "ShipmentRejected": "shipment_refused",
    "ShipmentCancelled": "shipment_cancelled",
    "DeliveryCompleted": "delivery_completed",
    "ETAUpdated": "arrival_estimated",
}
PARCEL: Final[dict[str, Trigger]] = {
    "picked_up": "parcel_moving",
    "in_transit": "parcel_moving",
    "delivered": "parcel_arrived",
    "exception": "parcel_held_up",
    "returned": "parcel_returned",
}


@dataclass(slots=True)
class Model:
    """An order as the table says that it is."""

    order: Json
    shopper: Shopper
    person: Person | None
    status: saga.Status = "pending"
    payment: saga.PaymentStatus = "pending"
    fulfillment: saga.FulfillmentStatus = "pending"
    told: list[str] = field(default_factory=lambda: ["OrderCreated"])
    intent: str = ""

    def hear(self, trigger: Trigger, *, handed_over: bool) -> None:
        """One step of the table. `handed_over`: the parcel could not be called off any more."""
        step = saga.step(self.status, self.payment, trigger)
        if handed_over and step.status == "cancelled":
            step = saga.step_of_handed_over(self.status, self.payment, trigger)
        self.status = step.status
        self.payment = step.payment or self.payment
        self.fulfillment = step.fulfillment or self.fulfillment
        self.told += step.emits


@dataclass(slots=True)
class Delivery:
    """An event on its way to a group."""

    group: str
    row: Json

    @property
    def event(self) -> Event[Any]:
        """As the handler receives it."""
        row = self.row
        return Event.of(row["envelope"], group=self.group, topic=row["topic"], key=row["partition_key"])

    @property
    def trigger(self) -> Trigger | None:
        """What it says to its order."""
        envelope = self.row["envelope"]
        name, data = envelope["event_type"], envelope["data"]
        if self.group != ORDERS:
            return None
        if name == "ShipmentStatusUpdated":
            return PARCEL.get(data["status"])
        if name == "RefundProcessed":
            return "refunded_in_full" if data["fully_refunded"] else "refunded_in_part"
        if name == "RefundFailed":
            return "refund_failed_in_part" if data["amount_refunded"] else "refund_failed"
        if name == "PaymentFailed" and data["failure_code"] == "abandoned":
            return "payment_abandoned"
        return TRIGGERS.get(name)


class Stage:
    """The application without an event side, whose events the test carries by hand."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.seen: Counter[str] = Counter()
        self._stack = AsyncExitStack()
        self._positions: dict[str, str] = {}
        self.run(self._open(folder, redis_url))

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine."""
        return self.loop.run_until_complete(coroutine)

    async def _open(self, folder: Path, redis_url: str) -> None:
        self.stripe: Server = await self._stack.enter_async_context(serving())
        environ = {"ROLE": "crud", "JWT_ACCESS_EXPIRY_MINUTES": "60", **stripe_environ(self.stripe)}
        chosen = settings_for(folder, redis_url, **environ)
        self.store = open_store(chosen)
        self.faulty = FaultyStore(self.store, Random(0), self.seen, rate=0.0)
        self.clock = MovableClock()
        self.services: Services = build_services(chosen, store=cast("DocumentStore", self.faulty), clock=self.clock)
        app = create_app(chosen, self.services, LineWriter(os.open(os.devnull, os.O_WRONLY)))
        await self._stack.enter_async_context(lifespan(app))
        client: httpx.AsyncClient = await self._stack.enter_async_context(client_of(app))
        await load(self.services)
        self.shop = Shop(RunningApp(app, self.services, client, self.clock), self.stripe)
        await self.shop.sign_in()
        self.handlers = find_handlers(chosen.built_in_agents)

    def close(self) -> None:
        """Ends everything."""
        self.run(self._stack.aclose())
        self.loop.close()

    async def new_rows(self) -> list[Json]:
        """Outbox rows since the call before, as the relay finds them."""
        found: list[Json] = []
        for feed in await self.store.feeds():
            while True:
                changes = await self.store.changes(feed, self._positions.get(feed), 256)
                self._positions[feed] = changes.next
                found += [each.data for each in changes.items]
                if not changes.items:
                    break
        return found


class Calm:
    """No faults for a while."""

    def __init__(self, store: FaultyStore) -> None:
        self._store = store

    def __enter__(self) -> None:
        self._rate, self._store.rate = self._store.rate, 0.0

    def __exit__(self, *_: object) -> None:
        self._store.rate = self._rate

"""What accounts do when they hear of orders: points, tiers, what is known of the customer. Guests have no account.

They play the agent crm-profile-aggregation while that is not deployed (decision 39): each order brings the customer's
profile up to date.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final
from weakref import WeakValueDictionary

from generated import events as e
from handlers.contract.services import EventServices
from handlers.platform.clock import timestamp
from handlers.platform.events import Event
from handlers.platform.store.port import Create, Document, Operation, Replace
from handlers.users import loyalty, store

AGENT: Final = "crm-profile-aggregation"

Json = dict[str, Any]


class _Turns:
    """The orders of one customer come with keys of their own, so side by side: here one after the other.

    In other processes they are a few at most, whom the document's etag keeps apart.
    """

    def __init__(self, _: EventServices) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, user_id: str) -> asyncio.Lock:
        """The lock of a customer, the same for everybody who holds it or waits for it."""
        lock = self._locks.get(user_id)
        if lock is None:
            lock = self._locks[user_id] = asyncio.Lock()
        return lock


async def on_order_created(event: Event[e.OrderCreatedData], services: EventServices) -> None:
    """Counts the order in the customer's profile, as the agent, and says so."""
    user_id = event.data["user_id"]

    async def edit(found: Document) -> list[Operation]:
        orders = loyalty.orders_count(found.data) + 1
        segments = loyalty.segments_of(orders)
        after = loyalty.profiled(found.data, orders, segments)
        data = {"user_id": user_id, "order_id": event.data["order_id"], "orders_count": orders, "segments": segments}
        row = services.outbox.follow(
            event, store.CONTAINER, after, event_type="ProfileUpdated", data=data, source=AGENT
        )
        return [Replace(after, if_match=found.etag), row]

    await _once(event, services, user_id, edit)


async def on_profile_updated(event: Event[e.ProfileUpdatedData], services: EventServices) -> None:
    """Keeps what the agent has learned. Older news than what is known changes nothing."""
    data = event.data
    user_id = data["user_id"]

    async def edit(found: Document) -> list[Operation]:
        after = loyalty.profiled(found.data, data["orders_count"], data["segments"])
        if after == found.data or data["orders_count"] < loyalty.orders_count(found.data):
            return []
        return [Replace(after, if_match=found.etag)]

    await _once(event, services, user_id, edit)


async def on_order_completed(event: Event[e.OrderCompletedData], services: EventServices) -> None:
    """Credits the points of a completed order, once; of what was refunded before, none."""
    totals = event.data["totals"]
    await _earned(event, services, totals["currency"], lambda earning: loyalty.completed(earning, totals["total"]))


async def on_refund_processed(event: Event[e.RefundProcessedData], services: EventServices) -> None:
    """Takes the points of what was refunded back, or notes it for an order that is not completed yet."""
    data = event.data
    await _earned(event, services, data["currency"], lambda earning: loyalty.refunded(earning, data["amount"]))


async def on_refund_failed(event: Event[e.RefundFailedData], services: EventServices) -> None:
    """Gives the points back of what was refunded and came back."""
    data = event.data
    await _earned(event, services, data["currency"], lambda earning: loyalty.refunded(earning, -data["amount"]))


async def _earned(event: Event[Any], services: EventServices, currency: str, change: Callable[[Json], Json]) -> None:
    """Changes what an order has earned its customer, once, with the account and its event in the same batch."""
    user_id, order_id = event.data["user_id"], event.data["order_id"]

    async def edit(found: Document) -> list[Operation]:
        row = await store.earning(services.store, user_id, order_id)
        before = row.data if row is not None else loyalty.new_earning(user_id, order_id, currency)
        after = change(before)
        kept: Operation = Replace(after, if_match=row.etag) if row is not None else Create(after)
        user = loyalty.rewarded(found.data, before, after, timestamp(services.clock.now()))
        if user["rewards"] == found.data["rewards"]:
            return [kept]
        data = {
            "user_id": user_id,
            "role": user["role"],
            "newsletter_opt_in": user["newsletter_opt_in"],
            "changed_fields": ["rewards"],
        }
        told = services.outbox.follow(event, store.CONTAINER, user, event_type="UserUpdated", data=data)
        return [kept, Replace(user, if_match=found.etag), told]

    await _once(event, services, user_id, edit)


async def _once(
    event: Event[Any], services: EventServices, user_id: str, edit: Callable[[Document], Awaitable[list[Operation]]]
) -> None:
    """Changes an account by an event, once; nothing where there is none."""

    async def build() -> list[Operation]:
        found = await store.read(services.store, user_id)
        return await edit(found) if found is not None else []

    async with services.room(_Turns).of(user_id):
        await services.inbox.once(event, store.CONTAINER, user_id, build)

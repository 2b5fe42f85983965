"""What has become of an order's reservation: one row `hold|<order>`, with its events, beside the order's first product.

    reserved    every line is held, and InventoryReserved was sent with the row
    refused     nothing is held, and InventoryReservationFailed was sent with the row
    released    nothing is held any more

The row is written last, so a handler that failed in between goes on where it was; and it ends the matter: an old
OrderCreated that is replayed after the release holds nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Literal

from handlers.contract.services import EventServices
from handlers.inventory import holds, store
from handlers.inventory.holds import KIND, Item, NotEnough
from handlers.platform.clock import timestamp
from handlers.platform.events import Event
from handlers.platform.store.port import Create, Document, Operation, Replace

AGENT: Final = "inventory-reservation-validation"
LIFE: Final = timedelta(minutes=30)  # the order's own deadline releases; this tells readers when

Json = dict[str, Any]
State = Literal["reserved", "refused", "released"]
News = tuple[str, Mapping[str, Any]]
ReleaseReason = Literal["payment_failed", "order_cancelled", "reservation_expired"]


async def reserve(services: EventServices, event: Event[Any], items: Sequence[Item]) -> None:
    """Holds every line of an order or none, and says so."""
    if await _row(services, event, items) is not None:
        return
    groups = holds.by_product(items)
    failed: list[Json] = []
    for _, lines in groups:
        try:
            await holds.hold(services, event, lines)
        except NotEnough as refused:
            failed += refused.failed
            break
    if failed:
        for _, lines in groups:
            await holds.release(services, event, lines)
        await _end(services, event, items, "refused", ("InventoryReservationFailed", {"failed_items": failed}))
        return
    expires = timestamp(services.clock.now() + LIFE)
    data = {"reservations": _units(items), "expires_at": expires}
    await _end(services, event, items, "reserved", ("InventoryReserved", data))


async def release(services: EventServices, event: Event[Any], items: Sequence[Item], reason: ReleaseReason) -> None:
    """Sets everything free that is held for an order, or was taken by a parcel that does not go."""
    row = await _row(services, event, items)
    if row is not None and row.data["state"] != "reserved":
        return
    freed: list[Json] = []
    for _, lines in holds.by_product(items):
        freed += await holds.release(services, event, lines)
    # A first attempt may have freed some of it: what was reserved is free now, whoever did it.
    told = _units(items) if row is not None else freed
    news = ("InventoryReleased", {"reason": reason, "items": told}) if told else None
    await _end(services, event, items, "released", news)


async def ship(services: EventServices, event: Event[Any], items: Sequence[Item]) -> None:
    """Takes everything off the stock that is held for an order."""
    for _, lines in holds.by_product(items):
        await holds.take(services, event, lines)


async def _row(services: EventServices, event: Event[Any], items: Sequence[Item]) -> Document | None:
    return await services.store.read(store.CONTAINER, _home(items), _row_id(event))


async def _end(
    services: EventServices, event: Event[Any], items: Sequence[Item], state: State, news: News | None
) -> None:
    """Writes the row with the event that tells of it, once for each event that was heard."""
    home, order_id = _home(items), event.data["order_id"]

    async def build() -> list[Operation]:
        found = await _row(services, event, items)
        before: Json = found.data if found is not None else {}
        if before.get("state") == state:
            return []
        row = {**before, "id": _row_id(event), "kind": KIND, "product_id": home, "order_id": order_id, "state": state}
        rows: list[Operation] = []
        if news is not None:
            told = {"order_id": order_id, **news[1]}
            rows.append(
                services.outbox.follow(event, store.CONTAINER, row, event_type=news[0], data=told, source=AGENT)
            )
        return [Replace(row, if_match=found.etag) if found is not None else Create(row), *rows]

    await services.inbox.once(event, store.CONTAINER, home, build)


def _units(items: Sequence[Item]) -> list[Json]:
    names = ("product_id", "variant_id", "sku", "quantity")
    return [{name: item[name] for name in names} for item in items]


def _home(items: Sequence[Item]) -> str:
    """The product beside which the row lies: the same for every event of an order."""
    return str(min(item["product_id"] for item in items))


def _row_id(event: Event[Any]) -> str:
    return f"{KIND}|{event.data['order_id']}"

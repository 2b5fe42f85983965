"""What has become of an order's reservation: one row `hold|<order>`, with its events, beside the order's first product.

    reserved    every line is held, and InventoryReserved was sent with the row
    refused     nothing stays held, and InventoryReservationFailed was sent with the row
    released    nothing stays held any more
    ended       the order is complete, and its parcel has taken everything

The row decides. It is created once, by whoever comes first: with the last hold that an order needs, with the refusal,
or with the release of an order that was never reserved; who comes second does what the row says. So what is set free at
the other products is set free behind the row, and a handler that failed in between goes on there. What has ended stays
for longer than an old event can be sent again, so that it holds nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Literal

from handlers.contract.services import EventServices
from handlers.inventory import holds, store
from handlers.inventory.holds import KIND, Closing, Item, NotEnough
from handlers.platform.clock import timestamp
from handlers.platform.concurrency import settled
from handlers.platform.dead_letters import TTL as DEAD_LETTER_TTL
from handlers.platform.events import Event
from handlers.platform.store.port import Create, Document, DocumentExists, Operation, Replace

AGENT: Final = "inventory-reservation-validation"
LIFE: Final = timedelta(minutes=30)  # the order's own deadline releases; this tells readers when
# An event can be sent again for as long as it is a dead letter, and then waits its turn.
ENDED_TTL: Final = DEAD_LETTER_TTL + 10 * 24 * 3600  # seconds

Json = dict[str, Any]
State = Literal["reserved", "refused", "released", "ended"]
News = tuple[str, Mapping[str, Any]]
ReleaseReason = Literal["payment_failed", "order_cancelled", "reservation_expired"]
Lines = Sequence[Item]


async def reserve(services: EventServices, event: Event[Any], items: Sequence[Item]) -> None:
    """Holds every line of an order or none, and says so."""
    last, *others = _lines(items)
    # Where one batch does it all, it is refused if the row is there: no need to look.
    state = await _state(services, event, items) if others else None
    if state is None:
        state = await _hold(services, event, items, last, others)
    if state in ("refused", "released"):
        for lines in others:
            await holds.release(services, event, lines, None)


async def release(services: EventServices, event: Event[Any], items: Sequence[Item], reason: ReleaseReason) -> None:
    """Sets everything free that is held for an order, or was taken by a parcel that does not go."""
    first, *others = _lines(items)

    def rows(found: Document | None) -> list[Operation]:
        told = {"reason": reason, "items": _units(items)}
        # What was never reserved was not told of either; of that, nobody hears.
        news = ("InventoryReleased", told) if found is not None else None
        return _rows(services, event, items, found, state="released", news=news)

    closing = Closing(_row_id(event), lambda row: row["state"] != "reserved", rows)
    await holds.release(services, event, first, closing)
    if others and await _state(services, event, items) != "ended":
        for lines in others:
            await holds.release(services, event, lines, None)


async def ship(services: EventServices, event: Event[Any], items: Sequence[Item]) -> None:
    """Takes everything off the stock that is held for an order."""
    for lines in _lines(items):
        await holds.take(services, event, lines)


async def complete(services: EventServices, event: Event[Any], items: Sequence[Item]) -> None:
    """Removes what the stock knows of an order that is complete."""
    first, *others = _lines(items)
    for lines in others:
        await holds.forget(services, event, lines, None)
    closing = Closing(
        _row_id(event),
        lambda row: row["state"] != "reserved",
        lambda found: _rows(services, event, items, found, state="ended", news=None),
    )
    await holds.forget(services, event, first, closing)


async def _hold(
    services: EventServices, event: Event[Any], items: Sequence[Item], last: Lines, others: Sequence[Lines]
) -> State | None:
    """Holds the lines, those beside the row last; answers the row's state, as far as it is worth knowing."""
    expires = timestamp(services.clock.now() + LIFE)
    news = ("InventoryReserved", {"reservations": _units(items), "expires_at": expires})
    closing = Closing(
        _row_id(event), lambda _: True, lambda found: _rows(services, event, items, found, state="reserved", news=news)
    )
    try:
        for lines in others:
            await holds.hold(services, event, lines, None)
        await holds.hold(services, event, last, closing)
    except NotEnough as refused:
        return await _refuse(services, event, items, refused.failed)
    return await _state(services, event, items) if others else None


async def _refuse(
    services: EventServices, event: Event[Any], items: Sequence[Item], failed: list[Json]
) -> State | None:
    """Writes the row with the refusal, unless another has decided; answers what holds."""
    news = ("InventoryReservationFailed", {"failed_items": failed})
    try:
        rows = _rows(services, event, items, None, state="refused", news=news)
        await settled(services.store, store.CONTAINER, _home(items), rows)
    except DocumentExists:
        return await _state(services, event, items)
    return "refused"


async def _state(services: EventServices, event: Event[Any], items: Sequence[Item]) -> State | None:
    found = await services.store.read(store.CONTAINER, _home(items), _row_id(event))
    return found.data["state"] if found is not None else None


def _rows(
    services: EventServices,
    event: Event[Any],
    items: Sequence[Item],
    found: Document | None,
    *,
    state: State,
    news: News | None,
) -> list[Operation]:
    """The row in a state, with the event that tells of it."""
    order_id, before = event.data["order_id"], found.data if found is not None else {}
    row = {
        **before,
        "id": _row_id(event),
        "kind": KIND,
        "product_id": _home(items),
        "order_id": order_id,
        "state": state,
        **({"ttl": ENDED_TTL} if state != "reserved" else {}),
    }
    events: list[Operation] = []
    if news is not None:
        told = {"order_id": order_id, **news[1]}
        events.append(services.outbox.follow(event, store.CONTAINER, row, event_type=news[0], data=told, source=AGENT))
    return [Replace(row, if_match=found.etag) if found is not None else Create(row), *events]


def _units(items: Sequence[Item]) -> list[Json]:
    names = ("product_id", "variant_id", "sku", "quantity")
    return [{name: item[name] for name in names} for item in items]


def _lines(items: Sequence[Item]) -> list[list[Item]]:
    """The lines in groups of one product, the first of which lies beside the row."""
    return [lines for _, lines in holds.by_product(items)]


def _home(items: Sequence[Item]) -> str:
    """The product beside which the row lies: the same for every event of an order."""
    return str(min(item["product_id"] for item in items))


def _row_id(event: Event[Any]) -> str:
    return f"{KIND}|{event.data['order_id']}"

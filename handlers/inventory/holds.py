"""Holds: what the stock keeps for an order, as rows `hold|<order>|<variant>` beside the stock (decisions 25, 51).

    held     units count as reserved; nobody else can order them
    taken    the parcel is booked: they have left on_hand and reserved; the row stays, so that they can come back
    (gone)   set free, or never held

Each function makes one batch for each product, with what moves the stock, the row, and the entry of the ledger. Asked
again, it finds the rows as they are and does nothing twice; a stock that falls below what is held is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from handlers.contract.services import EventServices
from handlers.inventory import ledger, store
from handlers.inventory.rules import available
from handlers.platform.clock import timestamp
from handlers.platform.concurrency import FASTER, retrying, settled
from handlers.platform.events import Event
from handlers.platform.store.port import (
    Create,
    Delete,
    Document,
    Operation,
    Replace,
)

KIND: Final = "hold"
# A hundred operations in a batch, and each line of an order takes three; a popular product is contested.
LINES: Final = 30
ATTEMPTS: Final = 12

Json = dict[str, Any]
Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an order, with the stock and the hold as they are."""

    item: Item
    stock: Document | None
    hold: Document | None

    @property
    def state(self) -> str | None:
        """`held`, `taken`, or None."""
        return self.hold.data["state"] if self.hold is not None else None


Decide = Callable[[Line], Sequence[Operation]]


class NotEnough(Exception):
    """A line cannot be held. Carries the contract's `FailedReservation` of every such line of a product."""

    def __init__(self, failed: list[Json]) -> None:
        super().__init__("not enough")
        self.failed = failed


def by_product(items: Sequence[Item]) -> list[tuple[str, list[Item]]]:
    """The lines in groups of one product, none too large for a batch, in an order that is always the same."""
    groups: dict[str, list[Item]] = {}
    for item in sorted(items, key=lambda item: (item["product_id"], item["variant_id"])):
        groups.setdefault(item["product_id"], []).append(item)
    return [
        (product, lines[start : start + LINES])
        for product, lines in groups.items()
        for start in range(0, len(lines), LINES)
    ]


async def hold(services: EventServices, event: Event[Any], items: Sequence[Item]) -> None:
    """Holds lines of one product, all or none. Raises `NotEnough`."""
    product_id = items[0]["product_id"]
    card = await store.read_card(services.store, product_id)
    sold = card is not None and card.data["status"] == "active"

    def decide(line: Line) -> Sequence[Operation]:
        if line.hold is not None:
            return ()
        assert line.stock is not None  # noqa: S101 - `_refusals` has looked
        quantity = line.item["quantity"]
        row = _row(line.item, event.data["order_id"], timestamp(services.clock.now()))
        return [Create(row), *_entry(services, event, line.stock, "reserved", reserved=quantity)]

    def check(lines: Sequence[Line]) -> None:
        failed = [each for line in lines if (each := _refusal(line, sold)) is not None]
        if failed:
            raise NotEnough(failed)

    await _moved(services, event, items, decide, check)


async def release(services: EventServices, event: Event[Any], items: Sequence[Item]) -> list[Json]:
    """Sets the lines of one product free, also those that a parcel had taken; answers those that were held or taken."""
    order_id = event.data["order_id"]

    def decide(line: Line) -> Sequence[Operation]:
        if line.hold is None:
            return ()
        gone: list[Operation] = [Delete(_row_id(order_id, line.item), if_match=line.hold.etag)]
        quantity = line.hold.data["quantity"]
        if line.stock is None:  # the variant is gone, and so are its units
            return gone
        if line.state == "held":
            return [*gone, *_entry(services, event, line.stock, "released", reserved=-quantity)]
        return [*gone, *_entry(services, event, line.stock, "restocked", on_hand=quantity)]

    lines = await _moved(services, event, items, decide)
    return [_unit(line.item, line.hold.data["quantity"]) for line in lines if line.hold is not None]


async def take(services: EventServices, event: Event[Any], items: Sequence[Item]) -> None:
    """Takes the held lines of one product off the stock: their parcel is booked. What is not held (any more) stays."""

    def decide(line: Line) -> Sequence[Operation]:
        if line.hold is None or line.stock is None or line.state != "held":
            return ()
        taken = Replace({**line.hold.data, "state": "taken"}, if_match=line.hold.etag)
        quantity = line.hold.data["quantity"]
        return [taken, *_entry(services, event, line.stock, "shipped", on_hand=-quantity, reserved=-quantity)]

    await _moved(services, event, items, decide)


async def _moved(
    services: EventServices,
    event: Event[Any],
    items: Sequence[Item],
    decide: Decide,
    check: Callable[[Sequence[Line]], None] | None = None,
) -> list[Line]:
    """Reads the lines, decides about each, writes what differs in one batch; answers the lines as they were."""
    product_id = items[0]["product_id"]

    async def attempt() -> list[Line]:
        lines = await _lines(services, event.data["order_id"], items)
        if check is not None:
            check(lines)
        operations = [operation for line in lines for operation in decide(line)]
        if operations:
            await settled(services.store, store.CONTAINER, product_id, operations)
        return lines

    return await retrying(attempt, attempts=ATTEMPTS, on=FASTER)


async def _lines(services: EventServices, order_id: str, items: Sequence[Item]) -> list[Line]:
    stocks = [(store.CONTAINER, item["product_id"], item["variant_id"]) for item in items]
    holds = [(store.CONTAINER, item["product_id"], _row_id(order_id, item)) for item in items]
    found = await services.store.read_many([*stocks, *holds])
    return [Line(*each) for each in zip(items, found[: len(items)], found[len(items) :], strict=True)]


def _refusal(line: Line, sold: bool) -> Json | None:
    """Why a line cannot be held (contract: FailedReservation), None when it can or is."""
    if line.hold is not None:
        return None
    units = available(line.stock.data) if line.stock is not None else 0
    if line.stock is None:
        reason = "unknown_variant"
    elif not sold:
        reason = "not_sold"
    elif units < line.item["quantity"]:
        reason = "out_of_stock"
    else:
        return None
    return {
        "product_id": line.item["product_id"],
        "variant_id": line.item["variant_id"],
        "requested": line.item["quantity"],
        "available": units,
        "reason": reason,
    }


def _entry(
    services: EventServices,
    event: Event[Any],
    stock: Document,
    reason: ledger.Reason,
    *,
    on_hand: int = 0,
    reserved: int = 0,
) -> list[Operation]:
    """The stock after an entry, with the event that tells of it."""
    now = timestamp(services.clock.now())
    after = ledger.moved(stock.data, on_hand=on_hand, reserved=reserved, now=now)
    row = services.outbox.follow(
        event,
        store.CONTAINER,
        after,
        event_type="StockLevelChanged",
        data=ledger.entry(stock.data, after, reason, order_id=event.data["order_id"]),
    )
    return [Replace(after, if_match=stock.etag), row]


def _row(item: Item, order_id: str, now: str) -> Json:
    return {
        "id": _row_id(order_id, item),
        "kind": KIND,
        "state": "held",
        "order_id": order_id,
        **_unit(item, item["quantity"]),
        "held_at": now,
    }


def _unit(item: Item, quantity: int) -> Json:
    return {
        "product_id": item["product_id"],
        "variant_id": item["variant_id"],
        "sku": item["sku"],
        "quantity": quantity,
    }


def _row_id(order_id: str, item: Item) -> str:
    return f"{KIND}|{order_id}|{item['variant_id']}"

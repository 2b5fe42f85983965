"""Holds: what the stock keeps for an order, as rows `hold|<order>|<variant>` beside the stock (decisions 25, 51).

    held     units count as reserved; nobody else can order them
    taken    the parcel is booked: they have left on_hand and reserved; the row stays, so that they can come back
    (gone)   set free, or the order is complete, or never held

Each function plans what an order does with the lines of one product: what moves the stock, and the rows. Asked again,
it finds the rows as they are and does nothing twice; a stock that falls below what is held is refused. `Closing` are
the rows that say what has become of the order's reservation, written in the same batch at the order's first product.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from handlers.contract.services import EventServices
from handlers.inventory import store
from handlers.inventory.movements import Move, Movements, Plan, ProductStock
from handlers.inventory.rules import available
from handlers.platform.clock import timestamp
from handlers.platform.events import Event
from handlers.platform.store.port import Create, Delete, Document, Operation, Replace

KIND: Final = "hold"
# A hundred operations in a batch, and each line of an order takes two, beside those of its end.
LINES: Final = 30
# Of a parcel whose order never completes (given back, paid back): the row must not stay for ever.
TAKEN_TTL: Final = 180 * 24 * 3600  # seconds

Json = dict[str, Any]
Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Closing:
    """How an order's reservation ends in the batch: `rows` answers what is written where the row is as given.

    `is_over` says of a row that is there that nothing is to be done any more.
    """

    row_id: str
    is_over: Callable[[Json], bool]
    rows: Callable[[Document | None], Sequence[Operation]]


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of an order, with the stock and the hold as they are."""

    item: Item
    stock: Document | None
    hold: Document | None

    @property
    def variant_id(self) -> str:
        variant_id: str = self.item["variant_id"]
        return variant_id

    @property
    def is_held(self) -> bool:
        """Held, and not taken."""
        return self.hold is not None and self.hold.data["state"] == "held"


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


async def hold(services: EventServices, event: Event[Any], items: Sequence[Item], closing: Closing | None) -> None:
    """Holds lines of one product, all or none. Raises `NotEnough`."""

    async def plan(stock: ProductStock, look: bool) -> Plan:
        sold = stock.card is not None and stock.card.data["status"] == "active"
        lines = _lines(stock, items, [None] * len(items))
        # Most events come once: rows that are there all the same refuse the batch, and are looked at then.
        if look or _refusals(lines, sold):
            lines, end = await _read(services, event, stock, items, closing)
            if closing is not None and end is not None and closing.is_over(end.data):
                return Plan(None, "reserved")
            if failed := _refusals(lines, sold):
                raise NotEnough(failed)
        else:
            end = None
        new = [line for line in lines if line.hold is None]
        now = timestamp(services.clock.now())
        rows = [Create(_row(line.item, event.data["order_id"], now)) for line in new]
        moves = tuple(Move(line.variant_id, reserved=line.item["quantity"]) for line in new)
        return Plan(None, "reserved", moves, (*rows, *(closing.rows(end) if closing is not None else ())))

    await _moved(services, event, items, plan)


async def release(services: EventServices, event: Event[Any], items: Sequence[Item], closing: Closing | None) -> None:
    """Sets the lines of one product free, also those that a parcel had taken."""

    async def plan(stock: ProductStock, _: bool) -> Plan:
        lines, end = await _read(services, event, stock, items, closing)
        if closing is not None and end is not None and closing.is_over(end.data):
            return Plan(None, "released")
        kept = [line for line in lines if line.hold is not None]
        moves = tuple(_back(line) for line in kept if line.stock is not None)
        rows = (*_gone(event, kept), *(closing.rows(end) if closing is not None else ()))
        return Plan(None, "restocked" if any(move.on_hand for move in moves) else "released", moves, rows)

    await _moved(services, event, items, plan)


async def take(services: EventServices, event: Event[Any], items: Sequence[Item]) -> None:
    """Takes the held lines of one product off the stock: their parcel is booked. What is not held (any more) stays."""

    async def plan(stock: ProductStock, _: bool) -> Plan:
        lines, _end = await _read(services, event, stock, items, None)
        held = [line for line in lines if line.is_held and line.stock is not None]
        rows = tuple(
            Replace({**line.hold.data, "state": "taken", "ttl": TAKEN_TTL}, if_match=line.hold.etag)
            for line in held
            if line.hold is not None
        )
        return Plan(None, "shipped", tuple(map(_off, held)), rows)

    await _moved(services, event, items, plan)


async def forget(services: EventServices, event: Event[Any], items: Sequence[Item], closing: Closing | None) -> None:
    """Removes the rows of an order that is complete. What is held still has left, and is only heard of later."""

    async def plan(stock: ProductStock, _: bool) -> Plan:
        lines, end = await _read(services, event, stock, items, closing)
        kept = [line for line in lines if line.hold is not None]
        moves = tuple(_off(line) for line in kept if line.is_held and line.stock is not None)
        over = closing is None or end is None or closing.is_over(end.data)
        rows = (*_gone(event, kept), *(() if over or closing is None else closing.rows(end)))
        return Plan(None, "shipped", moves, rows)

    await _moved(services, event, items, plan)


def _back(line: _Line) -> Move:
    """The units of a line for others to order again."""
    units = line.hold.data["quantity"] if line.hold is not None else 0
    return Move(line.variant_id, reserved=-units) if line.is_held else Move(line.variant_id, on_hand=units)


def _off(line: _Line) -> Move:
    """The units of a held line, gone with the parcel."""
    units = line.hold.data["quantity"] if line.hold is not None else 0
    return Move(line.variant_id, on_hand=-units, reserved=-units)


def _gone(event: Event[Any], lines: Sequence[_Line]) -> list[Operation]:
    """The rows of these lines removed."""
    order_id = event.data["order_id"]
    return [Delete(_row_id(order_id, line.item), if_match=line.hold.etag) for line in lines if line.hold is not None]


async def _moved(
    services: EventServices,
    event: Event[Any],
    items: Sequence[Item],
    plan: Callable[[ProductStock, bool], Any],
) -> None:
    variants = [item["variant_id"] for item in items]
    await services.room(Movements).move(event, items[0]["product_id"], variants, plan)


async def _read(
    services: EventServices, event: Event[Any], stock: ProductStock, items: Sequence[Item], closing: Closing | None
) -> tuple[list[_Line], Document | None]:
    """The lines with their holds, and the row of the order's reservation where that is closed here."""
    product_id, order_id = items[0]["product_id"], event.data["order_id"]
    ids = [_row_id(order_id, item) for item in items]
    more = [closing.row_id] if closing is not None else []
    found = await services.store.read_many([(store.CONTAINER, product_id, each) for each in (*ids, *more)])
    return _lines(stock, items, found[: len(ids)]), found[-1] if more else None


def _lines(stock: ProductStock, items: Sequence[Item], found: Sequence[Document | None]) -> list[_Line]:
    return [_Line(item, stock.stocks[item["variant_id"]], each) for item, each in zip(items, found, strict=True)]


def _refusals(lines: Sequence[_Line], sold: bool) -> list[Json]:
    return [each for line in lines if (each := _refusal(line, sold)) is not None]


def _refusal(line: _Line, sold: bool) -> Json | None:
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


def _row(item: Item, order_id: str, now: str) -> Json:
    return {
        "id": _row_id(order_id, item),
        "kind": KIND,
        "state": "held",
        "order_id": order_id,
        "product_id": item["product_id"],
        "variant_id": item["variant_id"],
        "sku": item["sku"],
        "quantity": item["quantity"],
        "held_at": now,
    }


def _row_id(order_id: str, item: Item) -> str:
    return f"{KIND}|{order_id}|{item['variant_id']}"

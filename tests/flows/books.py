"""The books of a shop as they lie on disk and at Stripe, and what is wrong with them.

Read past the application, which may be dead: its SQLite files, and the stand-in's own records.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from handlers.orders.saga import DEADLINES, FINAL, IN_HANDS
from handlers.payments.states import is_paid
from handlers.platform.money import minor_units

Json = dict[str, Any]
_SHIFT: Final = 40  # of a message's number: slot and sequence in one
_ALIVE: Final = {*DEADLINES, *IN_HANDS, "completed"}


@dataclass(slots=True)
class Ledger:
    """What the clients of a shop know: what they were told, and what it comes to."""

    on_hand: dict[str, int] = field(default_factory=dict)  # units at the start, by variant
    codes: list[str] = field(default_factory=list)
    told: dict[str, frozenset[str]] = field(default_factory=dict)  # acknowledged orders: the statuses they may end in


@dataclass(slots=True)
class Money:
    """What Stripe has: taken and given back in cents, by order; and orders that were charged more than once."""

    taken: Counter[str] = field(default_factory=Counter)
    returned: Counter[str] = field(default_factory=Counter)
    charges: Counter[str] = field(default_factory=Counter)


def money(intents: Sequence[Json], refunds: Sequence[Json]) -> Money:
    """Stripe's objects, added up."""
    found = Money()
    orders = {each["id"]: each["metadata"]["order_id"] for each in intents}
    for each in intents:
        if each["amount_received"]:
            found.taken[orders[each["id"]]] += each["amount_received"]
            found.charges[orders[each["id"]]] += 1
    for each in refunds:
        if each["status"] == "succeeded":
            found.returned[orders[each["payment_intent"]]] += each["amount"]
    return found


class Books:
    """The files of one shop."""

    def __init__(self, folder: Path) -> None:
        self._documents = sqlite3.connect(f"file:{folder / 'documents.sqlite3'}?mode=ro", uri=True)
        self._events = sqlite3.connect(f"file:{folder / 'events.sqlite3'}?mode=ro", uri=True)

    def close(self) -> None:
        """Closes the files."""
        self._documents.close()
        self._events.close()

    def order(self, order_id: str) -> Json | None:
        """An order as it is written."""
        row = self._documents.execute("SELECT doc FROM c_orders WHERE id = ?", (order_id,)).fetchone()
        found: Json | None = orjson.loads(row[0]) if row is not None else None
        return found

    def faults(self, ledger: Ledger, cash: Money) -> list[str]:
        """Everything that does not agree, in words; nothing once all is settled and right."""
        orders = {each["order_id"]: each for each in self._all("orders")}
        return [
            *self._of_orders(orders, ledger),
            *self._of_stock(orders, ledger),
            *_of_money(orders, {each["order_id"]: each for each in self._all("payments", type="payment")}, cash),
            *self._of_codes(orders, ledger),
            *self._of_effects(orders),
            *self._of_events(),
        ]

    def _of_orders(self, orders: dict[str, Json], ledger: Ledger) -> Iterator[str]:
        """Every acknowledged order exists, no other does, and each has an end, a deadline, or is in people's hands."""
        watched = {each["order_id"] for each in self._all("deadlines")}
        for order_id, ends in ledger.told.items():
            if order_id not in orders:
                yield f"{order_id} was acknowledged and is not there"
            elif orders[order_id]["status"] not in ends:
                yield f"{order_id} is {orders[order_id]['status']}, not {sorted(ends)}"
        for order_id, order in orders.items():
            if order_id not in ledger.told:
                yield f"{order_id} is one more than was asked for"
            if order["status"] in DEADLINES and (order["deadline_at"] is None or order_id not in watched):
                yield f"{order_id} is {order['status']} and nothing ends it"
            if order["status"] not in {*DEADLINES, *FINAL, *IN_HANDS}:
                yield f"{order_id} has no state of the table"
            if order["payment_status"] == "refund_pending":
                yield f"{order_id} still waits for its money to go back"

    def _of_stock(self, orders: dict[str, Json], ledger: Ledger) -> Iterator[str]:
        """Units on hand, sold and reserved add up to what there was; of complete orders only the end is kept."""
        holds: dict[tuple[str, str], int] = defaultdict(int)
        for each in self._all("inventory", kind="hold"):
            if "variant_id" in each:
                holds[each["variant_id"], each["state"]] += each["quantity"]
            elif each["state"] == "ended":
                for item in orders[each["order_id"]]["items"]:
                    holds[item["variant_id"], "taken"] += item["quantity"]
        stocks = {each["variant_id"]: each for each in self._all("inventory")}
        for variant, units in ledger.on_hand.items():
            stock = stocks[variant]
            if stock["on_hand"] + holds[variant, "taken"] != units:
                yield f"{variant}: {stock['on_hand']} on hand and {holds[variant, 'taken']} sold of {units}"
            if stock["reserved"] != holds[variant, "held"]:
                yield f"{variant}: {stock['reserved']} reserved, {holds[variant, 'held']} held"

    def _of_codes(self, orders: dict[str, Json], ledger: Ledger) -> Iterator[str]:
        """Each code counts the orders that stand with it."""
        redeemed = {each["code"]: each["redeemed"] for each in self._all("promo_codes")}
        for code in ledger.codes:
            standing = sum(each.get("promo_code") == code and each["status"] in _ALIVE for each in orders.values())
            if redeemed[code] != standing:
                yield f"{code} counts {redeemed[code]} uses, {standing} orders stand"

    def _of_effects(self, orders: dict[str, Json]) -> Iterator[str]:
        """Each order counts once in its customer's profile, and has one parcel if it is to go, else none."""
        placed = Counter(each["user_id"] for each in orders.values())
        for user in self._all("users"):
            counted = user.get("crm", {}).get("orders_count", 0)
            if counted != placed[user["user_id"]]:
                yield f"{user['user_id']} counts {counted} orders, not {placed[user['user_id']]}"
        parcels = Counter(each["order_id"] for each in self._all("shipments") if not each["called_off"])
        for order_id, order in orders.items():
            if parcels[order_id] != (order["status"] in IN_HANDS):
                yield f"{order_id} is {order['status']} and has {parcels[order_id]} parcels"

    def _of_events(self) -> Iterator[str]:
        """Each row of an outbox is there and published; what follows from an event follows once; none is dead."""
        log = self._log()
        published = {each["event_id"] for each in log}
        for container, owner in (("orders", "order_id"), ("payments", "order_id")):
            yield from self._of_outbox(container, owner, published)
        effects: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for each in log:
            effects[_effect(each)].add(each["event_id"])
        yield from (f"twice: {' '.join(effect)}" for effect, ids in effects.items() if len(ids) > 1)
        yield from (f"dead: {each['consumer']} {each['event_type']}" for each in self._all("dead_letters", kind=None))
        yield from self._behind()

    def _of_outbox(self, container: str, owner: str, published: set[str]) -> Iterator[str]:
        rows: dict[str, list[int]] = defaultdict(list)
        for each in self._all(container, kind="outbox"):
            rows[each["partition_key"]].append(each["sequence"])
            if each["topic"] != "audit" and each["id"] not in published:
                yield f"{each['envelope']['event_type']} of {each['partition_key']} was not published"
        for each in self._all(container):
            if each.get("type") != "refund":
                wanted = list(range(1, each.get("event_sequence", 0) + 1))
                if sorted(rows[each[owner]]) != wanted:
                    yield f"{container} {each[owner]}: events {sorted(rows[each[owner]])}, not {wanted}"

    def _behind(self) -> Iterator[str]:
        heads = dict(self._events.execute("SELECT slot, sequence FROM heads").fetchall())
        for group, slot, sequence in self._events.execute("SELECT grp, slot, sequence FROM progress"):
            if sequence < heads[slot]:
                yield f"{group} is {heads[slot] - sequence} events behind"

    def _log(self) -> list[Json]:
        return [orjson.loads(body) for (body,) in self._events.execute("SELECT body FROM messages")]

    def _all(self, container: str, *, kind: str | None = None, **fields: Any) -> list[Json]:
        rows = self._documents.execute(f"SELECT doc FROM c_{container} WHERE kind IS ?", (kind,))
        found = [orjson.loads(doc) for (doc,) in rows]
        return [each for each in found if all(each.get(name) == value for name, value in fields.items())]


def _of_money(orders: dict[str, Json], payments: dict[str, Json], cash: Money) -> Iterator[str]:
    """Money taken = orders paid − refunds, at Stripe and in our own books, order by order."""
    for order_id, order in orders.items():
        taken, returned = cash.taken[order_id], cash.returned[order_id]
        total = minor_units(order["totals"]["total"], order["totals"]["currency"])
        owed = total if order["payment_status"] == "paid" else 0
        if taken - returned != owed:
            yield f"{order_id} ({order['payment_status']}): Stripe took {taken} and returned {returned}, not {owed}"
        if cash.charges[order_id] > 1:
            yield f"{order_id} was charged {cash.charges[order_id]} times"
        payment = payments.get(order_id)
        noted = payment["amount"] - payment["refunded"] if payment is not None and is_paid(payment["status"]) else 0
        if noted != taken - returned:
            yield f"{order_id}: the books say {noted}, Stripe {taken - returned}"
    yield from (f"{order_id} was charged without an order" for order_id in cash.taken if order_id not in orders)


def _effect(envelope: Json) -> tuple[str, ...]:
    """What an event is about: of its cause it may follow once for each of these."""
    data = envelope["data"]
    return (
        envelope["event_type"],
        str(envelope["causation_id"]),
        *(str(data.get(name, "")) for name in ("order_id", "variant_id", "refund_id", "user_id")),
        str(data.get("status", data.get("reason", ""))),
    )

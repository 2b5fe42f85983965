"""The order documents: container `orders`, partition `/user_id`, items embedded (decision 26).

Known by id and number through look-ups. The id is made of the cart and its edition (`cart.store.order_id_of`), so one
edition of a cart makes one order however often it is asked for, in one batch with its event. Beside the orders lie
their outbox, inbox and idempotency rows. `deadlines` holds one row for an order that waits for something (decision 51).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from handlers.platform.clock import timestamp
from handlers.platform.patience import NotYetThere
from handlers.platform.store.claims import get_lookup, put_lookup
from handlers.platform.store.port import Document, DocumentStore, Query, Sort, Upsert

CONTAINER: Final = "orders"
DEADLINES: Final = "deadlines"
ORDER: Final = "order"
NUMBER: Final = "order_number"
DEADLINE_LIFE: Final = 7 * 24 * 3600

Json = dict[str, Any]


async def read(store: DocumentStore, user_id: str, order_id: str) -> Document | None:
    """An order of a customer or guest. One point read."""
    return await store.read(CONTAINER, user_id, order_id)


async def owner_of(store: DocumentStore, order_id: str) -> str | None:
    """Whose an order is. One point read."""
    target = await get_lookup(store, ORDER, order_id)
    return target["user_id"] if target is not None else None


async def find(store: DocumentStore, order_id: str) -> Document | None:
    """An order by its id. Two point reads."""
    user_id = await owner_of(store, order_id)
    return await read(store, user_id, order_id) if user_id is not None else None


async def proven(store: DocumentStore, order_id: str, user_id: str | None = None) -> Document:
    """The order that an event proves, by its id and, where the event knows it, its owner.

    Raises `NotYetThere` when it is not to be seen: it was written by another process, and replicas may be behind.
    """
    owner = user_id or await owner_of(store, order_id)
    found = await read(store, owner, order_id) if owner is not None else None
    if found is None:
        raise NotYetThere(f"{order_id}: an event tells of the order, and it is not to be seen")
    return found


async def of_user(store: DocumentStore, user_id: str) -> AsyncIterator[Json]:
    """Every order of a customer, newest first. One query for a hundred of them."""
    query = Query(CONTAINER, partition=user_id, sort=(Sort("created_at", descending=True),), limit=100)
    while True:
        page = await store.query(query)
        for each in page.items:
            yield each.data
        if page.next is None:
            return
        query = replace(query, after=page.next)


async def by_number(store: DocumentStore, number: str) -> Document | None:
    """An order by its number. Two point reads."""
    target = await get_lookup(store, NUMBER, number)
    found = await read(store, target["user_id"], target["order_id"]) if target is not None else None
    return found if found is not None and found.data["order_number"] == number else None


async def note_whereabouts(store: DocumentStore, order: Mapping[str, Any]) -> None:
    """Writes the look-ups of an order, before the order: one that leads nowhere harms nobody."""
    target = {"user_id": order["user_id"], "order_id": order["order_id"]}
    await put_lookup(store, ORDER, order["order_id"], target)
    await put_lookup(store, NUMBER, order["order_number"], target)


async def watch(
    store: DocumentStore, order_id: str, user_id: str, due: datetime, *, promo_code: str | None = None
) -> None:
    """Has the watchdog look at an order at a moment. May be asked again.

    `promo_code`: one whose use is about to be counted for the order; each has a row of its own.
    """
    bucket = bucket_of(due)
    row = {
        "id": f"{ORDER}|{order_id}" if promo_code is None else f"{ORDER}|{order_id}|{promo_code}",
        "bucket": bucket,
        "due_at": timestamp(due),
        "order_id": order_id,
        "user_id": user_id,
        "promo_code": promo_code,
        "ttl": DEADLINE_LIFE,
    }
    await store.write(DEADLINES, Upsert(row))


async def put_off(store: DocumentStore, row: Json, due: datetime, reason: str) -> None:
    """Moves a row that could not be done to a later bucket, with how often it has failed and why."""
    later = {**row, "bucket": bucket_of(due), "due_at": timestamp(due), "ttl": DEADLINE_LIFE}
    await store.write(DEADLINES, Upsert({**later, "failures": row.get("failures", 0) + 1, "reason": reason}))


def bucket_of(due: datetime) -> str:
    """The bucket of a moment: its minute."""
    return timestamp(due)[:16]

"""Promotions and their uses: container `promo_codes`, partition `/code`; the id of a promotion is its code.

Beside a promotion lie rows of kind `redemption`: `order|<order>` for each order that used it, and `customer|<customer>`
where it works once per customer. `redeem` and `release` are one batch each (the counter and the rows), so that no crash
and no repetition counts a use twice, and no parallel orders use more than there is.

A use is counted before its order is written. Until the moment `until` of its row an attempt to write it may be under
way; each attempt moves that moment on, and `expire` takes the use back only once the last one is over.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

from handlers.platform.concurrency import retrying
from handlers.platform.store.port import (
    And,
    Condition,
    Create,
    Delete,
    Document,
    DocumentExists,
    DocumentMissing,
    DocumentStore,
    Eq,
    Exists,
    Operation,
    OutcomeUnknown,
    Patch,
    Query,
    Range,
    Replace,
    VersionConflict,
)
from handlers.pricing import offers
from handlers.settings import Settings

CONTAINER: Final = "promo_codes"
KIND: Final = "redemption"
_AT_ONCE: Final = 90

Json = Mapping[str, Any]


async def read(store: DocumentStore, code: str) -> Document | None:
    """The promotion of a code, in letters of either case. One point read."""
    key = offers.normal(code)
    return await store.read(CONTAINER, key, key)


async def used_by(store: DocumentStore, code: str, customer_key: str) -> bool:
    """Whether a customer has used a code that works once. One point read."""
    return await store.read(CONTAINER, offers.normal(code), _customer_row(customer_key)) is not None


async def counted_for(store: DocumentStore, code: str, order_id: str) -> bool:
    """Whether the use of a code by an order is counted, placed or not. One point read."""
    return await store.read(CONTAINER, offers.normal(code), _order_row(order_id)) is not None


def customer_key(settings: Settings, user_id: str | None, email: str | None) -> str | None:
    """What a customer's uses are noted under: the account's id; for a guest a keyed hash of the address (decision 66).

    `email` is in its normal form. None while nothing is known of a guest.
    """
    if user_id is not None:
        return user_id
    if email is None:
        return None
    digest = hmac.new(settings.derived_key("promotions"), email.encode(), hashlib.sha256).hexdigest()
    return f"email-{digest[:40]}"


async def redeem(store: DocumentStore, code: str, order_id: str, customer_key: str, *, until: str = "") -> None:
    """Counts one use of a code for an order. One that is counted for it already is kept, until `until` at least.

    `until`: when the attempt to place the order has ended at the latest. Raises `Problem` 422: `promo_code_unknown`,
    `promo_code_exhausted`, `promo_code_used`. Time and minimum were looked at when the order was priced.
    """
    key = offers.normal(code)

    async def attempt() -> None:
        if await _kept(store, key, order_id, until):
            return
        found = await read(store, key)
        if found is None or not found.data["active"]:
            raise offers.refused("promo_code_unknown", key)
        if offers.is_exhausted(found.data):
            raise offers.refused("promo_code_exhausted", key)
        try:
            await store.batch(CONTAINER, key, _redemption(found.data, order_id, customer_key, until))
        except DocumentExists:
            await _explain(store, key, order_id, customer_key)

    # The counter of a popular code is contended; OutcomeUnknown is settled by the row of the order.
    await retrying(attempt, attempts=10, on=(VersionConflict, DocumentMissing, OutcomeUnknown))


async def release(store: DocumentStore, code: str, order_id: str) -> None:
    """Takes the use of a code by an order back. Nothing happens when there is none (any more).

    For an order that has ended, or that can never be written with this code.
    """
    await _taken_back(store, code, order_id, None)


async def expire(store: DocumentStore, code: str, order_id: str, due: str) -> None:
    """Takes the use of an order back that was not written by a moment, unless a later attempt to write it has begun."""
    await _taken_back(store, code, order_id, due)


async def _taken_back(store: DocumentStore, code: str, order_id: str, due: str | None) -> None:
    key = offers.normal(code)

    async def attempt() -> None:
        row = await store.read(CONTAINER, key, _order_row(order_id))
        if row is None or (due is not None and _until(row) > due):
            return
        operations: list[Operation] = [Delete(row.data["id"], if_match=row.etag)]
        if row.data["once"]:
            operations.append(Delete(_customer_row(row.data["customer_key"])))
        if await read(store, key) is not None:
            operations.append(Patch(key, increments={"redeemed": -1}, condition=Range("redeemed", ge=1)))
        await store.batch(CONTAINER, key, operations)

    await retrying(attempt, attempts=10, on=(VersionConflict, DocumentMissing, OutcomeUnknown))


async def forget_uses(store: DocumentStore, code: str) -> None:
    """Removes the rows of a promotion that is gone, so that a new one with its code begins afresh."""
    query = Query(CONTAINER, partition=code, kind=KIND, limit=_AT_ONCE)
    while rows := (await store.query(query)).items:
        await store.batch(CONTAINER, code, [Delete(row.data["id"]) for row in rows])


async def _kept(store: DocumentStore, key: str, order_id: str, until: str) -> bool:
    """Whether the use of an order is counted; if so, no attempt takes it back before `until`."""
    row = await store.read(CONTAINER, key, _order_row(order_id))
    if row is not None and _until(row) < until:
        await store.write(CONTAINER, Replace({**row.data, "until": until}, if_match=row.etag))
    return row is not None


def _until(row: Document) -> str:
    """When the last attempt to place the order is over; rows from before there was such a moment know of none."""
    return str(row.data.get("until", ""))


def _redemption(promotion: Json, order_id: str, customer_key: str, until: str) -> list[Operation]:
    code, once = promotion["code"], promotion["once_per_customer"]
    row = {"code": code, "kind": KIND, "order_id": order_id, "customer_key": customer_key, "once": once}
    operations: list[Operation] = [
        Patch(code, increments={"redeemed": 1}, condition=_as_read(promotion)),
        Create({**row, "id": _order_row(order_id), "until": until}),
    ]
    if once:
        operations.append(Create({**row, "id": _customer_row(customer_key)}))
    return operations


def _as_read(promotion: Json) -> Condition:
    """The promotion still says what was decided by, and there is budget left. Its counter may have moved."""
    conditions: list[Condition] = [Eq("active", True), Eq("once_per_customer", promotion["once_per_customer"])]
    budget = promotion.get("max_redemptions")
    if budget is None:
        conditions.append(Exists("max_redemptions", present=False))
    else:
        conditions += [Eq("max_redemptions", budget), Range("redeemed", lt=budget)]
    return And(tuple(conditions))


async def _explain(store: DocumentStore, code: str, order_id: str, customer_key: str) -> None:
    """A row was there: this order's, then all is well; or the customer's of another order."""
    if await counted_for(store, code, order_id):
        return
    if await used_by(store, code, customer_key):
        raise offers.refused("promo_code_used", code)
    raise VersionConflict("a use was released in the same moment")


def _order_row(order_id: str) -> str:
    return f"order|{order_id}"


def _customer_row(customer_key: str) -> str:
    return f"customer|{customer_key}"

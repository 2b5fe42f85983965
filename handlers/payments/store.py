"""Payments and refunds: container `payments`, partition `/order_id`, the id is the intent's or the refund's.

The row `claim|<order>` is written with a payment, so that an order has one. `refund_held` on the payment counts what
all refunds that have not failed take together; a conditional patch keeps it within what was paid.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from handlers.platform.concurrency import retrying, settled
from handlers.platform.store.port import (
    Create,
    Document,
    DocumentExists,
    DocumentMissing,
    DocumentStore,
    Eq,
    Operation,
    OutcomeUnknown,
    Page,
    Patch,
    Query,
    Range,
    Replace,
    Scalar,
    Sort,
    VersionConflict,
)

CONTAINER: Final = "payments"
CLAIM: Final = "claim"
RECONCILIATION: Final = "payment_reconciliation"
_MAX_OF_ORDER: Final = 200

Json = dict[str, Any]
# Changes the payment and the documents named in place; answers which of them to write, and rows to write with them.
Edit = Callable[[Json, dict[str, Json]], tuple[Sequence[str], Sequence[Operation]]]


async def read(store: DocumentStore, order_id: str, id: str) -> Json | None:
    """A payment or refund of an order."""
    found = await store.read(CONTAINER, order_id, id)
    return found.data if found is not None else None


async def of_order(store: DocumentStore, order_id: str) -> list[Json]:
    """The payment of an order and its refunds, in no order."""
    page = await store.query(Query(CONTAINER, partition=order_id, limit=_MAX_OF_ORDER))
    return [each.data for each in page.items]


async def payment_of(store: DocumentStore, order_id: str) -> Json | None:
    """The payment of an order, once it was prepared."""
    claim = await store.read(CONTAINER, order_id, _claim_id(order_id))
    return await read(store, order_id, claim.data["payment"]) if claim is not None else None


async def open_payment(store: DocumentStore, payment: Json, *rows: Operation) -> Json:
    """Writes the payment of an order, unless it has one; answers the one it has."""
    order_id = payment["order_id"]
    claim = {"id": _claim_id(order_id), "kind": CLAIM, "order_id": order_id, "payment": payment["id"]}
    try:
        await store.batch(CONTAINER, order_id, [Create(claim), Create(payment), *rows])
    except (DocumentExists, OutcomeUnknown):
        found = await payment_of(store, order_id)
        if found is None:
            raise
        return found
    return payment


async def change(
    store: DocumentStore, order_id: str, payment_id: str, edit: Edit, *, also: Sequence[str] = ()
) -> tuple[Json, dict[str, Json]]:
    """Lets `edit` change a payment and, in the same batch, the documents `also`; answers all as they are now.

    `edit` is asked again when another writer was faster; nothing is written when it answers nothing. Raises
    `DocumentMissing`, and `VersionConflict` when they stay contested.
    """

    async def attempt() -> tuple[Json, dict[str, Json]]:
        found = {each: await _need(store, order_id, each) for each in (payment_id, *also)}
        payment = found[payment_id].data
        others = {each: found[each].data for each in also}
        names, rows = edit(payment, others)
        writes = [Replace(found[each].data, if_match=found[each].etag) for each in names]
        if writes or rows:
            await settled(store, CONTAINER, order_id, [*writes, *rows])
        return payment, others

    return await retrying(attempt)


async def hold(store: DocumentStore, payment: Json, refund: Json, rows: Sequence[Operation] = ()) -> bool:
    """Takes a refund's amount from what may still be refunded, and writes the refund. False: there is less left.

    Holds made at the same time all count: the condition is judged where the sum is. Raises `DocumentExists` when the
    refund is there already.
    """
    amount = refund["amount"]
    patch = Patch(
        payment["id"],
        increments={"refund_held": amount},
        condition=Range("refund_held", le=payment["amount"] - amount),
    )
    try:
        await store.batch(CONTAINER, payment["order_id"], [Create(refund), patch, *rows])
    except VersionConflict:
        return False
    except OutcomeUnknown:
        if await read(store, payment["order_id"], refund["id"]) is None:
            raise
    return True


async def waiting(
    store: DocumentStore, status: str, before: str, limit: int, *, after: tuple[Scalar, ...] | None = None
) -> tuple[list[Json], tuple[Scalar, ...] | None]:
    """Payments or refunds in a state since before a moment, oldest first, over all orders.

    `after`: where to go on, as the answer before said it; None begins with the oldest, and is said behind the youngest.
    """
    page: Page = await store.query(
        Query(
            CONTAINER,
            where=Eq("status", status),
            sort=(Sort("created_at"),),
            limit=limit,
            after=after,
            purpose=RECONCILIATION,
        )
    )
    found = [each.data for each in page.items if each.data["created_at"] < before]
    return found, page.next if len(found) == len(page.items) else None


async def _need(store: DocumentStore, order_id: str, id: str) -> Document:
    found = await store.read(CONTAINER, order_id, id)
    if found is None:
        raise DocumentMissing(f"{CONTAINER}: no such document")
    return found


def _claim_id(order_id: str) -> str:
    return f"{CLAIM}|{order_id}"

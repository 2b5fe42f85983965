"""What a webhook of Stripe leads to. The message only says where to look; how things stand is read from Stripe.

So it does not matter whether messages come twice, late, in another order or not at all.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

from handlers.contract.services import EventServices
from handlers.partners.breaker import PartnerUnavailable
from handlers.partners.payments import Decline, PaymentRefused
from handlers.partners.stripe_webhooks import WebhookEvent
from handlers.payments import attempts, process, refunds, store
from handlers.payments.rules import Cause
from handlers.payments.states import is_open, is_paid
from handlers.platform.audit import Changes
from handlers.platform.clock import timestamp
from handlers.platform.inbox import KIND, row_id
from handlers.platform.store.port import Create, DocumentExists, Operation

Json = dict[str, Any]

log = logging.getLogger(__name__)

GROUP: Final = "stripe"
_PAYMENT: Final = "payment_intent."
_REFUND: Final = ("charge.refunded", "refund.")
_DISPUTE: Final = "charge.dispute.created"


async def on_webhook(services: EventServices, event: WebhookEvent) -> bool:
    """Applies a verified event once. False: there was nothing new in it for us. Raises `PartnerUnavailable`."""
    if not event.intent_id or not event.type.startswith((_PAYMENT, *_REFUND, _DISPUTE)):
        return False
    order_id = await _order_of(services, event)
    payment = await store.read(services.store, order_id, event.intent_id) if order_id is not None else None
    if payment is None or payment["type"] != "payment":
        return False
    if event.type.startswith(_PAYMENT) and is_paid(payment["status"]):
        return False  # the money is here and was told of; of what goes back other messages tell
    if attempts.must_end(payment):
        # A process has died, or Stripe was away, between the last attempt and the end that it meant.
        await _refreshed(services, payment, Cause(payment["correlation_id"], event.id))
    # Looked at first: asking Stripe costs more. The row in the batch is what makes it sure.
    if await store.read(services.store, payment["order_id"], row_id(GROUP, event.id)) is not None:
        return False
    try:
        await _applied(services, event, payment)
    except DocumentExists:
        return False
    return True


async def _order_of(services: EventServices, event: WebhookEvent) -> str | None:
    """The order that an event is about: what was begun in Stripe's dashboard does not name it, the intent does."""
    if event.order_id is not None or event.type.startswith(_PAYMENT):
        return event.order_id
    try:
        return (await services.gateway.retrieve(event.intent_id)).order_id
    except PaymentRefused:
        return None


async def _applied(services: EventServices, event: WebhookEvent, payment: Json) -> None:
    """Writes what an event leads to. Raises `DocumentExists` when that was done before."""
    cause = Cause(payment["correlation_id"], event.id)
    row = _row(services, event, payment["order_id"])
    if event.type == _DISPUTE:
        await _disputed(services, event, payment, row)
    elif event.type.startswith(_REFUND):
        if is_open(payment["status"]):
            # What was refunded was paid: that has to be written, and told of, first.
            payment = (await _refreshed(services, payment, cause)).payment
        await refunds.sync(services, payment, cause, row)
    else:
        await _refreshed(services, payment, cause, row, failed=event.failed)


async def _refreshed(
    services: EventServices, payment: Json, cause: Cause, *rows: Operation, failed: Decline | None = None
) -> process.Result:
    """The payment as it is now. Raises `PartnerUnavailable` while nobody can tell, so that Stripe sends again."""
    result = await process.refresh(services, payment, cause, *rows, failed=failed)
    if result.in_doubt:
        raise PartnerUnavailable("nobody can tell yet whether a payment has ended")
    return result


async def _disputed(services: EventServices, event: WebhookEvent, payment: Json, row: Create) -> None:
    """Notes that the customer asks the bank for the money back. What follows is for people, at Stripe's own pages."""

    def edit(current: Json, _: dict[str, Json]) -> tuple[Sequence[str], Sequence[Operation]]:
        current["disputes"] = [*current.get("disputes", ()), event.object_id]
        changes: Changes = {"order_id": (None, current["order_id"]), "dispute_id": (None, event.object_id)}
        return [current["id"]], (row, refunds.audited(services, current, "payment_disputed", changes))

    await store.change(services.store, payment["order_id"], payment["id"], edit)
    log.warning("a payment is disputed", extra={"order_id": payment["order_id"], "dispute": event.object_id})


def _row(services: EventServices, event: WebhookEvent, order_id: str) -> Create:
    """What says that the event was applied. It outlives Stripe's attempts, which end after three days."""
    return Create(
        {
            "id": row_id(GROUP, event.id),
            "kind": KIND,
            "order_id": order_id,
            "event_id": event.id,
            "event_type": event.type,
            "applied_at": timestamp(services.clock.now()),
        }
    )

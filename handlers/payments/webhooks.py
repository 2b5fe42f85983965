"""What a webhook of Stripe leads to. The message only says where to look; how things stand is read from Stripe.

So it does not matter whether messages come twice, late, in another order or not at all.
"""

from __future__ import annotations

from typing import Final

from handlers.contract.services import EventServices
from handlers.partners.stripe_webhooks import WebhookEvent
from handlers.payments import process, refunds, store
from handlers.payments.rules import Cause
from handlers.payments.states import is_open, is_paid
from handlers.platform.clock import timestamp
from handlers.platform.inbox import KIND, row_id
from handlers.platform.store.port import Create, DocumentExists

GROUP: Final = "stripe"
_PAYMENT: Final = "payment_intent."
_REFUND: Final = ("charge.refunded", "refund.")


async def on_webhook(services: EventServices, event: WebhookEvent) -> bool:
    """Applies a verified event once. False: there was nothing new in it for us. Raises `PartnerUnavailable`."""
    about_refund = event.type.startswith(_REFUND)
    if event.order_id is None or not (about_refund or event.type.startswith(_PAYMENT)):
        return False
    payment = await store.read(services.store, event.order_id, event.intent_id) if event.intent_id else None
    if payment is None or payment["type"] != "payment":
        return False
    if not about_refund and is_paid(payment["status"]):
        return False  # the money is here and was told of; of what goes back other messages tell
    # Looked at first: asking Stripe costs more. The row in the batch is what makes it sure.
    if await store.read(services.store, event.order_id, row_id(GROUP, event.id)) is not None:
        return False
    cause = Cause(payment["correlation_id"], event.id)
    row = _row(services, event)
    try:
        if about_refund:
            if is_open(payment["status"]):
                # What was refunded was paid: that has to be written, and told of, first.
                payment = (await process.refresh(services, payment, cause)).payment
            await refunds.sync(services, payment, cause, row)
        else:
            await process.refresh(services, payment, cause, row)
    except DocumentExists:
        return False
    return True


def _row(services: EventServices, event: WebhookEvent) -> Create:
    """What says that the event was applied. It outlives Stripe's attempts, which end after three days."""
    return Create(
        {
            "id": row_id(GROUP, event.id),
            "kind": KIND,
            "order_id": event.order_id,
            "event_id": event.id,
            "event_type": event.type,
            "applied_at": timestamp(services.clock.now()),
        }
    )

"""The operation that Stripe calls."""

from __future__ import annotations

import logging

from generated import models as m
from generated import params as p
from generated import views as v
from handlers.contract.call import Call
from handlers.partners.breaker import PartnerUnavailable
from handlers.partners.stripe_webhooks import SignatureInvalid, WebhookEvent, verified
from handlers.payments import rules
from handlers.payments.webhooks import on_webhook
from handlers.platform.errors import Problem

log = logging.getLogger(__name__)


async def receive_stripe_webhook(
    params: p.ReceiveStripeWebhookParameters, body: m.StripeEvent, call: Call
) -> v.WebhookReceipt:
    """An event of Stripe. While Stripe cannot be asked about it the answer is 503, so that it comes again."""
    event = _verified(params.stripe_signature, call)
    try:
        handled = await on_webhook(call.services, event)
    except PartnerUnavailable as error:
        raise rules.provider_away(error.retry_after) from None
    return {"received": True, "event_id": body.id, "handled": handled}


def _verified(signature: str, call: Call) -> WebhookEvent:
    secret = call.services.settings.stripe_webhook_secret
    if secret is None:
        raise _refused()
    try:
        return verified(call.body_bytes, signature, secret.get_secret_value(), call.services.clock)
    except SignatureInvalid as invalid:
        call.security_event("webhook_refused", "failure", principal="", reason="signature_invalid")
        log.warning("webhook refused", extra={"reason": str(invalid)})
        raise _refused() from None


def _refused() -> Problem:
    return Problem("UNAUTHORIZED", "The signature is not valid", rule="signature_invalid")

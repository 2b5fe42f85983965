"""Disputes: a cardholder asks the bank for the money back (reference: Disputes). As far as their first event goes."""

from __future__ import annotations

from typing import Final

from infra.local.stripe.account import Account
from infra.local.stripe.wire import Json, Refusal, new_id

DAYS_TO_ANSWER: Final = 7


def dispute(account: Account, intent_id: str, reason: str) -> Json:
    """The cardholder disputes the charge of an intent. No operation of Stripe. Its metadata are empty, as at Stripe."""
    intent = account.state.get("payment_intent", intent_id)
    charge = account.state.find("charge", intent["latest_charge"])
    if charge is None or not charge["paid"] or charge["disputed"]:
        raise Refusal(400, f"{intent_id} has no charge that can be disputed")
    account.state.put(charge | {"disputed": True})
    found = account.state.put(
        {
            "id": new_id("dp"),
            "object": "dispute",
            "amount": charge["amount"] - charge["amount_refunded"],
            "balance_transactions": [],
            "charge": charge["id"],
            "created": account.now(),
            "currency": charge["currency"],
            "evidence_details": {
                "due_by": account.now() + DAYS_TO_ANSWER * 86400,
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
            },
            "is_charge_refundable": False,
            "livemode": False,
            "metadata": {},
            "payment_intent": intent_id,
            "reason": reason,
            "status": "needs_response",
        }
    )
    account.emit("charge.dispute.created", found)
    return found

"""One attempt to pay an intent: the charge, what a decline leaves, what the customer has to do."""

from __future__ import annotations

from typing import Any, Final

from infra.local.stripe import debits
from infra.local.stripe.account import Account
from infra.local.stripe.cards import NOT_AUTHENTICATED, Decline, behaviour
from infra.local.stripe.customers import attach, declined
from infra.local.stripe.wire import Json, Refusal, chance, new_id, shown

OUTCOMES: Final = ("succeeded", "failed", "processing")


def attempt(account: Account, intent: Json, method: Json, why: Decline | None) -> Json:
    """Charges. Raises `Refusal` 402 when the issuer says no; the intent then waits for another payment method."""
    charge = account.state.put(_charge(account, intent, method, why))
    if why is not None:
        raise _failed(account, intent, method, charge, why)
    return _paid(account, intent, method, charge)


def require_action(account: Account, intent: Json, method: Json, return_url: str | None) -> Json:
    """Lets the customer authenticate first (reference: PaymentIntent, next_action)."""
    if return_url is not None or method["type"] == "paypal":
        address = f"https://hooks.stripe.com/3d_secure_2/hosted?payment_intent={intent['id']}"
        action: Json = {
            "type": "redirect_to_url",
            "redirect_to_url": {"return_url": return_url, "url": address},
        }
    else:
        sdk = {"type": "three_d_secure_redirect", "stripe_js": "", "source": f"src_{chance(24)}"}
        action = {"type": "use_stripe_sdk", "use_stripe_sdk": sdk}
    waiting = account.state.put(intent | {"status": "requires_action", "next_action": action})
    account.emit("payment_intent.requires_action", waiting)
    return waiting


def begin(account: Account, intent: Json) -> Json:
    """Accepts a payment that is settled later (reference: PaymentIntent, status `processing`)."""
    begun = account.state.put(intent | {"status": "processing", "next_action": None})
    account.emit("payment_intent.processing", begun)
    return begun


def authenticate(account: Account, id: str, outcome: str) -> Json:
    """What the customer does at the bank or at PayPal; also how a payment in `processing` ends. No operation of Stripe.

    Raises `Refusal` when the intent does not wait for it.
    """
    intent = account.state.get("payment_intent", id)
    if intent["status"] not in ("requires_action", "processing") or outcome not in OUTCOMES:
        raise Refusal(400, f"{id} is {intent['status']} and cannot become {outcome}")
    method = account.state.get("payment_method", intent["payment_method"])
    if outcome == "processing":
        return begin(account, intent)
    why = behaviour(method).charge if method["type"] == "card" else None
    if method["type"] == debits.TYPE:
        why = debits.verdict(method)
    try:
        return attempt(account, intent, method, NOT_AUTHENTICATED if outcome == "failed" else why)
    except Refusal:
        return account.state.get("payment_intent", id)


def _paid(account: Account, intent: Json, method: Json, charge: Json) -> Json:
    if intent["setup_future_usage"] and intent["customer"] and method["customer"] is None:
        attach(account, method, intent["customer"])
    elif method["customer"] is None:
        account.state.put(method | {"_used": True})
    done = {
        "status": "succeeded",
        "amount_received": intent["amount"],
        "latest_charge": charge["id"],
        "next_action": None,
        "processing": None,
    }
    paid = account.state.put(intent | done)
    account.emit("charge.succeeded", charge)
    account.emit("payment_intent.succeeded", paid)
    return paid


def _failed(account: Account, intent: Json, method: Json, charge: Json, why: Decline) -> Refusal:
    refusal = declined(why, charge=charge["id"], payment_method=shown(method))
    waiting = {
        "status": "requires_payment_method",
        "payment_method": None,
        "latest_charge": charge["id"],
        "last_payment_error": dict(refusal.error),
        "next_action": None,
        "processing": None,
    }
    failed = account.state.put(intent | waiting)
    account.emit("charge.failed", charge)
    account.emit("payment_intent.payment_failed", failed)
    refusal.error["payment_intent"] = failed
    return refusal


def _charge(account: Account, intent: Json, method: Json, why: Decline | None) -> Json:
    details: Json = {"type": method["type"], method["type"]: shown(method[method["type"]])}
    outcome: Json = {"network_status": "approved_by_network", "reason": None, "type": "authorized"}
    if why is not None:
        outcome = {"network_status": "declined_by_network", "reason": why.decline_code, "type": "issuer_declined"}
    taken: Any = intent["amount"] if why is None else 0
    charge_id = new_id("ch")
    return {
        "id": charge_id,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": taken,
        "amount_refunded": 0,
        "balance_transaction": new_id("txn") if why is None else None,
        "billing_details": method["billing_details"],
        "captured": why is None,
        "created": account.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": why.code if why is not None else None,
        "failure_message": why.message if why is not None else None,
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "outcome": outcome,
        "paid": why is None,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": details,
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": f"https://pay.stripe.com/receipts/{charge_id}",
        "refunded": False,
        "shipping": intent["shipping"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "succeeded" if why is None else "failed",
    }

"""Refunds: never more than was charged (reference: Refunds)."""

from __future__ import annotations

from typing import Final

from infra.local.stripe.account import Account
from infra.local.stripe.cards import behaviour
from infra.local.stripe.params import METADATA, PAGING, TEXT, WHOLE, Spec, read
from infra.local.stripe.state import missing, page
from infra.local.stripe.wire import Json, Refusal, chance, new_id

_CREATE: Final[Spec] = {
    "amount": WHOLE,
    "charge": TEXT,
    "expand": [TEXT],
    "metadata": METADATA,
    "payment_intent": TEXT,
    "reason": ("duplicate", "fraudulent", "requested_by_customer"),
}
OUTCOMES: Final = ("succeeded", "failed")


def create_refund(account: Account, params: Json) -> Json:
    """POST /v1/refunds"""
    given = read(params, _CREATE)
    charge = _charge(account, given)
    if charge["disputed"]:
        raise Refusal(400, f"Charge {charge['id']} has been charged back.", begun=True, code="charge_disputed")
    left = charge["amount"] - charge["amount_refunded"]
    amount = given.get("amount", left)
    if left == 0:
        raise Refusal(
            400, f"Charge {charge['id']} has already been refunded.", begun=True, code="charge_already_refunded"
        )
    if amount < 1:
        raise Refusal(400, "Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        message = f"Refund amount ({_said(amount)}) is greater than unrefunded amount on charge ({_said(left)})"
        raise Refusal(400, message, begun=True, param="amount")
    refund = account.state.put(_new(account, charge, amount, given))
    _count(account, charge, amount)
    account.emit("refund.created", refund)
    return refund


def retrieve_refund(account: Account, params: Json, id: str) -> Json:
    """GET /v1/refunds/:id"""
    return account.state.get("refund", id)


def list_refunds(account: Account, params: Json) -> Json:
    """GET /v1/refunds, of a `payment_intent` or `charge` if given."""
    given = read(params, {**PAGING, "payment_intent": TEXT, "charge": TEXT})
    wanted = {name: given[name] for name in ("payment_intent", "charge") if name in given}
    return page(account.state.all("refund", **wanted), "/v1/refunds", params)


def settle(account: Account, id: str, outcome: str) -> Json:
    """How a refund ends at the customer's bank: one that failed gives the money back. No operation of Stripe."""
    refund = account.state.get("refund", id)
    if refund["status"] not in ("pending", "succeeded") or outcome not in OUTCOMES:
        raise Refusal(400, f"{id} is {refund['status']} and cannot become {outcome}")
    changes: Json = {"status": outcome}
    if outcome == "failed":
        changes |= {"failure_reason": "expired_or_canceled_card", "failure_balance_transaction": new_id("txn")}
        charge = account.state.get("charge", refund["charge"])
        back = charge["amount_refunded"] - refund["amount"]
        account.state.put(charge | {"amount_refunded": back, "refunded": False})
    settled = account.state.put(refund | changes)
    account.emit("refund.updated", settled, {"status": refund["status"]})
    if outcome == "failed":
        account.emit("refund.failed", settled)
    return settled


def _charge(account: Account, given: Json) -> Json:
    if "charge" in given:
        charge = account.state.find("charge", given["charge"])
        if charge is None:
            raise missing("charge", given["charge"], "charge")
        return charge
    if "payment_intent" not in given:
        message = "One of the following params should be provided for this request: payment_intent or charge."
        raise Refusal(400, message, code="parameter_missing")
    intent = account.state.find("payment_intent", given["payment_intent"])
    if intent is None:
        raise missing("payment_intent", given["payment_intent"], "payment_intent")
    found = account.state.find("charge", intent["latest_charge"])
    if found is None or not found["paid"]:
        message = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        raise Refusal(400, message, begun=True, code="payment_intent_unexpected_state", param="payment_intent")
    return found


def _count(account: Account, charge: Json, amount: int) -> None:
    refunded = charge["amount_refunded"] + amount
    changed = account.state.put(charge | {"amount_refunded": refunded, "refunded": refunded == charge["amount"]})
    account.emit("charge.refunded", changed, {"amount_refunded": charge["amount_refunded"]})


def _new(account: Account, charge: Json, amount: int, given: Json) -> Json:
    method = account.state.get("payment_method", charge["payment_method"])
    reference = {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": new_id("txn"),
        "charge": charge["id"],
        "created": account.now(),
        "currency": charge["currency"],
        "destination_details": {method["type"]: reference, "type": method["type"]},
        "metadata": given.get("metadata", {}),
        "payment_intent": charge["payment_intent"],
        "reason": given.get("reason"),
        "receipt_number": f"{chance(4)}-{chance(4)}".upper(),
        "source_transfer_reversal": None,
        "status": behaviour(method).refund if method["type"] == "card" else "succeeded",
        "transfer_reversal": None,
    }


def _said(amount: int) -> str:
    whole, cents = divmod(amount, 100)
    return f"${whole}.{cents:02d}"

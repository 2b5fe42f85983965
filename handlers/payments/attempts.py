"""Failed attempts to pay an order: which one is new, how many are allowed, whether a method may be tried again.

A decline never ends an order by itself (decision 76): stock stays held until `payment_due_at`, and another method pays
the same intent, so that nothing can be paid twice. Stripe's advice (documentation: Decline codes) separates soft
declines, which the same card may outlive, from hard ones, which it will not. After a hard one that saved method is not
tried again for this order; any other method is. Ten failures, whoever caused them, end the payment: who tests stolen
cards gets no further.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from handlers.partners.payments import Decline
from handlers.payments.states import is_open

MAX_FAILED: Final = 10

# Stripe documentation, Decline codes: the issuer will say no again, or the card must not be tried again.
_HARD: Final = frozenset(
    {
        "card_not_supported",
        "currency_not_supported",
        "expired_card",
        "fraudulent",
        "incorrect_number",
        "invalid_account",
        "invalid_number",
        "lost_card",
        "merchant_blacklist",
        "new_account_information_available",
        "no_action_taken",
        "payment_method_gone",
        "pickup_card",
        "restricted_card",
        "revocation_of_all_authorizations",
        "revocation_of_authorization",
        "security_violation",
        "service_not_allowed",
        "stolen_card",
        "stop_payment_order",
        "transaction_not_allowed",
    }
)


def is_hard(code: str) -> bool:
    """Whether a decline code says that the same method will be declined again."""
    return code in _HARD


def is_new(payment: Mapping[str, Any], decline: Decline, tried: str | None) -> bool:
    """Whether a decline was not counted yet: the same one is read from the provider many times.

    Known by its charge at the provider. One without a charge is new when it came of a method that was just tried
    (`tried`), ended what the customer was asked to do, or says something else than the last.
    """
    if decline.attempt:
        return decline.attempt not in payment.get("failed_charges", ())
    failure = payment["failure"]
    if tried is not None or failure is None or payment["status"] != "created":
        return True
    return bool(failure["code"] != decline.code)


def count(payment: dict[str, Any], decline: Decline) -> None:
    """Counts a failed attempt, in place. So many charges are remembered as there may be."""
    payment["attempts"] += 1
    if decline.attempt:
        payment["failed_charges"] = [*payment.get("failed_charges", ()), decline.attempt][-MAX_FAILED:]


def left(payment: Mapping[str, Any]) -> int:
    """How many more attempts may fail."""
    return max(0, MAX_FAILED - int(payment["attempts"]))


def must_end(payment: Mapping[str, Any]) -> bool:
    """Whether a payment was declined too often and nobody has said so: a process may have died."""
    begun = payment["status"] == "cancelled" and payment.get("ending") == "given_up"
    return not left(payment) and (begun or is_open(payment["status"]))


def note_refused(payment: dict[str, Any], decline: Decline, method_id: str) -> None:
    """Notes, in place, a method that was declined for good; whatever is tried in between, it stays so."""
    if is_hard(decline.code):
        payment["refused_methods"] = {**payment.get("refused_methods", {}), method_id: decline.code}


def refused_with(payment: Mapping[str, Any], method_id: str) -> str | None:
    """The code with which this method was declined for good, None when it may be tried."""
    code: str | None = payment.get("refused_methods", {}).get(method_id)
    return code

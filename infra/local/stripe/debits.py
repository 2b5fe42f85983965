"""Stripe's test bank accounts for ACH Direct Debit, a delayed method (Stripe documentation: ACH Direct Debit, Testing).

Confirming one leaves the intent in `processing`; `POST /stand-in/authenticate` settles it, as the bank does after days.
"""

from __future__ import annotations

from typing import Final

from infra.local.stripe.cards import Decline
from infra.local.stripe.wire import Json

TYPE: Final = "us_bank_account"
CURRENCY: Final = "usd"
# How the bank answers in the end: None pays.
DEBITS: Final[dict[str, Decline | None]] = {
    "pm_usBankAccount_success": None,
    "pm_usBankAccount_accountClosed": Decline("account_closed", None, "The customer's bank account has been closed."),
    "pm_usBankAccount_insufficientFunds": Decline(
        "insufficient_funds", None, "The customer's account has insufficient funds to cover this payment."
    ),
    "pm_usBankAccount_debitNotAuthorized": Decline(
        "debit_not_authorized", None, "The customer has notified their bank that this payment was unauthorized."
    ),
}


def details() -> Json:
    """The account of a payment method, as far as it is shown."""
    return {
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "fingerprint": "1JWtPxqbdX5Gamtc",
        "last4": "6789",
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": "110000000",
        "status_details": {},
    }


def verdict(method: Json) -> Decline | None:
    """How the bank answers."""
    return DEBITS[method["_token"]]

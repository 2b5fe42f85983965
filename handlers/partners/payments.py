"""The payment provider as the rooms see it: intents, saved methods, refunds, and the outcomes there are.

Amounts are integers in the smallest unit of their currency. Nothing here loads the provider's library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from handlers.partners.breaker import PartnerUnavailable

IntentStatus = Literal[
    "requires_payment_method", "requires_confirmation", "requires_action", "processing", "succeeded", "cancelled"
]
DeclineCode = Literal[
    "card_declined", "insufficient_funds", "expired_card", "authentication_failed", "processing_error"
]
MethodType = Literal["credit_card", "debit_card", "paypal"]
RefundStatus = Literal["pending", "succeeded", "failed"]
# `declined`: the issuer says no; `invalid`: not usable, not there, somebody else's; `taken`: attached already;
# `state`: not possible any more; `exceeds`: more than is left.
Reason = Literal["declined", "invalid", "taken", "state", "exceeds"]


# What whoever holds the card may know of a decline (contract: DeclineCode).
_TELLABLE: Final[dict[str, DeclineCode]] = {
    "insufficient_funds": "insufficient_funds",
    "withdrawal_count_limit_exceeded": "insufficient_funds",
    "expired_card": "expired_card",
    "authentication_required": "authentication_failed",
    "payment_intent_authentication_failure": "authentication_failed",
    "processing_error": "processing_error",
    "issuer_not_available": "processing_error",
}


def tellable_code(code: str) -> DeclineCode:
    """A decline code as the payer may read it: that a card counts as stolen is for the shop alone.

    Source: Stripe documentation, Decline codes.
    """
    return _TELLABLE.get(code, "card_declined")


class AnswerLost(PartnerUnavailable):
    """The provider may have done what was asked, and did not say so. Ask what has become of it."""


class PaymentRefused(Exception):
    """The provider says no, for good. `code` is its own word for it, `message` a sentence for the customer.

    `attempt`: the charge that was declined, where there was one.
    """

    def __init__(self, reason: Reason, code: str, message: str, attempt: str | None = None) -> None:
        super().__init__(f"{reason}: {code}")
        self.reason = reason
        self.code = code
        self.message = message
        self.attempt = attempt


@dataclass(frozen=True, slots=True)
class Decline:
    """Why the last attempt failed. `code` is the issuer's decline code, else the error's code.

    `attempt`: the charge that failed, None where there was none. Two declines that say the same are equal.
    """

    code: str
    message: str
    attempt: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Method:
    """What a payment was made with, or would be. `brand` is for people; PayPal has neither brand nor digits."""

    type: MethodType
    brand: str | None = None
    last4: str | None = None


@dataclass(frozen=True, slots=True)
class SavedMethod:
    """A payment method at the provider. `customer`: whose it is there; `fingerprint`: the same for the same card."""

    id: str
    method: Method
    exp_month: int | None
    exp_year: int | None
    fingerprint: str | None
    customer: str | None


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment as the provider knows it. The client secret is for the customer's browser: never stored or logged."""

    id: str
    status: IntentStatus
    amount: int
    currency: str
    metadata: Mapping[str, str]
    client_secret: str = field(repr=False)
    decline: Decline | None = None
    method: Method | None = None

    @property
    def order_id(self) -> str | None:
        """The order it pays for, when it is one of ours."""
        return self.metadata.get("order_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentOrder:
    """What is to be paid. `address`: an address of the contract, with name and phone, that the goods go to."""

    order_id: str
    order_number: str
    amount: int
    currency: str
    email: str | None = None
    customer: str | None = None
    address: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder:
    """What is to be returned of a payment. `resumed`: it may have been asked for before, so look first."""

    refund_id: str
    order_id: str
    intent_id: str
    amount: int
    currency: str
    reason: str
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class ProviderRefund:
    """A refund as the provider knows it."""

    id: str
    refund_id: str | None
    order_id: str | None
    intent_id: str | None
    amount: int
    status: RefundStatus


# --- outcomes of an attempt to pay
@dataclass(frozen=True, slots=True)
class Succeeded:
    """The money is there."""

    intent: Intent


@dataclass(frozen=True, slots=True)
class Processing:
    """The provider has accepted the payment and has not settled it; a webhook will tell."""

    intent: Intent


@dataclass(frozen=True, slots=True)
class RequiresAction:
    """The customer must authenticate in the browser, with the client secret."""

    intent: Intent

    @property
    def client_secret(self) -> str:
        """What the browser needs."""
        return self.intent.client_secret


@dataclass(frozen=True, slots=True)
class Declined:
    """The attempt failed; another payment method may do."""

    intent: Intent
    decline: Decline


@dataclass(frozen=True, slots=True)
class Open:
    """Nothing has been tried yet."""

    intent: Intent


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The intent has ended and can never be paid."""

    intent: Intent


@dataclass(frozen=True, slots=True)
class InDoubt:
    """Nobody can tell yet. Ask again: the next answer or a webhook settles it."""

    intent_id: str


Known = Succeeded | Processing | RequiresAction | Declined | Open | Cancelled
Outcome = Known | InDoubt


def outcome_of(intent: Intent) -> Known:
    """What an intent's state means."""
    match intent.status:
        case "succeeded":
            return Succeeded(intent)
        case "processing":
            return Processing(intent)
        case "requires_action":
            return RequiresAction(intent)
        case "cancelled":
            return Cancelled(intent)
    return Open(intent) if intent.decline is None else Declined(intent, intent.decline)


class PaymentGateway(Protocol):
    """The payment provider. What may raise `PartnerUnavailable` has done nothing then, unless it is `AnswerLost`."""

    async def create_customer(self, user_id: str, email: str | None, name: str | None) -> str:
        """The id of the customer of an account; the same one when asked twice within a day."""
        ...

    async def delete_customer(self, customer: str) -> None:
        """Removes a customer and everything saved with it. Nothing happens to one that is gone."""
        ...

    async def find_method(self, token: str) -> SavedMethod:
        """A payment method that the browser has made. Raises `PaymentRefused` (invalid)."""
        ...

    async def attach(self, method_id: str, customer: str, key: str) -> SavedMethod:
        """Saves a payment method with a customer, after asking the issuer. `key`: our id of this attempt.

        Raises `PaymentRefused`: declined, invalid, taken.
        """
        ...

    async def detach(self, method_id: str) -> None:
        """Removes a saved payment method. Nothing happens to one that is gone."""
        ...

    async def create_intent(self, order: IntentOrder) -> Intent:
        """The payment intent of an order, not confirmed; the same one when asked twice within a day."""
        ...

    async def retrieve(self, intent_id: str) -> Intent:
        """A payment intent as it is now. Raises `PaymentRefused` (invalid) when there is none."""
        ...

    async def confirm(self, intent_id: str, method_id: str | None, key: str) -> Outcome:
        """Tries to pay. `key`: our id of this attempt; with the same one nothing is tried twice.

        Raises `PaymentRefused` (invalid) for a method that cannot pay this.
        """
        ...

    async def cancel(self, intent_id: str) -> Outcome:
        """Ends an intent, so that it can never be paid; answers `Succeeded` or `Processing` when it is too late."""
        ...

    async def refund(self, order: RefundOrder) -> ProviderRefund:
        """Returns money, once for each refund id. Raises `PaymentRefused` (state, exceeds), `AnswerLost` in doubt."""
        ...

    async def refunds_of(self, intent_id: str) -> list[ProviderRefund]:
        """Every refund of an intent, newest first, whoever asked for it."""
        ...

    async def close(self) -> None:
        """Closes the connections."""
        ...

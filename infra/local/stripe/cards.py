"""Stripe's test payment methods and card numbers, and how each of them behaves (Stripe documentation: Testing)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from infra.local.stripe.wire import Json


@dataclass(frozen=True, slots=True)
class Decline:
    """Why an issuer says no (reference: Error codes; Stripe documentation: Decline codes)."""

    code: str
    decline_code: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Card:
    """A test card. `attach` and `charge`: how it is declined then; `refund`: what becomes of a refund."""

    number: str
    brand: str = "visa"
    funding: str = "credit"
    attach: Decline | None = None
    charge: Decline | None = None
    authenticate: bool = False
    refund: Literal["succeeded", "pending"] = "succeeded"

    @property
    def last4(self) -> str:
        """The last four digits."""
        return self.number[-4:]


GENERIC: Final = Decline("card_declined", "generic_decline", "Your card was declined.")
INSUFFICIENT: Final = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
LOST: Final = Decline("card_declined", "lost_card", "Your card was declined.")
STOLEN: Final = Decline("card_declined", "stolen_card", "Your card was declined.")
EXPIRED: Final = Decline("expired_card", None, "Your card has expired.")
CVC: Final = Decline("incorrect_cvc", None, "Your card's security code is incorrect.")
PROCESSING: Final = Decline(
    "processing_error", None, "An error occurred while processing your card. Try again in a little bit."
)
FRAUDULENT: Final = Decline("card_declined", "fraudulent", "Your card was declined.")
VELOCITY: Final = Decline(
    "card_declined",
    "card_velocity_exceeded",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
)
AUTHENTICATION: Final = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
NOT_AUTHENTICATED: Final = Decline(
    "payment_intent_authentication_failure",
    None,
    "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
)


def _declining(number: str, why: Decline) -> Card:
    return Card(number, attach=why, charge=why)


CARDS: Final[dict[str, Card]] = {
    "pm_card_visa": Card("4242424242424242"),
    "pm_card_visa_debit": Card("4000056655665556", funding="debit"),
    "pm_card_mastercard": Card("5555555555554444", "mastercard"),
    "pm_card_mastercard_debit": Card("5200828282828210", "mastercard", "debit"),
    "pm_card_mastercard_prepaid": Card("5105105105105100", "mastercard", "prepaid"),
    "pm_card_amex": Card("378282246310005", "amex"),
    "pm_card_discover": Card("6011111111111117", "discover"),
    "pm_card_diners": Card("3056930009020004", "diners"),
    "pm_card_jcb": Card("3566002020360505", "jcb"),
    "pm_card_unionpay": Card("6200000000000005", "unionpay"),
    "pm_card_chargeCustomerFail": Card("4000000000000341", charge=GENERIC),
    "pm_card_visa_chargeDeclined": _declining("4000000000000002", GENERIC),
    "pm_card_visa_chargeDeclinedInsufficientFunds": _declining("4000000000009995", INSUFFICIENT),
    "pm_card_visa_chargeDeclinedLostCard": _declining("4000000000009987", LOST),
    "pm_card_visa_chargeDeclinedStolenCard": _declining("4000000000009979", STOLEN),
    "pm_card_chargeDeclinedExpiredCard": _declining("4000000000000069", EXPIRED),
    "pm_card_chargeDeclinedIncorrectCvc": _declining("4000000000000127", CVC),
    "pm_card_chargeDeclinedProcessingError": _declining("4000000000000119", PROCESSING),
    "pm_card_visa_chargeDeclinedVelocityLimitExceeded": _declining("4000000000006975", VELOCITY),
    "pm_card_chargeDeclinedFraudulent": _declining("4100000000000019", FRAUDULENT),
    "pm_card_radarBlock": Card("4100000000000019", charge=FRAUDULENT),
    "pm_card_authenticationRequired": Card("4000002760003184", authenticate=True),
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": Card(
        "4000008260003178", authenticate=True, charge=INSUFFICIENT
    ),
    "pm_card_threeDSecure2Required": Card("4000000000003220", authenticate=True),
    "pm_card_pendingRefund": Card("4000000000007726", refund="pending"),
    "pm_card_refundFail": Card("4000000000005126"),
}
BY_NUMBER: Final = {card.number: token for token, card in reversed(CARDS.items())}
_BRANDS: Final = (("4", "visa"), ("5", "mastercard"), ("3", "amex"), ("6", "discover"))


def behaviour(method: Json) -> Card:
    """How a payment method that is a card behaves."""
    return CARDS.get(method["_token"]) or Card(method["_number"])


def of_number(number: str) -> Card | None:
    """The card of a number; any that passes the check of ISO/IEC 7812 works like a Visa. None for a wrong number."""
    if number in BY_NUMBER:
        return CARDS[BY_NUMBER[number]]
    if not number.isdecimal() or not 12 <= len(number) <= 19 or not _luhn(number):
        return None
    return Card(number, next((brand for prefix, brand in _BRANDS if number.startswith(prefix)), "visa"))


def _luhn(number: str) -> bool:
    digits = [int(sign) for sign in reversed(number)]
    return (sum(digits[0::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0

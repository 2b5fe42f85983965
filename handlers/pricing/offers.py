"""What a promotion gives, and why it may give nothing. Pure; `promotion` is its document."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, Literal

from handlers.platform.clock import moment
from handlers.platform.errors import Problem, unprocessable
from handlers.platform.money import minor_units
from handlers.pricing.totals import half_up

Json = Mapping[str, Any]
Refusal = Literal[
    "promo_code_unknown",
    "promo_code_not_started",
    "promo_code_expired",
    "promo_code_exhausted",
    "promo_code_used",
    "promo_code_minimum",
]

MESSAGES: Final[dict[Refusal, str]] = {
    "promo_code_unknown": "There is no such promo code",
    "promo_code_not_started": "This promo code cannot be used yet",
    "promo_code_expired": "This promo code is no longer valid",
    "promo_code_exhausted": "This promo code has been used up",
    "promo_code_used": "This promo code has been used by this customer already",
    "promo_code_minimum": "The cart is below the minimum of this promo code",
}
FREE_METHOD: Final = "standard"


def normal(code: str) -> str:
    """The form in which codes are stored and compared."""
    return code.upper()


def refusal(
    promotion: Json | None, *, subtotal: int, currency: str, now: datetime, used: bool = False, counted: bool = False
) -> Refusal | None:
    """Why a promotion does not apply to a cart; None: it does.

    `used`: by this customer, where that matters. `counted`: the use that this is about is counted already.
    """
    if promotion is None or not promotion["active"] or promotion.get("currency", currency) != currency:
        return "promo_code_unknown"
    starts, ends = promotion.get("starts_at"), promotion.get("ends_at")
    checks: list[tuple[Refusal, bool]] = [
        ("promo_code_not_started", starts is not None and now < moment(starts)),
        ("promo_code_expired", ends is not None and now >= moment(ends)),
        ("promo_code_exhausted", is_exhausted(promotion) and not counted),
        ("promo_code_used", used and promotion["once_per_customer"] and not counted),
        ("promo_code_minimum", subtotal < minor_units(promotion.get("minimum_subtotal", 0), currency)),
    ]
    return next((why for why, fails in checks if fails), None)


def is_exhausted(promotion: Json) -> bool:
    """Whether its budget of redemptions is spent."""
    budget = promotion.get("max_redemptions")
    return budget is not None and promotion["redeemed"] >= budget


def refused(why: Refusal, code: str, **facts: Any) -> Problem:
    """422: the code does not apply."""
    return unprocessable(MESSAGES[why], why, code=code, **facts)


def discount_of(promotion: Json | None, subtotal: int, currency: str) -> int:
    """What the promotion takes off the goods: never more than they cost, half-up."""
    if promotion is None or promotion["type"] == "free_shipping":
        return 0
    if promotion["type"] == "fixed":
        return min(minor_units(promotion["value"], currency), subtotal)
    percent = Fraction(Decimal(repr(promotion["value"])))
    return min(half_up(subtotal * percent / 100), subtotal)


def frees(promotion: Json | None, method: str) -> bool:
    """Whether the promotion makes a shipping method cost nothing."""
    return promotion is not None and promotion["type"] == "free_shipping" and method == FREE_METHOD

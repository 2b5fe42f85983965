"""Saved payment methods: how many, which once, which first. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import MISSING

from generated import models as m
from generated import views as v
from handlers.partners.payments import PaymentRefused, SavedMethod, tellable_code
from handlers.platform.errors import Problem, conflict, unavailable, unprocessable

Json = dict[str, Any]

MAX_METHODS: Final = 20


def check_body(body: m.PaymentMethodCreate) -> None:
    """Raises `Problem` 422 when the billing address comes twice."""
    if body.billing_address is not MISSING and body.billing_address_id is not MISSING:
        raise unprocessable("Give the billing address or name it, not both", "address_invalid")


def check_room(methods: Sequence[Mapping[str, Any]]) -> None:
    """Raises `Problem` 422 when there is no room for one more."""
    if len(methods) >= MAX_METHODS:
        raise unprocessable(f"At most {MAX_METHODS} payment methods", "limit_reached", limit=MAX_METHODS)


def check_new(methods: Iterable[Mapping[str, Any]], found: SavedMethod) -> None:
    """Raises `Problem` 409 when the card or the PayPal account is saved already.

    The same card with another expiry is a renewed one, and new to us.
    """
    for each in methods:
        same = found.fingerprint is not None and each["fingerprint"] == found.fingerprint
        renewed = (each["exp_year"], each["exp_month"]) != (found.exp_year, found.exp_month)
        if each["stripe_id"] == found.id or (same and not renewed):
            raise conflict(
                "This payment method is saved already", "in_use", payment_method_id=each["payment_method_id"]
            )


def refusal(refused: PaymentRefused) -> Problem:
    """What the provider refused, as the caller reads it."""
    if refused.reason == "declined":
        return unprocessable(refused.message, "payment_declined", decline_code=tellable_code(refused.code))
    if refused.reason == "taken":
        return conflict("This payment method is saved already", "in_use")
    return unprocessable("This payment method cannot be used", "payment_method_invalid")


def provider_away(retry_after: int = 1) -> Problem:
    """503: the provider cannot be reached."""
    return unavailable("The payment provider cannot be reached", retry_after=retry_after)


def new_method(
    found: SavedMethod,
    billing: Mapping[str, str] | None,
    *,
    user_id: str,
    method_id: str,
    address_id: str | None,
    now: str,
) -> Json:
    """The document of a saved payment method: what people need to recognise it, and Stripe's id."""
    return {
        "id": method_id,
        "payment_method_id": method_id,
        "user_id": user_id,
        "stripe_id": found.id,
        "type": "paypal" if found.method.type == "paypal" else "credit_card",
        "method": found.method.type,
        "brand": found.method.brand,
        "last4": found.method.last4,
        "exp_month": found.exp_month,
        "exp_year": found.exp_year,
        "fingerprint": found.fingerprint,
        "billing_address": dict(billing) if billing is not None else None,
        "billing_address_id": address_id,
        "created_at": now,
        "updated_at": now,
    }


def default_after(methods: Sequence[Mapping[str, Any]], default: str | None) -> str | None:
    """The default: the one that is, else the newest; None when nothing is saved."""
    ids = [each["payment_method_id"] for each in newest_first(methods)]
    return default if default in ids else (ids[0] if ids else None)


def newest_first(methods: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The methods by age."""
    return sorted(methods, key=lambda each: (each["created_at"], each["payment_method_id"]), reverse=True)


def in_order(methods: Iterable[Mapping[str, Any]], default: str | None) -> list[Mapping[str, Any]]:
    """The default first, then the newest."""
    # Python's sort is stable: among the others the newest stay first.
    return sorted(newest_first(methods), key=lambda each: each["payment_method_id"] != default)


def view(method: Mapping[str, Any], default: str | None) -> v.PaymentMethod:
    """A payment method as its owner sees it."""
    shown: v.PaymentMethod = {
        "payment_method_id": method["payment_method_id"],
        "type": method["type"],
        "brand": method["brand"],
        "last4": method["last4"],
        "exp_month": method["exp_month"],
        "exp_year": method["exp_year"],
        "billing_address_id": method["billing_address_id"],
        "is_default": method["payment_method_id"] == default,
        "created_at": method["created_at"],
        "updated_at": method["updated_at"],
    }
    if method["billing_address"] is not None:
        shown["billing_address"] = method["billing_address"]
    return shown

"""Promotions as administrators set them. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import orjson

from generated import models as m
from generated import views as v
from handlers.platform.clock import moment
from handlers.platform.errors import Problem, unprocessable
from handlers.platform.money import AmountNotExact, minor_units
from handlers.platform.patching import patched
from handlers.pricing.offers import normal

Json = dict[str, Any]

FIELDS: Final = (
    "description",
    "type",
    "value",
    "currency",
    "minimum_subtotal",
    "starts_at",
    "ends_at",
    "once_per_customer",
    "max_redemptions",
    "active",
)
_SHOWN: Final = ("code", *FIELDS, "redeemed", "created_at", "updated_at")


def new_promotion(body: m.PromotionCreate, now: str) -> Json:
    """The document of a new promotion."""
    code = normal(body.code)
    promotion: Json = {"id": code, "code": code, "once_per_customer": False, "active": True, "redeemed": 0}
    return {**_with(promotion, body), "created_at": now, "updated_at": now}


def changed_promotion(before: Json, body: m.PromotionUpdate, now: str) -> Json:
    """The document after a change: a given field replaces, null clears."""
    after = _with(before, body)
    return {**after, "updated_at": now} if after != before else before


def _with(promotion: Json, body: m.PromotionCreate | m.PromotionUpdate) -> Json:
    after = patched(promotion, body, FIELDS)
    if after["type"] != "fixed" and "minimum_subtotal" not in after:
        after.pop("currency", None)  # there is no amount that it would be the currency of
    return after


def check(promotion: Mapping[str, Any], currency: str) -> None:
    """Raises `Problem` 422 unless the promotion makes sense in the shop's currency."""
    starts, ends = promotion.get("starts_at"), promotion.get("ends_at")
    if starts is not None and ends is not None and moment(ends) <= moment(starts):
        raise unprocessable(
            "ends_at has to lie after starts_at", "promotion_window_invalid", starts_at=starts, ends_at=ends
        )
    _check_value(promotion["type"], promotion["value"])
    _check_amounts(promotion, currency)
    budget = promotion.get("max_redemptions")
    if budget is not None and budget < promotion["redeemed"]:
        raise _value_invalid("max_redemptions is below what has been redeemed", redeemed=promotion["redeemed"])


def _check_value(kind: str, value: float) -> None:
    fits = {"percentage": 0 < value <= 100, "fixed": value > 0, "free_shipping": value == 0}
    if not fits[kind]:
        raise _value_invalid("The value does not fit the type", type=kind, value=value)


def _check_amounts(promotion: Mapping[str, Any], currency: str) -> None:
    amounts = [promotion["value"]] if promotion["type"] == "fixed" else []
    amounts += [promotion["minimum_subtotal"]] if "minimum_subtotal" in promotion else []
    if not amounts:
        return
    if promotion.get("currency") != currency:
        raise _value_invalid(f"Amounts need the currency of the shop, {currency}", currency=promotion.get("currency"))
    try:
        for amount in amounts:
            minor_units(amount, currency)
    except AmountNotExact as error:
        raise _value_invalid("An amount has too many decimals for its currency", amount=str(error)) from None


def _value_invalid(message: str, **facts: Any) -> Problem:
    return unprocessable(message, "promotion_value_invalid", **facts)


def content_tag(promotion: Mapping[str, Any]) -> str:
    """The version of what administrators set; redemptions do not change it, or a popular code could never be edited."""
    content = {name: promotion[name] for name in ("code", *FIELDS) if name in promotion}
    return hashlib.blake2b(orjson.dumps(content, option=orjson.OPT_SORT_KEYS), digest_size=12).hexdigest()


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The fields that differ, for the audit."""
    differing = (name for name in FIELDS if before.get(name) != after.get(name))
    return {name: (before.get(name), after.get(name)) for name in differing}


def promotion_view(promotion: Mapping[str, Any]) -> v.Promotion:
    """A promotion as administrators see it."""
    view: v.Promotion = {name: promotion[name] for name in _SHOWN if name in promotion}  # type: ignore[assignment]  # the document has the contract's names
    return view

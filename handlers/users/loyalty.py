"""What orders make of an account: points and tiers, and what the shop has learned about the customer. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from handlers.platform.money import decimals, minor_units

Json = dict[str, Any]

# Segments by orders so far: the last that is reached. ILLUSTRATIVE, until the agent is deployed.
SEGMENTS: Final = ((1, "new-customer"), (2, "returning-customer"), (5, "frequent-buyer"))


def points_of(total: float, currency: str) -> int:
    """One point per whole unit of the order's currency (decision 40)."""
    return int(minor_units(total, currency) // 10 ** decimals(currency))


def rewarded(user: Mapping[str, Any], totals: Mapping[str, Any], now: str) -> Json:
    """The account after one of its orders was completed. Spending in another currency earns points, but is no sum."""
    rewards, currency = user["rewards"], totals["currency"]
    spent = minor_units(totals["total"], currency) if currency == rewards["currency"] else 0
    return {
        **user,
        "rewards": {
            **rewards,
            "points": rewards["points"] + points_of(totals["total"], currency),
            "lifetime_spend": rewards["lifetime_spend"] + spent,
        },
        "updated_at": max(now, user["updated_at"]),
    }


def orders_count(user: Mapping[str, Any]) -> int:
    """How many orders the customer has placed, as far as the profile knows."""
    return int(user.get("crm", {}).get("orders_count", 0))


def profiled(user: Mapping[str, Any], orders: int, segments: list[str]) -> Json:
    """The account with what is known of the customer now."""
    return {**user, "crm": {"orders_count": orders, "segments": segments}}


def segments_of(orders: int) -> list[str]:
    """The segments of a customer, by the built-in rule."""
    reached = [name for start, name in SEGMENTS if orders >= start]
    return reached[-1:]

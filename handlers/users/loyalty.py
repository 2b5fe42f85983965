"""What orders make of an account: points and tiers, and what the shop has learned about the customer. Pure.

What an order has earned is kept in a row of its own, its *earning*: what it came to and what of it was refunded. Its
points are one for each whole unit of what is left, so that credits and refunds may be heard in any order, and refunds
in parts take back as much as one refund of all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from handlers.platform.money import decimals, minor_units

Json = dict[str, Any]

EARNING: Final = "earning"

# Segments by orders so far: the last that is reached. ILLUSTRATIVE, until the agent is deployed.
SEGMENTS: Final = ((1, "new-customer"), (2, "returning-customer"), (5, "frequent-buyer"))


def points_of(units: int, currency: str) -> int:
    """One point per whole unit of the order's currency (decision 40). `units`: minor units."""
    return int(units // 10 ** decimals(currency))


def earning_id(order_id: str) -> str:
    """The id of the row that says what an order has earned."""
    return f"{EARNING}|{order_id}"


def new_earning(user_id: str, order_id: str, currency: str) -> Json:
    """The row of an order that has earned nothing yet. Sums are in minor units."""
    row = {"id": earning_id(order_id), "kind": EARNING, "user_id": user_id, "order_id": order_id}
    return {**row, "currency": currency, "total": 0, "refunded": 0}


def completed(earning: Mapping[str, Any], total: float) -> Json:
    """The row after its order was completed."""
    return {**earning, "total": minor_units(total, earning["currency"])}


def refunded(earning: Mapping[str, Any], amount: float) -> Json:
    """The row after some of the money went back; came back to us where `amount` is below nothing."""
    return {**earning, "refunded": earning["refunded"] + minor_units(amount, earning["currency"])}


def rewarded(user: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any], now: str) -> Json:
    """The account after what one of its orders has earned went from `before` to `after`.

    Never below nothing: points that are not there (any more) are not owed. Spending in another currency than the
    account's earns points, but is no sum.
    """
    rewards, currency = user["rewards"], after["currency"]
    points = points_of(_left(after), currency) - points_of(_left(before), currency)
    spent = _left(after) - _left(before) if currency == rewards["currency"] else 0
    standing = {
        **rewards,
        "points": max(0, rewards["points"] + points),
        "lifetime_spend": max(0, rewards["lifetime_spend"] + spent),
    }
    return {**user, "rewards": standing, "updated_at": max(now, user["updated_at"])}


def _left(earning: Mapping[str, Any]) -> int:
    """What an order is worth, once it is completed and after what was refunded."""
    return max(0, int(earning["total"] - earning["refunded"]))


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

"""Whose order it is that somebody pays, and whether it can be paid now."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from typing import Any, Final

from handlers.contract.call import Call
from handlers.orders import store as orders
from handlers.payments import rules
from handlers.platform.access import is_guest_id
from handlers.platform.email import normalised
from handlers.platform.errors import not_found

# An order is `pending` for as long as its stock is being reserved, and clients ask right after they have ordered.
WAIT_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 0.05


async def find_own(call: Call, order_id: str, email: str | None) -> Mapping[str, Any] | None:
    """The caller's order; None for one of somebody else's, an unknown one, a wrong address."""
    found = await orders.find(call.services.store, order_id)
    return found.data if found is not None and _owns(found.data, call.principal.id, email) else None


async def own_order(call: Call, order_id: str, email: str | None) -> Mapping[str, Any]:
    """`find_own`. Raises `Problem` 404, whatever is the matter."""
    found = await find_own(call, order_id, email)
    if found is None:
        raise not_found("Order", order_id=order_id)
    return found


async def payable_order(call: Call, order_id: str, email: str | None, amount: float) -> Mapping[str, Any]:
    """The caller's order, when it waits for this amount. Waits a moment for its stock.

    Raises `Problem`: 404, 409 `payment_already_made`, `order_state_invalid`, 422 `amount_mismatch`.
    """
    order = await own_order(call, order_id, email)
    rules.check_amount(order["totals"], amount)
    loop = asyncio.get_running_loop()
    end = loop.time() + WAIT_SECONDS
    while order["status"] == "pending" and loop.time() < end:
        await asyncio.sleep(LOOK_SECONDS)
        order = await own_order(call, order_id, email)
    rules.check_payable(order["status"])
    return order


def _owns(order: Mapping[str, Any], caller: str, email: str | None) -> bool:
    if caller and caller == order["user_id"]:
        return True
    if email is None or not is_guest_id(order["user_id"]):
        return False  # by e-mail only a guest's order is paid (decision 72)
    try:
        return hmac.compare_digest(order["email"].encode(), normalised(email).encode())
    except ValueError:
        return False

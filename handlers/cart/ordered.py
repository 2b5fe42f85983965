"""What becomes of a cart when an order was placed from it. For the order process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from handlers.cart import rules, store
from handlers.cart.basket import ATTEMPTS, lines_of
from handlers.contract.services import EventServices
from handlers.platform.concurrency import retrying
from handlers.platform.store.port import DocumentMissing, VersionConflict

Json = dict[str, Any]

_REMEMBERED: Final = 10


async def take_ordered(services: EventServices, owner: str, order_id: str, ordered: Mapping[str, int]) -> None:
    """Takes the units of each variant that an order has out of its owner's cart, with the promo code.

    Once for each order, however often it is asked; what was put in since the order was priced stays, for the next one.
    `order_id` of the cart names the newest order.
    """
    currency = services.settings.shop_currency

    async def attempt() -> None:
        found = await store.read(services.store, owner)
        if found is None or order_id in found.data["order_ids"]:
            return
        cart = found.data
        left = rules.without_ordered(lines_of(cart, currency), ordered)
        after: Json = {
            **cart,
            "items": [store.item_of(line, currency) for line in left],
            "promo_code": None,
            "edition": None,
            "order_id": order_id,
            "order_ids": [order_id, *cart["order_ids"]][:_REMEMBERED],
        }
        await store.write(services.store, after, found.etag, services.clock.now())

    await retrying(attempt, attempts=ATTEMPTS, on=(VersionConflict, DocumentMissing))

"""Putting something into a cart: which variant a shopper means, and whether it is for sale."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.cart import rules
from handlers.cart.basket import Basket, Draft, changed
from handlers.cart.shelf import Goods, Shelf
from handlers.contract.call import Call
from handlers.contract.services import EventServices
from handlers.platform.access import Principal
from handlers.platform.clock import timestamp
from handlers.platform.errors import unprocessable
from handlers.products.counters import Counters


async def put(call: Call, owner: Principal, product_id: str, variant_id: str | None, quantity: int) -> Basket:
    """The owner's cart with more units of a variant; without an id of the first one that can be ordered.

    Raises `Problem` 422: `product_not_found`, `item_unavailable`, `variant_not_found`, `out_of_stock`,
    `quantity_limit`.
    """
    services = call.services
    variants = await _variants(services, product_id, variant_id)
    now = timestamp(services.clock.now())

    async def add(draft: Draft) -> None:
        found = [draft.goods[variant] for variant in variants if variant in draft.goods]
        goods = _picked(found, product_id, named=variant_id is not None)
        draft.lines = rules.added(draft.lines, goods, quantity, now)

    basket = await changed(call, owner, add, also=[(product_id, variant) for variant in variants])
    services.room(Counters).put_into_cart(product_id)
    return basket


async def _variants(services: EventServices, product_id: str, variant_id: str | None) -> Sequence[str]:
    """The variants that may be meant."""
    article = (await services.room(Shelf).find([product_id]))[0].get(product_id)
    if article is None or article.status == "draft":
        raise unprocessable("There is no such product", "product_not_found", product_id=product_id)
    if not article.sold:
        raise _not_sold(product_id)
    if variant_id is None:
        return [*article.variants]
    if variant_id not in article.variants:
        raise unprocessable("The product has no such variant", "variant_not_found", variant_id=variant_id)
    return [variant_id]


def _picked(found: Sequence[Goods], product_id: str, *, named: bool) -> Goods:
    """The first that can be ordered; one that was named in any case, for its shopper hears how many there are."""
    if not found:
        raise _not_sold(product_id)
    chosen = found[0] if named else next((goods for goods in found if goods.stock > 0), None)
    if chosen is None:
        raise unprocessable("The product is sold out", "out_of_stock", product_id=product_id)
    return chosen


def _not_sold(product_id: str) -> Exception:
    return unprocessable("This product is not sold any more", "item_unavailable", product_id=product_id)

"""Which variant a shopper means, and whether it is for sale."""

from __future__ import annotations

from handlers.cart.goods import Goods, goods_of, products_of, stock_of, variant_of
from handlers.contract.services import EventServices
from handlers.platform.errors import unprocessable
from handlers.pricing.prices import Prices


async def pick(services: EventServices, product_id: str, variant_id: str | None) -> Goods:
    """The variant; without an id the first one that can be ordered.

    Raises `Problem` 422: `product_not_found`, `item_unavailable`, `variant_not_found`, `out_of_stock`.
    """
    product = (await products_of(services, [product_id])).get(product_id)
    if product is None or product["status"] == "draft":
        raise unprocessable("There is no such product", "product_not_found", product_id=product_id)
    if product["status"] != "active":
        raise unprocessable("This product is not sold any more", "item_unavailable", product_id=product_id)
    if variant_id is not None:
        variant = variant_of(product, variant_id)
        if variant is None:
            raise unprocessable("The product has no such variant", "variant_not_found", variant_id=variant_id)
    stock = await stock_of(services, product if variant_id is None else {**product, "variants": [variant]})
    chosen = variant_id or next((each for each, units in stock.items() if units > 0), None)
    if chosen is None:
        raise unprocessable("The product is sold out", "out_of_stock", product_id=product_id)
    return goods_of(services.room(Prices), product, variant_of(product, chosen) or {}, stock[chosen])

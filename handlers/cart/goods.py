"""What carts hold, as the catalogue and the stock say it now. Stock is always read; it is what runs out."""

from __future__ import annotations

from collections.abc import Iterable

from handlers.cart.shelf import Goods, Shelf
from handlers.contract.services import EventServices
from handlers.inventory.rules import available
from handlers.inventory.store import CONTAINER as INVENTORY
from handlers.platform.store.port import Document

# A product and one of its variants, by their ids.
Wanted = tuple[str, str]


async def find(services: EventServices, wanted: Iterable[Wanted], *, exact: bool = False) -> dict[str, Goods]:
    """The goods wanted by variant; `exact` as for `Shelf.find`. What is not sold (any more) is left out."""
    pairs = list(dict.fromkeys(wanted))
    if not pairs:
        return {}
    products = dict.fromkeys([product_id for product_id, _ in pairs])
    beside = [(INVENTORY, product_id, variant_id) for product_id, variant_id in pairs]
    articles, stocks = await services.room(Shelf).find(products, beside, exact=exact)
    found: dict[str, Goods] = {}
    for (product_id, variant_id), stock in zip(pairs, stocks, strict=True):
        article = articles.get(product_id)
        if article is not None and article.sold and variant_id in article.variants:
            found[variant_id] = article.variants[variant_id]._replace(stock=_units(stock))
    return found


def _units(stock: Document | None) -> int:
    return available(stock.data) if stock is not None else 0

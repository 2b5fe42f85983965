"""What carts hold, as the catalogue and the stock say it now: products and stock by point reads."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handlers.contract.services import EventServices
from handlers.inventory.rules import available
from handlers.inventory.store import CONTAINER as INVENTORY
from handlers.platform.money import minor_units
from handlers.platform.store.port import Document
from handlers.pricing.prices import Prices
from handlers.pricing.tax import millionths
from handlers.products import store
from handlers.products.catalogue import Catalogue

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Goods:
    """A variant for sale: price in minor units, tax rate in millionths, weight in grams, units that can be ordered."""

    product_id: str
    variant_id: str
    sku: str
    name: str
    variant_name: str
    unit_price: int
    tax_rate: int
    grams: int
    stock: int
    image_url: str | None = None


async def find(services: EventServices, wanted: Iterable[tuple[str, str]]) -> dict[str, Goods]:
    """The goods of (product, variant) pairs by variant. What is not sold (any more) is left out."""
    pairs = list(wanted)
    products, stocks = await asyncio.gather(
        products_of(services, list(dict.fromkeys(product for product, _ in pairs))),
        services.store.read_many(INVENTORY, pairs),
    )
    found: dict[str, Goods] = {}
    for (product_id, variant_id), stock in zip(pairs, stocks, strict=True):
        product = products.get(product_id)
        if product is None or product["status"] != "active":
            continue
        variant = variant_of(product, variant_id)
        if variant is not None:
            found[variant_id] = goods_of(services.room(Prices), product, variant, _units(stock))
    return found


async def products_of(services: EventServices, product_ids: Sequence[str]) -> dict[str, Json]:
    """The products of ids, in any status, as they are in the store; the index says where they lie."""
    index = await services.room(Catalogue).index()
    entries = [index.find(product_id) for product_id in product_ids]
    keys = [(entry.category, entry.id) for entry in entries if entry is not None]
    read = await store.read_many(services.store, keys)
    found: dict[str, Json] = {each.data["product_id"]: each.data for each in read if each is not None}
    for product_id in product_ids:
        if product_id not in found:  # new, moved or deleted elsewhere a moment ago
            document = await store.locate(services.store, product_id)
            if document is not None and document.data["product_id"] == product_id:
                found[product_id] = document.data
    return found


async def stock_of(services: EventServices, product: Json) -> dict[str, int]:
    """Units that can be ordered of each variant of a product."""
    pairs = [(product["product_id"], variant["variant_id"]) for variant in product["variants"]]
    read = await services.store.read_many(INVENTORY, pairs)
    return {variant_id: _units(stock) for (_, variant_id), stock in zip(pairs, read, strict=True)}


def variant_of(product: Json, variant_id: str) -> Json | None:
    """The variant of an id, if it is the product's."""
    return next((each for each in product["variants"] if each["variant_id"] == variant_id), None)


def goods_of(prices: Prices, product: Json, variant: Json, stock: int) -> Goods:
    """A variant as it is sold. Its price is the product's with its adjustment."""
    price, currency = product["price"], prices.currency
    images = sorted(product["images"], key=lambda image: image["order"])
    return Goods(
        product_id=product["product_id"],
        variant_id=variant["variant_id"],
        sku=variant["sku"],
        name=product["name"],
        variant_name=" / ".join(variant["attributes"].values())[:500],
        unit_price=minor_units(price["amount"], currency) + minor_units(variant["price_adjustment"], currency),
        tax_rate=millionths(price["tax_rate"]),
        grams=variant.get("weight_grams") or prices.shipping.usual_weight(product["category_slug"]),
        stock=stock,
        image_url=images[0]["url"] if images else None,
    )


def _units(stock: Document | None) -> int:
    return available(stock.data) if stock is not None else 0

"""What the parameters of a list mean, and what of a product is shown where. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Final, Literal

from pydantic import MISSING

from generated import models as m
from generated import views as v
from handlers.platform.errors import fault, invalid
from handlers.platform.money import decimals
from handlers.products.index.index import SortKey
from handlers.products.index.select import Conditions

Sort = Literal["relevance", "price", "name", "created_at", "rating", "popularity"]
Direction = Literal["asc", "desc"]

_ASCENDING: Final = frozenset({"price", "name"})


@dataclass(frozen=True, slots=True)
class Order:
    """How a list is arranged. `tiered`: better matches of the words first, whatever the key says."""

    key: SortKey
    descending: bool
    tiered: bool


def order_of(sort: Sort | None, direction: Direction | None, *, has_words: bool) -> Order:
    """The order that the parameters ask for; relevance without words is popularity."""
    sort = sort or "relevance"
    descending = sort not in _ASCENDING if direction is None else direction == "desc"
    if sort == "relevance":
        return Order("popularity", descending, tiered=has_words)
    return Order(sort, descending, tiered=False)


def conditions(
    filters: m.ProductFilters | None, categories: Sequence[str] | None, status: str | None, currency: str
) -> Conditions:
    """The filters of the contract as the index understands them; `currency` is the shop's."""
    within = tuple(categories) if categories is not None else None
    if filters is None:
        return Conditions(categories=within, status=status)
    low, high, foreign = _price_bounds(filters, currency)
    return Conditions(
        categories=within,
        status=status,
        price_min=low,
        price_max=high,
        brands=tuple(filters.brand) if filters.brand is not MISSING else (),
        rating=math.ceil(Decimal(repr(filters.rating)) * 10) if filters.rating is not MISSING else None,
        in_stock=filters.in_stock if filters.in_stock is not MISSING else None,
        attributes=_attributes(filters),
        nothing=foreign,
    )


def _price_bounds(filters: m.ProductFilters, currency: str) -> tuple[int | None, int | None, bool]:
    """Lowest and highest price in minor units, and whether the range is in a currency that nothing is sold in."""
    price = filters.price
    if price is MISSING:
        return None, None, False
    if not price.model_fields_set:  # the generated model does not know `minProperties`
        raise invalid([fault("query", "filters", "/price: At least 1 property needed")])
    foreign = price.currency is not MISSING and price.currency != currency
    low = _units(price.min, currency, ROUND_CEILING) if price.min is not MISSING else None
    high = _units(price.max, currency, ROUND_FLOOR) if price.max is not MISSING else None
    # A range whose ends are swapped matches nothing, and is no error (contract: PriceRange).
    return low, high, foreign or (low is not None and high is not None and low > high)


def _units(amount: float, currency: str, rounding: str) -> int:
    """A bound in minor units; one between two of them goes to the side that lets no other price in."""
    return int(Decimal(repr(amount)).scaleb(decimals(currency)).to_integral_value(rounding=rounding))


def _attributes(filters: m.ProductFilters) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if filters.attributes is MISSING:
        return ()
    return tuple((key, tuple(values)) for key, values in filters.attributes.items())


def summary(product: Any) -> v.ProductSummary:
    """A product in short, from its document: for related products, wishlists, recommendations."""
    shown: v.ProductSummary = {
        "product_id": product["product_id"],
        "name": product["name"],
        "slug": product["slug"],
        "brand": product["brand"],
        "price": product["price"],
        "in_stock": any(variant["stock"] > 0 for variant in product["variants"]),
        "rating": product["rating"],
    }
    if product["images"]:
        shown["image_url"] = min(product["images"], key=lambda image: image["order"])["url"]
    return shown

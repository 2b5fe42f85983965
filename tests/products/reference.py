"""What lists and facets should be, said the slow and plain way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from handlers.platform.texts import folded

Json = dict[str, Any]


def matches(product: Json, filters: Json) -> bool:
    """Whether a product meets every filter."""
    price = Decimal(str(product["price"]["amount"]))
    bounds = filters.get("price", {})
    if "min" in bounds and price < Decimal(str(bounds["min"])):
        return False
    if "max" in bounds and price > Decimal(str(bounds["max"])):
        return False
    if "brand" in filters and folded(product["brand"]) not in {folded(brand) for brand in filters["brand"]}:
        return False
    if product["rating"]["average"] < filters.get("rating", 0):
        return False
    if "in_stock" in filters and filters["in_stock"] != any(v["stock"] > 0 for v in product["variants"]):
        return False
    return all(
        values_of(product, key) & {folded(value) for value in values}
        for key, values in filters.get("attributes", {}).items()
    )


def values_of(product: Json, key: str) -> set[str]:
    """The values of an attribute that the product has, itself or in a variant, without regard to case."""
    holders = (product, *product["variants"])
    return {folded(holder["attributes"][key]) for holder in holders if key in holder["attributes"]}


def popularity(product: Json) -> int:
    """Purchases and views as one number."""
    return int(product["analytics"]["purchases"] * 20 + product["analytics"]["views"])


def ordered(products: Iterable[Json], sort: str, order: str | None) -> list[Json]:
    """The products in the order of the contract, ids where they are equal."""
    keys: dict[str, Callable[[Json], Any]] = {
        "price": lambda product: product["price"]["amount"],
        "name": lambda product: folded(product["name"]),
        "created_at": lambda product: product["created_at"],
        "rating": lambda product: product["rating"]["average"],
    }
    key = keys.get(sort, popularity)
    descending = order == "desc" if order else sort not in ("price", "name")
    return sorted(products, key=lambda product: (key(product), product["product_id"]), reverse=descending)

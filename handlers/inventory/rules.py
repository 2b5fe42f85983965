"""Stock levels in words and sums. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from generated import views as v

Json = Mapping[str, Any]
StockStatus = Literal["in_stock", "low_stock", "out_of_stock"]

LOW_STOCK: Final = 5
_BEST_FIRST: Final[tuple[StockStatus, ...]] = ("in_stock", "low_stock", "out_of_stock")


def available(stock: Json) -> int:
    """Units of a variant that can be ordered: on hand, less those held for open orders."""
    return max(0, int(stock["on_hand"]) - int(stock["reserved"]))


def status(units: int) -> StockStatus:
    """Availability in a word (contract: StockStatus)."""
    if units <= 0:
        return "out_of_stock"
    return "low_stock" if units <= LOW_STOCK else "in_stock"


def product_inventory(
    product_id: str, variant_ids: Sequence[str], stocks: Sequence[Json], since: str
) -> v.ProductInventory:
    """The stock of a product, variants in the order of the product; `since`: it is no older than that."""
    by_id = {stock["variant_id"]: stock for stock in stocks}
    known = [by_id[variant_id] for variant_id in variant_ids if variant_id in by_id]
    variants = [_variant(stock) for stock in known]
    statuses = {variant["status"] for variant in variants}
    return {
        "product_id": product_id,
        "status": next((best for best in _BEST_FIRST if best in statuses), "out_of_stock"),
        "available": sum(variant["available"] for variant in variants),
        "variants": variants,
        "updated_at": max([since, *(stock["updated_at"] for stock in known)]),
    }


def _variant(stock: Json) -> v.VariantStock:
    units = available(stock)
    return {"variant_id": stock["variant_id"], "sku": stock["sku"], "status": status(units), "available": units}

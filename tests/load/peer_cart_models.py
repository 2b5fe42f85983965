"""The peer's cart: documents and answers as pydantic models."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel


class StockDocument(BaseModel):
    """The stock of a variant as it is stored."""

    id: str
    product_id: str
    variant_id: str
    sku: str
    on_hand: int
    reserved: int
    version: int
    updated_at: str


class CartItemDocument(BaseModel):
    """A line as it is stored."""

    cart_item_id: str
    product_id: str
    variant_id: str
    sku: str
    name: str
    variant_name: str
    quantity: int
    unit_price: float
    available: bool
    added_at: str
    image_url: str | None = None


class CartDocument(BaseModel):
    """A cart as it is stored."""

    id: str
    cart_id: str
    user_id: str
    session_id: str | None = None
    items: list[CartItemDocument]
    promo_code: str | None = None
    version: int
    edition: int | None = None
    merges: list[dict[str, Any]]
    order_id: str | None = None
    order_ids: list[str]
    created_at: str
    updated_at: str | None = None
    expires_at: str | None = None
    ttl: int | None = None


class CartItem(CartItemDocument):
    """A line as it is shown."""

    line_total: float
    currency: str
    max_quantity: int


class CartTotals(BaseModel):
    subtotal: float
    discount: float
    tax_estimate: float
    shipping_estimate: float | None = None
    total_estimate: float
    currency: str


class CartNotice(BaseModel):
    code: Literal["price_changed", "quantity_reduced", "unavailable", "promo_code_removed", "allocation_limited"]
    message: str
    cart_item_id: str | None = None
    previous_unit_price: float | None = None
    unit_price: float | None = None
    previous_quantity: int | None = None
    quantity: int | None = None
    currency: str


class Cart(BaseModel):
    cart_id: str
    user_id: str
    items: list[CartItem]
    totals: CartTotals
    promo_code: str | None
    notices: list[CartNotice]
    created_at: str
    updated_at: str
    expires_at: str

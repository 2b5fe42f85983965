"""The peer's cart: a unit put into it, over the same rules and documents; answers as pydantic models."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Depends, Request, Response
from pydantic import MISSING, BaseModel

from generated import models as m
from handlers.cart.picking import put
from handlers.cart.views import cart_view
from handlers.contract.call import Call
from handlers.platform.access import Principal
from handlers.platform.request import RequestInfo
from handlers.pricing.prices import Prices
from tests.load.peer_asking import Deps, limited, permitted

WRITE_CART = permitted("anonymous", "write:cart")


class CartItem(BaseModel):
    cart_item_id: str
    product_id: str
    variant_id: str
    sku: str
    name: str
    variant_name: str
    quantity: int
    unit_price: float
    line_total: float
    currency: str
    image_url: str | None = None
    available: bool
    max_quantity: int
    added_at: str


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


async def add_cart_item(
    *,
    request: Request,
    response: Response,
    body: m.CartItemAdd,
    services: Deps,
    principal: Annotated[Principal, Depends(WRITE_CART)],
    info: Annotated[RequestInfo, Depends(limited("addCartItem"))],
) -> Any:
    """Adds units of a variant to the cart of a caller who has a token."""
    info.template = "/api/cart/items"
    call = Call(services, principal, info, request.scope["headers"])
    variant_id = body.variant_id if body.variant_id is not MISSING else None
    basket = await put(call, principal, body.product_id, variant_id, body.quantity)
    response.headers["etag"] = f'"{basket.etag}"'
    response.headers["cache-control"] = "no-store"
    return cart_view(basket, services.room(Prices))

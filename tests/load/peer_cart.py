"""The peer's cart as a FastAPI team writes one: documents, lines and answers are pydantic models.

Same store, same documents, same checks, same sums: the tables of prices and the retries are ours. It knows no promo
codes and no notices about quantities; what it leaves out is to its advantage. `add_by_our_rules` is the same operation
over our own rules instead: what is left between the two of us is then the framework alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, Request, Response
from pydantic import MISSING

from generated import models as m
from handlers.cart import store
from handlers.cart.picking import put
from handlers.cart.rules import MAX_LINES, MAX_QUANTITY, item_id_of
from handlers.cart.views import cart_view
from handlers.contract.call import Call
from handlers.contract.services import Services
from handlers.inventory.store import CONTAINER as INVENTORY
from handlers.platform.access import Principal
from handlers.platform.clock import timestamp
from handlers.platform.concurrency import FASTER, retrying
from handlers.platform.errors import unprocessable
from handlers.platform.money import major_units, minor_units
from handlers.platform.request import RequestInfo
from handlers.platform.store.port import Document
from handlers.pricing.prices import Piece, Prices
from handlers.pricing.tax import millionths
from handlers.products.catalogue import Catalogue
from handlers.products.counters import Counters
from tests.load import peer_cart_models as view
from tests.load import peer_models
from tests.load.peer_asking import Deps, limited, permitted

WRITE_CART = permitted("anonymous", "write:cart")


class Goods(NamedTuple):
    """A variant for sale with the units there are."""

    product: peer_models.Product
    variant: peer_models.Variant
    stock: int

    @property
    def name(self) -> str:
        return " / ".join(self.variant.attributes.values())

    @property
    def price(self) -> int:
        """In minor units."""
        currency = self.product.price.currency
        return minor_units(self.product.price.amount, currency) + minor_units(self.variant.price_adjustment, currency)


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
    goods = await _asked_for(services, body)

    async def attempt() -> tuple[view.CartDocument, list[Goods], str]:
        return await _added(services, principal, goods, body.quantity)

    cart, bought, etag = await retrying(attempt, attempts=10, on=FASTER)
    services.room(Counters).put_into_cart(body.product_id)
    response.headers["etag"] = f'"{etag}"'
    response.headers["cache-control"] = "no-store"
    return _answer(cart, bought, services.room(Prices))


async def _asked_for(services: Services, body: m.CartItemAdd) -> Goods:
    product = await _product(services, body.product_id)
    if product is None or product.status == "draft":
        raise unprocessable("There is no such product", "product_not_found", product_id=body.product_id)
    if product.status != "active":
        raise unprocessable("This product is not sold any more", "item_unavailable", product_id=body.product_id)
    wanted = [each for each in product.variants if body.variant_id in (MISSING, each.variant_id)]
    if not wanted:
        raise unprocessable("The product has no such variant", "variant_not_found", variant_id=body.variant_id)
    stocks = await asyncio.gather(*(_stock(services, product.product_id, each.variant_id) for each in wanted))
    found = [Goods(product, variant, stock) for variant, stock in zip(wanted, stocks, strict=True)]
    return next((goods for goods in found if goods.stock > 0), found[0])


async def _added(
    services: Services, principal: Principal, goods: Goods, quantity: int
) -> tuple[view.CartDocument, list[Goods], str]:
    """The cart with more units of a variant, what its lines hold, and its etag."""
    now = services.clock.now()
    found = await store.read(services.store, principal.id)
    cart = (
        view.CartDocument.model_validate_json(found.raw)
        if found is not None
        else view.CartDocument.model_validate(store.new_cart(principal, now))
    )
    known = {goods.variant.variant_id: goods}
    for each in await _goods_of(services, [item for item in cart.items if item.variant_id not in known]):
        known[each.variant.variant_id] = each
    for item in cart.items:
        _refresh(item, known.get(item.variant_id))
    _add(cart, goods, quantity, timestamp(now))
    written = await _write(services, cart, found)
    held = [known[item.variant_id] for item in cart.items if item.variant_id in known]
    return view.CartDocument.model_validate_json(written.raw), held, written.etag


def _add(cart: view.CartDocument, goods: Goods, quantity: int, now: str) -> None:
    product, variant = goods.product, goods.variant
    line = next((item for item in cart.items if item.variant_id == variant.variant_id), None)
    total = quantity + (line.quantity if line is not None else 0)
    if total > MAX_QUANTITY:
        raise unprocessable(f"At most {MAX_QUANTITY} units of an article", "quantity_limit")
    if total > goods.stock:
        raise unprocessable("There are not so many left", "out_of_stock", available=goods.stock)
    if line is not None:
        line.quantity = total
        return
    if len(cart.items) >= MAX_LINES:
        raise unprocessable(f"A cart has at most {MAX_LINES} lines", "quantity_limit")
    images = sorted(product.images, key=lambda image: image.order)
    cart.items.append(
        view.CartItemDocument(
            cart_item_id=item_id_of(variant.variant_id),
            product_id=product.product_id,
            variant_id=variant.variant_id,
            sku=variant.sku,
            name=product.name,
            variant_name=goods.name,
            quantity=quantity,
            unit_price=major_units(goods.price, product.price.currency),
            available=True,
            added_at=now,
            image_url=images[0].url if images else None,
        )
    )


def _refresh(item: view.CartItemDocument, goods: Goods | None) -> None:
    """Today's name, price and availability."""
    item.available = goods is not None and goods.stock > 0
    if goods is not None and item.available:
        item.sku, item.name, item.variant_name = goods.variant.sku, goods.product.name, goods.name
        item.unit_price = major_units(goods.price, goods.product.price.currency)
        item.quantity = min(item.quantity, goods.stock)


async def _goods_of(services: Services, items: Sequence[view.CartItemDocument]) -> list[Goods]:
    """What lines hold, as far as it is sold."""
    products, stocks = await asyncio.gather(
        asyncio.gather(*(_product(services, item.product_id) for item in items)),
        asyncio.gather(*(_stock(services, item.product_id, item.variant_id) for item in items)),
    )
    found = []
    for item, product, stock in zip(items, products, stocks, strict=True):
        if product is not None and product.status == "active":
            found += [Goods(product, each, stock) for each in product.variants if each.variant_id == item.variant_id]
    return found


async def _product(services: Services, product_id: str) -> peer_models.Product | None:
    entry = (await services.room(Catalogue).index()).find(product_id)
    if entry is None:
        return None
    document = await services.store.read("products", entry.category, entry.id)
    return peer_models.Product.model_validate_json(document.raw) if document is not None else None


async def _stock(services: Services, product_id: str, variant_id: str) -> int:
    document = await services.store.read(INVENTORY, product_id, variant_id)
    if document is None:
        return 0
    stock = view.StockDocument.model_validate_json(document.raw)
    return max(0, stock.on_hand - stock.reserved)


async def _write(services: Services, cart: view.CartDocument, before: Document | None) -> Document:
    etag = before.etag if before is not None else None
    document = cart.model_dump(mode="json", exclude_none=True) | {"promo_code": cart.promo_code}
    return await store.write(services.store, document, etag, services.clock.now())


def _answer(cart: view.CartDocument, held: Sequence[Goods], prices: Prices) -> view.Cart:
    currency = prices.currency
    by_variant = {goods.variant.variant_id: goods for goods in held}
    items, pieces = [], []
    for item in cart.items:
        goods = by_variant.get(item.variant_id)
        units = minor_units(item.unit_price, currency)
        items.append(
            view.CartItem(
                **item.model_dump(exclude_none=True),
                line_total=major_units(units * item.quantity, currency),
                currency=currency,
                max_quantity=min(MAX_QUANTITY, goods.stock) if goods is not None else 0,
            )
        )
        if goods is not None and item.available:
            grams = prices.shipping.usual_weight(goods.product.category_slug)
            pieces.append(Piece(item.quantity, units, millionths(goods.product.price.tax_rate), grams))
    totals = prices.estimated(pieces, None).totals
    return view.Cart(
        **cart.model_dump(include={"cart_id", "user_id", "promo_code", "created_at", "updated_at", "expires_at"}),
        items=items,
        totals=view.CartTotals(
            subtotal=major_units(totals.subtotal, currency),
            discount=major_units(totals.discount, currency),
            tax_estimate=major_units(totals.tax, currency),
            shipping_estimate=major_units(totals.shipping, currency),
            total_estimate=major_units(totals.total, currency),
            currency=currency,
        ),
        notices=[],
    )


async def add_by_our_rules(
    *,
    request: Request,
    response: Response,
    body: m.CartItemAdd,
    services: Deps,
    principal: Annotated[Principal, Depends(WRITE_CART)],
    info: Annotated[RequestInfo, Depends(limited("addCartItem"))],
) -> Any:
    """The same over our own rules."""
    info.template = "/api/cart/items"
    call = Call(services, principal, info, request.scope["headers"])
    variant_id = body.variant_id if body.variant_id is not MISSING else None
    basket = await put(call, principal, body.product_id, variant_id, body.quantity)
    response.headers["etag"] = f'"{basket.etag}"'
    response.headers["cache-control"] = "no-store"
    return cart_view(basket, services.room(Prices))

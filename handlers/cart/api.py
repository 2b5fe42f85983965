"""Operations of the tag `cart`."""

from __future__ import annotations

from pydantic import MISSING

from generated import models as m
from generated import params as p
from generated import views as v
from handlers.auth import rules as auth_rules
from handlers.auth import signin
from handlers.cart import basket as baskets
from handlers.cart import rules
from handlers.cart.basket import Basket, Draft
from handlers.cart.merging import merge
from handlers.cart.picking import put
from handlers.cart.views import cart_view, empty_view
from handlers.contract.call import Call
from handlers.contract.reply import Header, Reply
from handlers.platform.errors import fault, invalid, not_found
from handlers.pricing.prices import Prices


async def get_cart(call: Call) -> Reply[v.Cart]:
    """The cart of the caller with today's prices and availability. What it tells is told once, prices excepted."""
    if not call.principal.id:
        return Reply(empty_view(call.services.settings.shop_currency))
    return _reply(call, await baskets.changed(call, call.principal))


async def add_cart_item(body: m.CartItemAdd, call: Call) -> Reply[v.Cart]:
    """Adds units of a variant; a caller without a session becomes a guest (decision 48)."""
    variant_id = body.variant_id if body.variant_id is not MISSING else None
    session = signin.guest(call.services) if not call.principal.id else None
    owner = auth_rules.guest_principal(session["session_id"]) if session is not None else call.principal
    return _reply(call, await put(call, owner, body.product_id, variant_id, body.quantity), session)


async def update_cart_item(params: p.UpdateCartItemParameters, body: m.CartItemUpdate, call: Call) -> Reply[v.Cart]:
    """Sets the quantity of a line."""
    quantity = body.quantity
    if quantity is MISSING:
        raise invalid([fault("body", "/quantity", "Field required")])

    async def update(draft: Draft) -> None:
        draft.lines = rules.set_quantity(draft.lines, params.item_id, quantity)

    _check_owner(call, params.item_id)
    return _reply(call, await baskets.changed(call, call.principal, update))


async def remove_cart_item(params: p.RemoveCartItemParameters, call: Call) -> Reply[v.Cart]:
    """Removes a line."""

    async def remove(draft: Draft) -> None:
        draft.lines = rules.removed(draft.lines, params.item_id)

    _check_owner(call, params.item_id)
    return _reply(call, await baskets.changed(call, call.principal, remove))


async def clear_cart(call: Call) -> None:
    """Removes every line and the promo code."""

    async def clear(draft: Draft) -> None:
        draft.lines, draft.cart["promo_code"] = [], None

    if call.principal.id:
        await baskets.changed(call, call.principal, clear)


async def merge_cart(body: m.CartMerge, call: Call) -> Reply[v.Cart]:
    """Moves the lines of a guest's cart into that of the signed-in caller."""
    return _reply(call, await merge(call, body.guest_token))


def _check_owner(call: Call, item_id: str) -> None:
    """Raises `Problem` 404 for a caller who can have no cart."""
    if not call.principal.id:
        raise not_found("Cart item", item_id=item_id)


def _reply(call: Call, basket: Basket, session: v.Session | None = None) -> Reply[v.Cart]:
    services = call.services
    view = cart_view(basket, services.room(Prices))
    headers: list[Header] = []
    if session is not None:
        headers = auth_rules.session_cookies(session, secure=services.settings.in_production)
        view["guest_session"] = {
            "session_id": session["session_id"],
            "access_token": session["access_token"],
            "expires_in": session["expires_in"],
            "csrf_token": session["csrf_token"],
        }
    return Reply(view, etag=basket.etag, headers=headers)

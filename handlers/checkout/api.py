"""Operations of the tag `checkout`: those of shoppers. Those of administrators are in `admin.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import MISSING

from generated import models as m
from generated import views as v
from handlers.addresses.api import examine
from handlers.cart import basket as baskets
from handlers.cart.basket import Draft, pieces_of
from handlers.cart.views import cart_view, empty_view, totals_view
from handlers.checkout.admin import (
    create_promotion,
    delete_promotion,
    get_promotion,
    list_promotions,
    update_promotion,
)
from handlers.checkout.bill import draw_up, nothing_to_order
from handlers.checkout.support import short_lines
from handlers.checkout.views import quote_view
from handlers.contract.call import Call
from handlers.contract.reply import Reply
from handlers.platform.email import address_in
from handlers.platform.money import major_units
from handlers.pricing import offers
from handlers.pricing.prices import Prices, subtotal_of

__all__ = [
    "apply_promo_code",
    "create_promotion",
    "create_quote",
    "delete_promotion",
    "get_promotion",
    "list_promotions",
    "remove_promo_code",
    "update_promotion",
]


async def apply_promo_code(body: m.PromoCodeApply, call: Call) -> v.PromoResult:
    """Applies a promo code to the cart, in place of one before; one that does not apply leaves the cart as it was."""
    code = offers.normal(body.code)

    async def put(draft: Draft) -> None:
        pieces = pieces_of(draft.lines)
        if not pieces:
            raise nothing_to_order(draft.lines)
        promotion, why = await baskets.judged(call, call.principal, draft.cart, code, subtotal_of(pieces))
        if why is not None:
            raise offers.refused(why, code, **_minimum(promotion, why))
        draft.cart["promo_code"] = code

    if not call.principal.id:
        raise nothing_to_order(())
    basket = await baskets.changed(call, call.principal, put)
    prices = call.services.room(Prices)
    price = basket.estimate(prices)
    promotion = basket.promotion
    if promotion is None:  # it ended between our two looks at it
        raise offers.refused("promo_code_expired", code)
    return {
        "valid": True,
        "code": code,
        "type": promotion["type"],
        "discount": major_units(price.totals.discount, prices.currency),
        "currency": prices.currency,
        "totals": totals_view(price, prices.currency),
    }


def _minimum(promotion: Mapping[str, Any] | None, why: offers.Refusal) -> dict[str, Any]:
    """What the cart has to come to, where that is what is missing."""
    if promotion is None or why != "promo_code_minimum":
        return {}
    return {"minimum_subtotal": promotion["minimum_subtotal"], "currency": promotion["currency"]}


async def remove_promo_code(call: Call) -> Reply[v.Cart]:
    """Takes the promo code off the cart."""

    async def take(draft: Draft) -> None:
        draft.cart["promo_code"] = None

    prices = call.services.room(Prices)
    if not call.principal.id:
        return Reply(empty_view(prices.currency))
    basket = await baskets.changed(call, call.principal, take)
    return Reply(cart_view(basket, prices), etag=basket.etag)


async def create_quote(body: m.QuoteCreate, call: Call) -> v.Quote:
    """What the cart would cost, delivered to an address. Nothing is stored or reserved."""
    bill = await draw_up(
        call,
        examine(body.shipping_address, call),
        method=body.shipping_method if body.shipping_method is not MISSING else None,
        code=body.promo_code if body.promo_code is not MISSING else None,
        email=address_in(body.email) if body.email is not MISSING else None,
    )
    notices = [*bill.basket.notices, *await short_lines(call.services, bill)]
    return quote_view(bill, notices, call.services.clock.now())

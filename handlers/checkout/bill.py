"""What a cart costs, delivered: the one computation behind quotes and orders, so that they agree to the cent.

    bill = await draw_up(call, address, method="standard", code=None, email="dana@example.com")

reads the cart of the caller as it is now and writes nothing. An order is priced by the same call: `bill.lines`,
`bill.totals`, `bill.code` are what it is made of, `bill.cart` in its `edition` is what it is made from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handlers.addresses.postal import Examined
from handlers.addresses.rules import deliverable
from handlers.cart import basket as baskets
from handlers.cart.basket import Basket
from handlers.cart.rules import Line as CartLine
from handlers.checkout.carriers import offered
from handlers.contract.call import Call
from handlers.partners.payable_amounts import check_total
from handlers.platform.errors import Problem, unprocessable
from handlers.pricing import offers
from handlers.pricing.prices import Prices, grams_of, subtotal_of
from handlers.pricing.shipping import Method, Option
from handlers.pricing.tax import Destination
from handlers.pricing.totals import Line, Shipping, Totals


@dataclass(frozen=True, slots=True)
class Bill:
    """A priced cart. `lines` are those that can be ordered, each with its sums in minor units of `currency`."""

    basket: Basket
    currency: str
    address: Mapping[str, str]
    destination: Destination
    options: list[Option]
    option: Option
    lines: list[tuple[CartLine, Line]]
    shipping: Shipping
    totals: Totals
    promotion: Mapping[str, Any] | None

    @property
    def cart(self) -> Mapping[str, Any]:
        """The cart document; `cart_id` and `edition` are what an order claims."""
        return self.basket.cart

    @property
    def code(self) -> str | None:
        """The promo code that applies, in its normal form."""
        return self.promotion["code"] if self.promotion is not None else None

    @property
    def left_out(self) -> list[CartLine]:
        """The lines that cannot be ordered now."""
        return [line for line in self.basket.lines if not line.available]

    @property
    def grams(self) -> int:
        """The weight of everything."""
        return grams_of(self.basket.pieces)


async def draw_up(
    call: Call,
    found: Examined,
    *,
    method: Method | None,
    code: str | None,
    email: str | None,
) -> Bill:
    """Prices the caller's cart for an address, and a method (the cheapest when none is named).

    `code` takes the place of the cart's; `email` is a guest's, in its normal form. Raises `Problem` 422: `cart_empty`,
    `item_unavailable`, `address_invalid`, `destination_not_served`, `shipping_method_unavailable`, `promo_code_…`,
    `total_too_small`, `total_too_large`.
    """
    address = deliverable(found)
    prices = call.services.room(Prices)
    basket = await baskets.opened(call, call.principal) if call.principal.id else None
    if basket is None or not basket.bought:
        raise nothing_to_order(basket.lines if basket is not None else ())
    promotion = await _promotion(call, basket, code or basket.cart["promo_code"], email)
    tariff = prices.options(basket.pieces, found.destination, promotion)
    options = await offered(call.services, tariff, found.destination, grams_of(basket.pieces))
    option = chosen(options, method)
    price = await prices.quoted(basket.pieces, promotion, found.destination, option)
    check_total(price.totals.total, prices.currency)
    return Bill(
        basket=basket,
        currency=prices.currency,
        address=address,
        destination=found.destination,
        options=options,
        option=option,
        lines=list(zip(basket.bought, price.lines, strict=True)),
        shipping=price.shipping,
        totals=price.totals,
        promotion=promotion,
    )


def chosen(options: list[Option], method: Method | None) -> Option:
    """The option of a method. Raises `Problem` 422 when it does not go there, or nothing does at this weight."""
    wanted = [option for option in options if method in (None, option.method)]
    if not wanted:
        methods = [option.method for option in options]
        raise unprocessable(
            "This shipping method is not available for this order", "shipping_method_unavailable", available=methods
        )
    return wanted[0]


def nothing_to_order(lines: Sequence[CartLine]) -> Problem:
    """422: the cart is empty, or nothing that is in it can be had now."""
    return items_unavailable(lines) if lines else unprocessable("There is nothing in the cart", "cart_empty")


def items_unavailable(lines: Sequence[CartLine]) -> Problem:
    """422: these lines of a cart cannot be had now."""
    names = [line.name for line in lines]
    return unprocessable("Not everything in the cart can be ordered now", "item_unavailable", items=names)


async def _promotion(call: Call, basket: Basket, code: str | None, email: str | None) -> Mapping[str, Any] | None:
    """The promotion of a code that has to apply: what it gives is part of the price that was shown."""
    if code is None:
        return None
    subtotal = subtotal_of(basket.pieces)
    promotion, why = await baskets.judged(call, call.principal, basket.cart, code, subtotal, email=email)
    if why is not None:
        raise offers.refused(why, offers.normal(code))
    return promotion

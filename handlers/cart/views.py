"""A cart as its shopper sees it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from generated import views as v
from handlers.cart.basket import Basket
from handlers.cart.rules import MAX_QUANTITY, Line, Notice
from handlers.platform.money import decimals, major_units
from handlers.pricing.prices import Prices
from handlers.pricing.totals import Price


def cart_view(basket: Basket, prices: Prices) -> v.Cart:
    """The cart; before the first write without ids and times."""
    cart, currency = basket.cart, prices.currency
    view: v.Cart = {
        "items": [item_view(line, currency) for line in basket.lines],
        "totals": totals_view(basket.estimate(prices), currency),
        "promo_code": cart["promo_code"],
        "notices": notices_view(basket.notices, currency),
    }
    if basket.etag is None:
        return view
    view["cart_id"] = cart["cart_id"]
    view["user_id"] = cart["user_id"]
    if "session_id" in cart:
        view["session_id"] = cart["session_id"]
    view["created_at"] = cart["created_at"]
    view["updated_at"] = cart["updated_at"]
    view["expires_at"] = cart["expires_at"]
    return view


def empty_view(currency: str) -> v.Cart:
    """The cart of a caller who has none."""
    return {
        "items": [],
        "totals": {"subtotal": 0, "discount": 0, "tax_estimate": 0, "total_estimate": 0, "currency": currency},
        "promo_code": None,
        "notices": [],
    }


def item_view(line: Line, currency: str) -> v.CartItem:
    """A line."""
    view: v.CartItem = {
        "cart_item_id": line.item_id,
        "product_id": line.product_id,
        "variant_id": line.variant_id,
        "sku": line.sku,
        "name": line.name,
        "variant_name": line.variant_name,
        "quantity": line.quantity,
        "unit_price": major_units(line.unit_price, currency),
        "line_total": major_units(line.unit_price * line.quantity, currency),
        "currency": currency,
        "available": line.available,
        "max_quantity": line.limit,
        "added_at": line.added_at,
    }
    if line.image_url is not None:
        view["image_url"] = line.image_url
    return view


def totals_view(price: Price, currency: str) -> v.CartTotals:
    """The sums; those of nothing have no shipping."""
    totals = price.totals
    view: v.CartTotals = {
        "subtotal": major_units(totals.subtotal, currency),
        "discount": major_units(totals.discount, currency),
        "tax_estimate": major_units(totals.tax, currency),
        "total_estimate": major_units(totals.total, currency),
        "currency": currency,
    }
    if price.lines:
        view["shipping_estimate"] = major_units(totals.shipping, currency)
    if totals.rounding:
        view["rounding"] = major_units(totals.rounding, currency)
    return view


def notices_view(notices: Sequence[Notice], currency: str) -> list[v.CartNotice]:
    """What changed, in sentences."""
    return [_notice(notice, currency) for notice in notices]


def _notice(notice: Notice, currency: str) -> v.CartNotice:
    view: v.CartNotice = {"code": notice.code, "message": "", "currency": currency}
    if notice.item_id is not None:
        view["cart_item_id"] = notice.item_id
    if notice.code == "price_changed":
        view["unit_price"] = major_units(notice.after, currency)
        view["message"] = _price_changed(notice, currency)
        if notice.before is not None:
            view["previous_unit_price"] = major_units(notice.before, currency)
    elif notice.code == "quantity_reduced":
        # Two carts together may have wanted more than a line can hold; the sentence says how many.
        view["previous_quantity"] = min(notice.before or 0, MAX_QUANTITY)
        view["quantity"] = notice.after
        view["message"] = f"The quantity of {notice.name} went from {notice.before} to {notice.after}."
    elif notice.code == "allocation_limited":
        view["previous_quantity"], view["quantity"] = notice.before or 0, notice.after
        view["message"] = f"Probably only {notice.after} of {notice.before} {notice.name} can be delivered there."
    elif notice.code == "unavailable":
        view["message"] = f"{notice.name} cannot be ordered now."
    else:
        view["message"] = f"The promo code {notice.name} was removed: {notice.why}."
    return view


def _price_changed(notice: Notice, currency: str) -> str:
    after = _amount(notice.after, currency)
    if notice.before is None:
        return f"The price of {notice.name} is {after} {currency} now."
    return f"The price of {notice.name} went from {_amount(notice.before, currency)} to {after}."


def _amount(units: int, currency: str) -> str:
    places = decimals(currency)
    return f"{Decimal(units).scaleb(-places):.{places}f}"

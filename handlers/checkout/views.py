"""Priced carts as their shoppers see them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from generated import views as v
from handlers.cart.rules import Notice
from handlers.cart.views import notices_view
from handlers.checkout.bill import Bill
from handlers.platform.clock import timestamp
from handlers.platform.money import major_units
from handlers.pricing.tax import fraction

QUOTE_LIFE: Final = timedelta(minutes=30)


def quote_view(bill: Bill, notices: Sequence[Notice], now: datetime) -> v.Quote:
    """What a cart would cost, as it was priced at a moment."""
    currency, totals = bill.currency, bill.totals
    quote: v.Quote = {
        "cart_id": bill.cart["cart_id"],
        "lines": _lines(bill),
        "shipping_methods": [
            {
                "method": option.method,
                "name": option.name,
                "price": major_units(option.price, currency),
                "currency": currency,
                "estimated_days_min": option.days_min,
                "estimated_days_max": option.days_max,
                "estimated_delivery": option.delivery(now.date()).isoformat(),
            }
            for option in bill.options
        ],
        "shipping_method": bill.option.method,
        "totals": {
            "subtotal": major_units(totals.subtotal, currency),
            "discount": major_units(totals.discount, currency),
            "shipping": major_units(totals.shipping, currency),
            "tax": major_units(totals.tax, currency),
            "total": major_units(totals.total, currency),
            "currency": currency,
        },
        "notices": notices_view(notices, currency),
        "valid_until": timestamp(now + QUOTE_LIFE),
    }
    if totals.rounding:
        quote["totals"]["rounding"] = major_units(totals.rounding, currency)
    if bill.code is not None:
        quote["promo_code"] = bill.code
    return quote


def _lines(bill: Bill) -> list[v.QuoteLine]:
    return [
        {
            "cart_item_id": item.item_id,
            "product_id": item.product_id,
            "variant_id": item.variant_id,
            "sku": item.sku,
            "name": item.name,
            "quantity": line.quantity,
            "unit_price": major_units(line.unit_price, bill.currency),
            "line_total": major_units(line.line_total, bill.currency),
            "discount": major_units(line.discount, bill.currency),
            "tax_rate": fraction(line.tax_rate),
            "tax": major_units(line.tax, bill.currency),
            "currency": bill.currency,
        }
        for item, line in bill.lines
    ]

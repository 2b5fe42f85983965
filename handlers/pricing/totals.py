"""Sums of a cart, a quote and an order. Pure; every amount is an integer in the minor unit of the currency.

The order of steps (decision 66): line totals; the discount, shared among the lines by largest remainder; tax on what is
left of each line, half-up; shipping, taxed or not; the sum rounded to what can be paid. Prices are net.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

MILLION: Final = 1_000_000


class Item(NamedTuple):
    """A line before anything is computed. `tax_rate` in millionths: 82,500 is 8.25 %."""

    quantity: int
    unit_price: int
    tax_rate: int


class Line(NamedTuple):
    """A line with its share of the discount, and the tax on the rest."""

    quantity: int
    unit_price: int
    line_total: int
    discount: int
    tax_rate: int
    tax: int

    @property
    def net(self) -> int:
        """What the line costs without tax."""
        return self.line_total - self.discount

    @property
    def gross(self) -> int:
        """What the line costs with tax."""
        return self.net + self.tax


class Shipping(NamedTuple):
    """The shipping: its price, what a promotion takes off it, and the tax on the rest.

    `tax_rate`: the mean of the goods' rates to a millionth, so `tax`, of the exact one, may differ by a unit from it.
    """

    price: int
    discount: int
    tax_rate: int
    tax: int

    @property
    def net(self) -> int:
        """What the shipping costs without tax."""
        return self.price - self.discount

    @property
    def gross(self) -> int:
        """What the shipping costs with tax."""
        return self.net + self.tax


class Totals(NamedTuple):
    """`total` = `subtotal` − `discount` + `shipping` + `tax` + `rounding`. `tax` is that of the lines and of shipping.

    `rounding`: what makes of the sum an amount that can be paid, in a currency whose smallest unit cannot.
    """

    subtotal: int
    discount: int
    shipping: int
    tax: int
    rounding: int = 0

    @property
    def total(self) -> int:
        """What is to be paid."""
        return self.subtotal - self.discount + self.shipping + self.tax + self.rounding


class Price(NamedTuple):
    """Everything that follows from the items, a discount and the shipping."""

    lines: list[Line]
    shipping: Shipping
    totals: Totals


def price(
    items: Sequence[Item],
    *,
    discount: int = 0,
    shipping: int = 0,
    shipping_discount: int = 0,
    shipping_taxed: bool = False,
    payable_unit: int = 1,
) -> Price:
    """Prices items. A discount above their sum gives all of it. Raises `ValueError` for negative amounts.

    `shipping` is what is charged, `shipping_discount` what was taken off before. The total is the nearest multiple of
    `payable_unit`, a half goes up.
    """
    if discount < 0 or shipping < 0 or any(item.unit_price < 0 or item.quantity < 1 for item in items):
        raise ValueError("an amount is negative, or a line empty")
    line_totals = [item.quantity * item.unit_price for item in items]
    subtotal = sum(line_totals)
    given = min(discount, subtotal)
    shares = allocate(given, line_totals)
    lines = [
        Line(
            item.quantity, item.unit_price, line_total, share, item.tax_rate, tax_on(line_total - share, item.tax_rate)
        )
        for item, line_total, share in zip(items, line_totals, shares, strict=True)
    ]
    rate, of_shipping = shipping_tax(shipping, lines) if shipping_taxed else (0, 0)
    sent = Shipping(shipping + shipping_discount, shipping_discount, rate, of_shipping)
    totals = Totals(subtotal, given, shipping, sum(line.tax for line in lines) + of_shipping)
    return Price(lines, sent, totals._replace(rounding=rounding_of(totals.total, payable_unit)))


def rounding_of(amount: int, unit: int) -> int:
    """What makes the nearest multiple of `unit` of an amount; a half goes up."""
    return (2 * amount + unit) // (2 * unit) * unit - amount


def allocate(amount: int, weights: Sequence[int]) -> list[int]:
    """Shares of `amount` in proportion to the weights, which together are the amount exactly (largest remainder).

    What is left over after rounding down goes, one unit each, to the largest remainders; among equal ones to the
    earlier. No share is above its weight while the amount is not above their sum.
    """
    whole = sum(weights)
    if whole == 0 or amount == 0:
        return [0] * len(weights)
    shares = [amount * weight // whole for weight in weights]
    remainders = [(amount * weight) % whole for weight in weights]
    first = sorted(range(len(weights)), key=lambda place: -remainders[place])
    for place in first[: amount - sum(shares)]:
        shares[place] += 1
    return shares


def tax_on(net: int, rate: int) -> int:
    """Tax on a net amount at a rate in millionths, half-up."""
    return (2 * net * rate + MILLION) // (2 * MILLION)


def shipping_tax(shipping: int, lines: Sequence[Line]) -> tuple[int, int]:
    """Rate (in millionths) and tax on shipping, both half-up: the goods' rates by what is paid for them (or units)."""
    weights = [line.net for line in lines]
    if not any(weights):
        weights = [line.quantity for line in lines]
    if not weights:
        return 0, 0
    # A fraction of integers, kept as its two parts: `Fraction` would look for common divisors.
    weighted, weight = sum(each * line.tax_rate for each, line in zip(weights, lines, strict=True)), sum(weights)
    parts, whole = shipping * weighted, MILLION * weight
    return (2 * weighted + weight) // (2 * weight), (2 * parts + whole) // (2 * whole)


def half_up(amount: Fraction) -> int:
    """The nearest whole unit; a half goes up."""
    return (2 * amount.numerator + amount.denominator) // (2 * amount.denominator)

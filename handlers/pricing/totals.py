"""Sums of a cart, a quote and an order. Pure; every amount is an integer in the minor unit of the currency.

The order of steps (decision 66): line totals; the discount, shared among the lines by largest remainder; tax on what is
left of each line, half-up; shipping, taxed or not. Prices are net.
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


class Totals(NamedTuple):
    """`total` = `subtotal` − `discount` + `shipping` + `tax`. `tax` is that of the lines and of shipping."""

    subtotal: int
    discount: int
    shipping: int
    tax: int

    @property
    def total(self) -> int:
        """What is to be paid."""
        return self.subtotal - self.discount + self.shipping + self.tax


class Price(NamedTuple):
    """Everything that follows from the items, a discount and the shipping."""

    lines: list[Line]
    totals: Totals


def price(items: Sequence[Item], *, discount: int = 0, shipping: int = 0, shipping_taxed: bool = False) -> Price:
    """Prices items. A discount above their sum gives all of it. Raises `ValueError` for negative amounts."""
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
    tax = sum(line.tax for line in lines)
    if shipping_taxed:
        tax += shipping_tax(shipping, lines)
    return Price(lines, Totals(subtotal, given, shipping, tax))


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


def shipping_tax(shipping: int, lines: Sequence[Line]) -> int:
    """Tax on shipping, half-up, at the rate of the goods, weighted by what is paid for them (or by units)."""
    weights = [line.line_total - line.discount for line in lines]
    if not any(weights):
        weights = [line.quantity for line in lines]
    if not weights:
        return 0
    # A fraction of integers, kept as its two parts: `Fraction` would look for common divisors.
    parts = shipping * sum(weight * line.tax_rate for weight, line in zip(weights, lines, strict=True))
    whole = MILLION * sum(weights)
    return (2 * parts + whole) // (2 * whole)


def half_up(amount: Fraction) -> int:
    """The nearest whole unit; a half goes up."""
    return (2 * amount.numerator + amount.denominator) // (2 * amount.denominator)

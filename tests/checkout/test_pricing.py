"""Sums: allocation, rounding, tax and shipping, as properties."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.pricing import offers
from handlers.pricing.shipping import CarrierRate, Method, ShippingTable, working_days_after
from handlers.pricing.tax import Destination, TaxTable, fraction, millionths
from handlers.pricing.totals import Item, allocate, half_up, price, tax_on

ITEMS = st.lists(
    st.builds(
        Item, quantity=st.integers(1, 99), unit_price=st.integers(0, 9_999_999), tax_rate=st.integers(0, 300_000)
    ),
    max_size=12,
)
AMOUNTS = st.integers(0, 10**10)
NOW = datetime(2026, 1, 25, 10, 45, tzinfo=UTC)


def offer(kind: str, value: float, **more: Any) -> dict[str, Any]:
    """A promotion that is on."""
    return {
        "code": "X1",
        "type": kind,
        "value": value,
        "active": True,
        "redeemed": 0,
        "once_per_customer": False,
        **more,
    }


@given(items=ITEMS, discount=AMOUNTS, shipping=st.integers(0, 100_000), taxed=st.booleans())
def test_sums_hold(items: list[Item], discount: int, shipping: int, taxed: bool) -> None:
    result = price(items, discount=discount, shipping=shipping, shipping_taxed=taxed)
    totals, lines = result.totals, result.lines
    assert totals.subtotal == sum(line.line_total for line in lines)
    assert totals.discount == sum(line.discount for line in lines) == min(discount, totals.subtotal)
    assert totals.total == totals.subtotal - totals.discount + totals.shipping + totals.tax >= 0
    assert all(0 <= line.discount <= line.line_total for line in lines)
    assert all(line.tax >= 0 for line in lines)
    of_shipping = totals.tax - sum(line.tax for line in lines)
    highest = max((line.tax_rate for line in lines), default=0)
    assert 0 <= of_shipping <= (tax_on(shipping, highest) if taxed else 0)


@given(
    items=ITEMS,
    discount=AMOUNTS,
    sending=st.tuples(st.integers(0, 100_000), st.integers(0, 100_000)),
    taxed=st.booleans(),
    unit=st.sampled_from([1, 10]),
)
def test_the_parts_of_an_order_are_its_totals(
    items: list[Item], discount: int, sending: tuple[int, int], taxed: bool, unit: int
) -> None:
    shipping, freed = sending
    result = price(
        items,
        discount=discount,
        shipping=shipping,
        shipping_discount=freed,
        shipping_taxed=taxed,
        payable_unit=unit,
    )
    lines, sent, totals = result.lines, result.shipping, result.totals
    assert sum(line.net for line in lines) == totals.subtotal - totals.discount
    assert (sent.price, sent.net) == (shipping + freed, totals.shipping)
    assert sum(line.tax for line in lines) + sent.tax == totals.tax
    assert sum(line.gross for line in lines) + sent.gross + totals.rounding == totals.total
    assert all(line.tax == tax_on(line.net, line.tax_rate) for line in lines)
    assert abs(sent.tax - tax_on(sent.net, sent.tax_rate)) <= 1
    assert totals.total % unit == 0
    assert -unit < 2 * totals.rounding <= unit


@given(weights=st.lists(st.integers(0, 10**9), max_size=20), amount=AMOUNTS)
def test_shares_are_the_whole_and_fair(weights: list[int], amount: int) -> None:
    whole = sum(weights)
    given_amount = min(amount, whole)
    shares = allocate(given_amount, weights)
    assert sum(shares) == given_amount
    for share, weight in zip(shares, weights, strict=True):
        assert 0 <= share <= weight
        assert whole == 0 or abs(share - Fraction(given_amount * weight, whole)) < 1


@given(net=st.integers(0, 10**10), rate=st.integers(0, 1_000_000))
def test_tax_is_half_up(net: int, rate: int) -> None:
    exact = Decimal(net) * Decimal(rate) / Decimal(1_000_000)
    assert tax_on(net, rate) == int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


@given(value=st.floats(0.01, 100), subtotal=AMOUNTS)
def test_a_share_of_the_subtotal_is_never_more_than_it(value: float, subtotal: int) -> None:
    assert 0 <= offers.discount_of(offer("percentage", value), subtotal, "USD") <= subtotal


def test_known_sums() -> None:
    laptop = Item(1, 119_900, 82_500)
    assert price([laptop], shipping=1200).totals.total == 130_992  # the plan's order
    cheaper = price([laptop], discount=11_990, shipping=1200)
    assert (cheaper.totals.tax, cheaper.totals.total) == (8_903, 118_013)
    assert price([laptop], shipping=1200, shipping_taxed=True).totals.tax == 9_892 + 99
    assert [line.discount for line in price([Item(1, 100, 0)] * 3, discount=100).lines] == [34, 33, 33]
    assert price([], shipping=5, shipping_taxed=True).totals.tax == 0
    free = price([Item(2, 0, 100_000)], shipping=1000, shipping_taxed=True)
    assert free.totals.tax == 100
    assert half_up(Fraction(1, 2)) == 1


def test_negative_amounts_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        price([], discount=-1)
    with pytest.raises(ValueError, match="negative"):
        price([], shipping=-1)
    for item in (Item(0, 1, 0), Item(1, -1, 0)):
        with pytest.raises(ValueError, match="negative"):
            price([item])


@pytest.mark.parametrize(
    ("changes", "subtotal", "used", "why"),
    [
        ({}, 0, False, None),
        ({"active": False}, 0, False, "promo_code_unknown"),
        ({"currency": "EUR"}, 0, False, "promo_code_unknown"),
        ({"starts_at": "2026-01-25T10:45:00.001Z"}, 0, False, "promo_code_not_started"),
        ({"starts_at": "2026-01-25T10:45:00.000Z"}, 0, False, None),
        ({"ends_at": "2026-01-25T10:45:00.000Z"}, 0, False, "promo_code_expired"),
        ({"ends_at": "2026-01-25T10:45:00.001Z"}, 0, False, None),
        ({"max_redemptions": 3, "redeemed": 3}, 0, False, "promo_code_exhausted"),
        ({"max_redemptions": 3, "redeemed": 2}, 0, False, None),
        ({}, 0, True, None),
        ({"once_per_customer": True}, 0, True, "promo_code_used"),
        ({"minimum_subtotal": 50.0}, 4_999, False, "promo_code_minimum"),
        ({"minimum_subtotal": 50.0}, 5_000, False, None),
    ],
)
def test_when_a_promotion_applies(changes: dict[str, Any], subtotal: int, used: bool, why: str | None) -> None:
    promotion = offer("percentage", 10, **changes)
    assert offers.refusal(promotion, subtotal=subtotal, currency="USD", now=NOW, used=used) == why
    assert offers.refusal(None, subtotal=subtotal, currency="USD", now=NOW) == "promo_code_unknown"
    counted = offers.refusal(promotion, subtotal=subtotal, currency="USD", now=NOW, used=used, counted=True)
    assert counted == (None if why in ("promo_code_exhausted", "promo_code_used") else why)


def test_what_promotions_give() -> None:
    assert offers.discount_of(offer("percentage", 12.5), 999, "USD") == 125  # 124.875
    assert offers.discount_of(offer("fixed", 15.0), 10_000, "USD") == 1_500
    assert offers.discount_of(offer("fixed", 15.0), 1_000, "USD") == 1_000
    assert offers.discount_of(offer("free_shipping", 0), 1_000, "USD") == 0
    assert offers.discount_of(None, 1_000, "USD") == 0
    assert offers.frees(offer("free_shipping", 0), "standard")
    assert not offers.frees(offer("free_shipping", 0), "express")
    assert not offers.frees(None, "standard")


async def test_tax_follows_the_destination() -> None:
    table = TaxTable()
    full = millionths(0.0825)
    places = [("US", "CA"), ("US", "OR"), ("US", "NY"), ("DE", None), ("CA", "QC"), ("CA", None), ("BR", None)]
    rates = [(await table.rates([full], Destination(*place)))[0] for place in places]
    assert [fraction(rate) for rate in rates] == [0.0825, 0, 0.045517, 0.19, 0.14975, 0.05, 0]
    assert await table.rates([900_000], Destination("HU")) == [1_000_000]


def test_every_place_of_the_tables_is_reached() -> None:
    shipping = ShippingTable("USD")
    for country in ("US", "CA", "MX", "DE", "GB", "JP"):
        assert shipping.serves(Destination(country))
    assert not shipping.serves(Destination("BR"))
    assert shipping.options(Destination("BR"), 1) == []


def test_shipping_by_method_weight_and_destination() -> None:
    table = ShippingTable("USD")

    def prices(place: Destination, grams: int, table: ShippingTable = table) -> dict[str, int]:
        return {option.method: option.price for option in table.options(place, grams)}

    home = Destination("US", "CA")
    assert prices(home, 5_000) == {"standard": 1_200, "express": 2_400, "overnight": 3_900}
    assert prices(home, 5_001) == {"standard": 1_400, "express": 2_800, "overnight": 4_700}
    assert set(prices(home, 30_001)) == {"standard", "express"}
    assert set(prices(home, 70_001)) == {"standard"}
    assert set(prices(Destination("US", "HI"), 1)) == {"standard", "express"}
    assert prices(Destination("DE"), 1, ShippingTable("JPY")) == {"standard": 29, "express": 64}
    assert [table.usual_weight(slug) for slug in ("electronics-laptops-gaming", "toys-plush", "else")] == [
        2000,
        800,
        1000,
    ]


@pytest.mark.parametrize(
    ("method", "place", "grams", "carrier"),
    [
        ("standard", "US", 0, "USPS"),
        ("standard", "US", 10_001, "UPS"),
        ("standard", "US", 70_001, "FedEx"),
        ("express", "US", 500, "UPS"),
        ("overnight", "US", 500, "FedEx"),
        ("overnight", "US", 30_001, "too_heavy"),
        ("standard", "US", 1_000_001, "too_heavy"),
        ("standard", "DE", 500, "DHL"),
        ("overnight", "DE", 1, "destination_not_served"),
        ("standard", "BR", 1, "destination_not_served"),
    ],
)
def test_the_first_carrier_that_takes_the_weight(method: Method, place: str, grams: int, carrier: str) -> None:
    found = ShippingTable("USD").choose_carrier(method, Destination(place), grams)
    assert (found.carrier if isinstance(found, CarrierRate) else found) == carrier


@given(
    place=st.sampled_from([("US", "CA"), ("US", "HI"), ("MX", None), ("DE", None), ("JP", None), ("BR", None)]),
    grams=st.integers(0, 3_000_000) | st.sampled_from([10_000, 30_000, 30_001, 70_000, 70_001, 1_000_000, 1_000_001]),
)
def test_what_is_offered_some_carrier_takes_and_nothing_else(place: tuple[str, str | None], grams: int) -> None:
    table, destination = ShippingTable("USD"), Destination(*place)
    offered = {option.method for option in table.options(destination, grams)}
    methods: tuple[Method, ...] = ("standard", "express", "overnight")
    taken = {each for each in methods if isinstance(table.choose_carrier(each, destination, grams), CarrierRate)}
    assert offered == taken


def test_delivery_counts_working_days() -> None:
    sunday = date(2026, 1, 25)
    assert [working_days_after(sunday, count).day for count in (0, 1, 2, 5)] == [25, 26, 27, 30]
    friday = date(2026, 1, 30)
    assert working_days_after(friday, 1) == date(2026, 2, 2)

"""Quotes over HTTP, and that cart, quote and the bill of an order agree to the cent."""

from __future__ import annotations

import random
from typing import Any
from uuid import uuid4

import pytest

from handlers.addresses.postal import examined
from handlers.checkout.bill import draw_up
from handlers.contract.call import Call
from handlers.platform.money import minor_units
from handlers.platform.request import RequestInfo
from handlers.pricing import promotions
from handlers.pricing.prices import Prices
from tests.orders.test_orders import ordered
from tests.support.people import rule_of
from tests.support.shop import Shop
from tests.support.shopper import HOME, Shopper, customer, guest, priced, promotion, stocked
from tests.support.stage import Stage, on_stage

pytestmark = pytest.mark.asyncio(loop_scope="session")

BERLIN = {"name": "Dana", "line1": "Unter den Linden 1", "city": "Berlin", "postal_code": "10117", "country": "DE"}


async def test_a_quote_in_full(shop: Shop) -> None:
    shopper, product = await customer(shop), await priced(shop, 1199)
    cart = await shopper.has(product)
    code = await promotion(shop, "percentage", 10)
    answer = await shopper.quote(promo_code=code.lower())
    assert answer.status_code == 200, answer.text
    quote = answer.json()
    assert quote["totals"] == {
        "subtotal": 1199,
        "discount": 119.9,
        "shipping": 12,
        "tax": 89.03,
        "total": 1180.13,
        "currency": "USD",
    }
    (line,) = quote["lines"]
    assert (line["discount"], line["tax_rate"], line["tax"]) == (119.9, 0.0825, 89.03)
    assert [each["method"] for each in quote["shipping_methods"]] == ["standard", "express", "overnight"]
    assert (quote["shipping_method"], quote["promo_code"], quote["cart_id"]) == ("standard", code, cart["cart_id"])
    assert (await shopper.cart())["promo_code"] is None


async def test_method_and_destination_count(shop: Shop) -> None:
    shopper = await guest(shop)
    await shopper.has(await priced(shop, 100))
    fast = (await shopper.quote(shipping_method="overnight")).json()
    assert (fast["shipping_method"], fast["totals"]["shipping"]) == ("overnight", 39)
    abroad = (await shopper.quote(shipping_address=BERLIN)).json()
    assert (abroad["totals"]["shipping"], abroad["totals"]["tax"]) == (29, 19)
    assert [each["method"] for each in abroad["shipping_methods"]] == ["standard", "express"]
    refused = await shopper.quote(shipping_address=BERLIN, shipping_method="overnight")
    assert rule_of(refused) == "shipping_method_unavailable"
    untaxed = {**HOME, "state": "oregon", "postal_code": "97201"}
    assert (await shopper.quote(shipping_address=untaxed)).json()["totals"]["tax"] == 0


async def test_what_no_carrier_takes_is_refused_at_quote_and_order(shop: Shop) -> None:
    """99 units of 15 kg: quoted, charged and refunded once."""
    shopper = await customer(shop)
    variant = {"sku": f"HEAVY-{uuid4().hex[:12].upper()}", "on_hand": 200, "weight_grams": 15_000}
    price = {"amount": 10.0, "currency": "USD", "tax_rate": 0.0825}
    product = await shop.created(variants=[variant], price=price)
    await shopper.has(product, 99)
    for answer in (await shopper.quote(), await shopper.quote(shipping_method="standard"), await ordered(shopper)):
        assert (answer.status_code, rule_of(answer)) == (422, "shipping_method_unavailable")
        assert answer.json()["error"]["details"]["available"] == []


async def test_what_cannot_be_quoted(shop: Shop) -> None:
    shopper, product = await customer(shop), await priced(shop, 10, on_hand=2)
    for nobody in (Shopper(shop), shopper):
        assert rule_of(await nobody.quote()) == "cart_empty"
    await shopper.has(product)
    wrong = await shopper.quote(shipping_address={**HOME, "postal_code": "10001"})
    assert rule_of(wrong) == "address_invalid"
    assert wrong.json()["error"]["details"]["faults"][0]["path"] == "/postal_code"
    brazil = {**BERLIN, "country": "BR", "state": "SP", "postal_code": "01310-100"}
    assert rule_of(await shopper.quote(shipping_address=brazil)) == "destination_not_served"
    assert rule_of(await shopper.quote(promo_code="NOWHERE")) == "promo_code_unknown"
    assert (await shopper.quote(email="nobody@localhost@")).status_code == 400
    await stocked(shop, product, -2)
    gone = await shopper.quote()
    assert (rule_of(gone), gone.json()["error"]["details"]["items"]) == ("item_unavailable", [product["name"]])
    promo = await shopper.call("POST", "/api/checkout/promo", {"code": "ANY"})
    assert rule_of(promo) == "item_unavailable"


async def test_a_guests_address_tells_what_was_used(shop: Shop) -> None:
    code = await promotion(shop, "percentage", 10, once_per_customer=True)
    shopper = await guest(shop)
    await shopper.has(await priced(shop, 10))
    key = promotions.customer_key(shop.services.settings, None, "dana.once@example.com")
    assert key is not None
    assert "dana" not in key
    await promotions.redeem(shop.services.store, code, "order-once", key)
    assert (await shopper.quote(promo_code=code)).status_code == 200
    used = await shopper.quote(promo_code=code, email="Dana.Once@Example.com")
    assert rule_of(used) == "promo_code_used"
    applied = await shopper.call("POST", "/api/checkout/promo", {"code": code})
    assert applied.status_code == 200
    assert rule_of(await shopper.quote(email="dana.once@example.com")) == "promo_code_used"
    assert (await shopper.quote(email="dana.other@example.com")).status_code == 200


async def test_a_quote_changes_nothing(shop: Shop) -> None:
    shopper, product = await customer(shop), await priced(shop, 10, on_hand=5)
    await shopper.has(product, 5)
    await stocked(shop, product, -1)
    for _ in range(2):
        notices = (await shopper.quote()).json()["notices"]
        assert [notice["code"] for notice in notices] == ["quantity_reduced"]
    assert [notice["code"] for notice in (await shopper.cart())["notices"]] == ["quantity_reduced"]


async def test_cart_quote_and_order_agree_to_the_cent(shop: Shop) -> None:
    chance = random.Random(20251124)  # the same baskets every time
    products = [await priced(shop, chance.randrange(1, 30_000) / 100, on_hand=90) for _ in range(8)]
    codes = [
        None,
        await promotion(shop, "percentage", 7.3),
        await promotion(shop, "fixed", 33.33),
        await promotion(shop, "fixed", 99_999),
        await promotion(shop, "free_shipping", 0),
    ]
    for turn in range(15):
        shopper = await guest(shop)
        for product in chance.sample(products, chance.randint(1, 6)):
            await shopper.has(product, chance.randint(1, 20))
        code = codes[turn % len(codes)]
        if code:
            assert (await shopper.call("POST", "/api/checkout/promo", {"code": code})).status_code == 200
        cart, quote = (await shopper.cart())["totals"], (await shopper.quote()).json()
        sums = quote["totals"]
        assert [
            cart[name] for name in ("subtotal", "discount", "tax_estimate", "shipping_estimate", "total_estimate")
        ] == [sums[name] for name in ("subtotal", "discount", "tax", "shipping", "total")]
        bill = await _bill(shop, shopper, code)
        assert [
            bill.totals.subtotal,
            bill.totals.discount,
            bill.totals.shipping,
            bill.totals.tax,
            bill.totals.total,
        ] == [minor_units(sums[name], "USD") for name in ("subtotal", "discount", "shipping", "tax", "total")]
        assert sum(minor_units(line["tax"], "USD") for line in quote["lines"]) == bill.totals.tax
        assert (bill.code, bill.left_out, bill.cart["cart_id"]) == (code, [], quote["cart_id"])
        assert bill.grams > 0


async def _bill(shop: Shop, shopper: Shopper, code: str | None) -> Any:
    principal = shop.services.tokens.verify(shopper.bearer["Authorization"].removeprefix("Bearer "))
    call = Call(shop.services, principal, RequestInfo("order", "", 0.0), ())
    found = examined(HOME, shop.services.room(Prices).shipping)
    return await draw_up(call, found, method="standard", code=code, email=None)


EVERY = ["standard", "express", "overnight"]
OREGON = {**HOME, "state": "OR", "postal_code": "97201"}
TEXAS = {**HOME, "state": "TX", "postal_code": "78701"}
NEVADA = {**HOME, "state": "NV", "postal_code": "89501"}
OHIO = {**HOME, "state": "OH", "postal_code": "43004"}


# What an agent answered is kept, so each of these asks about another place.
@pytest.mark.parametrize(
    ("address", "answer", "offered"),
    [
        (HOME, {"methods": ["express"]}, ["express"]),
        (OREGON, {"methods": [{"method": "standard", "carrier": "UPS"}]}, ["standard"]),
        (TEXAS, {"methods": "all"}, EVERY),
        (NEVADA, {"methods": ["pigeon"]}, EVERY),
        (OHIO, None, EVERY),
    ],
)
async def test_the_carrier_agent_narrows_the_methods_and_no_more(
    shop: Shop, address: dict[str, str], answer: Any, offered: list[str]
) -> None:
    stage = Stage()
    stage.answer, stage.status = lambda: answer, 200 if answer is not None else 503
    shopper = await guest(shop)
    await shopper.has(await priced(shop, 100))
    async with on_stage(shop.services, stage):
        quote = (await shopper.quote(shipping_address=address)).json()
    assert [each["method"] for each in quote["shipping_methods"]] == offered
    path, question = stage.asked[0]
    assert path == "/logistics-carrier-selection/logistics/carrier/select"
    assert question["destination"] == {"country": "US", "state": address["state"]}


async def test_the_checkout_agent_hints_at_short_lines_and_has_no_say_in_prices(shop: Shop) -> None:
    shopper, product, other = await guest(shop), await priced(shop, 100), await priced(shop, 50)
    line = (await shopper.has(product, 4))["items"][0]
    await shopper.has(other, 2)
    before = (await shopper.quote()).json()
    stage = Stage()
    variants = [each["variants"][0]["variant_id"] for each in (product, other)]
    stage.answer = lambda: {
        "total": 1,
        "lines": [
            {"variant_id": variants[0], "allocatable": 1, "unit_price": 1},
            {"variant_id": variants[1], "allocatable": 2},
            {"variant_id": variants[1], "allocatable": "none"},
            {"variant_id": variants[1], "allocatable": -1},
            "nonsense",
        ],
    }
    async with on_stage(shop.services, stage):
        quote = (await shopper.quote()).json()
    path, question = stage.asked[-1]
    assert path == "/ecommerce-checkout-support/checkout/validate"
    assert [(each["variant_id"], each["quantity"]) for each in question["lines"]] == [
        (variants[0], 4),
        (variants[1], 2),
    ]
    (notice,) = quote["notices"]
    assert (notice["code"], notice["cart_item_id"]) == ("allocation_limited", line["cart_item_id"])
    assert (notice["previous_quantity"], notice["quantity"]) == (4, 1)
    assert quote["totals"] == before["totals"]


async def test_a_checkout_agent_that_makes_no_sense_hints_at_nothing(shop: Shop) -> None:
    shopper = await guest(shop)
    await shopper.has(await priced(shop, 100), 3)
    stage = Stage()
    stage.answer = lambda: {"lines": 7}
    async with on_stage(shop.services, stage):
        assert (await shopper.quote()).json()["notices"] == []

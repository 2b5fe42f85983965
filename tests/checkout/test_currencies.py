"""Shops in other currencies, and carts from before a shop changed its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from handlers.partners.payable_amounts import check_total, least_payable, most_payable, payable_unit
from handlers.platform.errors import Problem
from handlers.platform.money import minor_units
from handlers.pricing.totals import rounding_of
from tests.flows.test_journey import saved
from tests.orders.test_orders import ordered, placed
from tests.orders.test_process import until
from tests.support.paying import Paying, listening
from tests.support.people import rule_of
from tests.support.shop import Shop, running_shop
from tests.support.shopper import Shopper, customer, priced, promotion

Json = dict[str, Any]

ASYNC = pytest.mark.asyncio(loop_scope="session")


async def reprice(shop: Shop, product: Json, amount: float, currency: str) -> None:
    """Gives a product a price in another currency."""
    price = {"amount": amount, "currency": currency, "tax_rate": 0.0825}
    answer = await shop.as_admin("PUT", f"/api/admin/products/{product['product_id']}", {"price": price})
    assert answer.status_code == 200, answer.text


async def in_dinars(shop: Shop, amount: float) -> Json:
    """A product of a shop that sells in Kuwaiti dinars."""
    price = {"amount": amount, "currency": "KWD", "tax_rate": 0.0825}
    return await shop.created(price=price, variants=[{"sku": "V-KWD-1", "on_hand": 50}])


@ASYNC
async def test_a_total_of_three_decimals_can_be_paid_and_given_back(tmp_path: Path, redis_url: str) -> None:
    async with (
        running_shop(tmp_path, redis_url, SHOP_CURRENCY="KWD") as shop,
        listening(Paying(shop.running, shop.stripe)),
    ):
        shopper = await customer(shop)
        foreign = next(each for each in await shop.products() if each["price"]["currency"] == "USD")
        assert rule_of(await shopper.add(foreign)) == "item_unavailable"
        await shopper.has(await in_dinars(shop, 1.237))
        totals = (await shopper.quote(shipping_method="standard")).json()["totals"]
        # 1.237 + 0.102 of tax + 12 of shipping is 13.339
        assert (totals["tax"], totals["rounding"], totals["total"]) == (0.102, 0.001, 13.34)
        estimate = (await shopper.cart())["totals"]
        assert (estimate["rounding"], estimate["total_estimate"]) == (0.001, 13.34)
        order = await placed(shopper, payment_method=await saved(shopper, "pm_card_visa"))
        assert order["totals"] == totals
        await until(shop, order, "processing")
        body = {"order_id": order["order_id"], "reason": "goodwill"}
        odd = await shop.as_admin(
            "POST", "/api/payments/refund", {**body, "amount": 1.001}, Idempotency_Key="odd-refund-1"
        )
        assert (odd.status_code, rule_of(odd)) == (422, "amount_not_payable")
        whole = await shop.as_admin(
            "POST", "/api/payments/refund", {**body, "amount": 13.34}, Idempotency_Key="a-refund-1"
        )
        assert whole.status_code == 201, whole.text


@ASYNC
async def test_a_cart_outlives_a_change_of_the_shops_currency(tmp_path: Path, redis_url: str) -> None:
    async with running_shop(tmp_path, redis_url) as shop:
        first, product, gone = await customer(shop), await priced(shop, 22.83), await priced(shop, 5.01)
        await first.has(product, 2)
        await first.has(gone)
        code = await promotion(shop, "fixed", 3.33)
        assert (await first.call("POST", "/api/checkout/promo", {"code": code})).status_code == 200
        bearer, user_id = first.bearer, first.user_id
    async with running_shop(tmp_path, redis_url, SHOP_CURRENCY="JPY") as shop:
        shopper = Shopper(shop, bearer, user_id)
        cart = await shopper.cart()
        assert {each["available"] for each in cart["items"]} == {False}
        assert (cart["totals"]["total_estimate"], cart["totals"]["currency"]) == (0, "JPY")
        for refused in (await shopper.quote(), await ordered(shopper)):
            assert (refused.status_code, rule_of(refused)) == (422, "item_unavailable")
        await reprice(shop, product, 3400, "JPY")
        cart = await shopper.cart()
        assert [each["available"] for each in cart["items"]] == [True, False]
        (notice, *others) = cart["notices"]
        assert (notice["code"], notice["unit_price"]) == ("price_changed", 3400)
        assert "previous_unit_price" not in notice
        assert [each["code"] for each in others] == ["promo_code_removed"]
        assert cart["totals"]["subtotal"] == 6800
        line = next(each for each in cart["items"] if not each["available"])
        assert (await shopper.call("DELETE", f"/api/cart/items/{line['cart_item_id']}")).status_code == 200
        stale = await ordered(shopper)
        assert rule_of(stale) == "cart_changed"
        assert (await ordered(shopper, expected_total=await shopper.total())).status_code == 201


@pytest.mark.parametrize(
    ("currency", "unit", "least", "most"),
    [
        ("USD", 1, 50, 99_999_999),
        ("GBP", 1, 30, 99_999_999),
        ("HUF", 1, 17_500, 99_999_999),
        ("JPY", 1, 50, 99_999_999),
        ("KWD", 10, 10, 99_999_990),
        ("ISK", 1, 1, 999_999),
    ],
)
def test_what_can_be_paid_in_a_currency(currency: str, unit: int, least: int, most: int) -> None:
    assert (payable_unit(currency), least_payable(currency), most_payable(currency)) == (unit, least, most)
    for total in (0, least, most):
        check_total(total, currency)
    for total, rule in ((least - 1, "total_too_small"), (most + 1, "total_too_large")):
        if total:
            with pytest.raises(Problem) as refused:
                check_total(total, currency)
            assert refused.value.rule == rule


@pytest.mark.parametrize(("amount", "rounding"), [(0, 0), (4, -4), (5, 5), (13_339, 1), (13_344, -4), (13_340, 0)])
def test_sums_are_rounded_to_what_can_be_paid(amount: int, rounding: int) -> None:
    assert rounding_of(amount, 10) == rounding
    assert rounding_of(amount, 1) == 0
    assert minor_units(13.34, "KWD") == 13_340

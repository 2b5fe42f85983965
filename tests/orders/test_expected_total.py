"""The price shown is the price charged: an order is placed for the total that its shopper has seen, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.payments import store as payments
from tests.flows.test_journey import saved
from tests.orders.test_orders import ordered, orders_of, placed
from tests.orders.test_process import until
from tests.support.people import rule_of
from tests.support.shop import Shop
from tests.support.shopper import HOME, Shopper, customer, priced, promotion

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]


async def set_price(shop: Shop, product: Json, amount: float, tax_rate: float = 0.0825) -> None:
    """Changes what a product costs, or how it is taxed."""
    price = {"amount": amount, "currency": "USD", "tax_rate": tax_rate}
    answer = await shop.as_admin("PUT", f"/api/admin/products/{product['product_id']}", {"price": price})
    assert answer.status_code == 200, answer.text


async def end_promotion(shop: Shop, shopper: Shopper, product: Json, code: str) -> None:
    """The promotion gives less than it did."""
    answer = await shop.as_admin("PUT", f"/api/admin/promotions/{code}", {"value": 1})
    assert answer.status_code == 200, answer.text


async def raise_tax(shop: Shop, shopper: Shopper, product: Json, code: str) -> None:
    """The tax rate of the product goes up."""
    await set_price(shop, product, 20.0, 0.2)


async def raise_price(shop: Shop, shopper: Shopper, product: Json, code: str) -> None:
    """The price goes up, and another tab has read the cart since."""
    await set_price(shop, product, 30.0)
    await shopper.cart()


async def add_line(shop: Shop, shopper: Shopper, product: Json, code: str) -> None:
    """A second device adds a line."""
    await shopper.has(await priced(shop, 10.0))


@pytest.mark.parametrize("change", [end_promotion, raise_tax, raise_price, add_line])
@pytest.mark.parametrize("card", [True, False])
async def test_what_costs_something_else_than_was_quoted_is_not_ordered(shop: Shop, change: Any, card: bool) -> None:
    shopper, product = await customer(shop), await priced(shop, 20.0)
    code = await promotion(shop, "percentage", 50)
    await shopper.has(product)
    more: Json = {"payment_method": await saved(shopper, "pm_card_visa")} if card else {}
    seen = await shopper.total(promo_code=code)
    await change(shop, shopper, product, code)
    refused = await ordered(shopper, promo_code=code, expected_total=seen, **more)
    assert (refused.status_code, rule_of(refused)) == (409, "cart_changed")
    quote = refused.json()["error"]["details"]["quote"]
    now = (await shopper.quote(shipping_method="standard", promo_code=code)).json()
    assert {**quote, "valid_until": ""} == {**now, "valid_until": ""}
    assert quote["totals"]["total"] != seen
    assert await orders_of(shop, shopper.user_id) == []
    order = await placed(shopper, promo_code=code, expected_total=quote["totals"]["total"], **more)
    assert order["totals"] == quote["totals"]
    if not card:
        return
    await until(shop, order, "processing")
    payment = await payments.payment_of(shop.services.store, order["order_id"])
    assert payment is not None
    intent = shop.stripe.account.state.get("payment_intent", payment["payment_intent_id"])
    assert intent is not None
    assert intent["amount_received"] == round(quote["totals"]["total"] * 100)


async def test_a_saved_method_is_not_charged_without_the_shoppers_word(shop: Shop) -> None:
    shopper = await customer(shop)
    await shopper.has(await priced(shop, 20.0))
    body = {
        "cart_id": f"cart-{shopper.user_id}",
        "shipping_address": HOME,
        "shipping_method": "standard",
        "payment_method": await saved(shopper, "pm_card_visa"),
    }
    refused = await shopper.call("POST", "/api/orders", body)
    assert (refused.status_code, rule_of(refused)) == (422, "expected_total_required")
    for odd in (await shopper.total() + 0.001, 0.0):
        refused = await shopper.call("POST", "/api/orders", {**body, "expected_total": odd})
        assert rule_of(refused) == "cart_changed"
    assert await orders_of(shop, shopper.user_id) == []


async def test_a_new_price_stays_news_for_a_new_card_however_often_the_cart_is_read(shop: Shop) -> None:
    shopper, product = await customer(shop), await priced(shop, 20.0)
    await shopper.has(product)
    await set_price(shop, product, 25.0)
    for _ in range(3):
        assert [each["code"] for each in (await shopper.cart())["notices"]] == ["price_changed"]
    refused = await ordered(shopper)
    assert (refused.status_code, rule_of(refused)) == (409, "cart_changed")
    quote = refused.json()["error"]["details"]["quote"]
    assert [each["code"] for each in quote["notices"]] == ["price_changed"]
    line = quote["lines"][0]["cart_item_id"]
    await shopper.call("PUT", f"/api/cart/items/{line}", {"quantity": 1})
    assert (await placed(shopper))["totals"] == quote["totals"]

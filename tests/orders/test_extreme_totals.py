"""Orders that cost nothing, less than a payment provider takes, or more."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.payments import events as payment_events
from handlers.payments import store as payments
from tests.flows.test_journey import saved
from tests.orders.test_orders import ordered, orders_of, placed
from tests.orders.test_process import document, event, levels, until
from tests.support.paying import event_names, events_of
from tests.support.people import rule_of
from tests.support.shop import Shop
from tests.support.shopper import Shopper, customer, guest, priced, promotion
from tests.support.wait import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]


async def free(shop: Shop, **more: Any) -> tuple[Shopper, Json, Json]:
    """An order that costs nothing, of two units of five."""
    shopper, product = await customer(shop), await priced(shop, 0.0, on_hand=5)
    await shopper.has(product, 2)
    code = await promotion(shop, "free_shipping", 0)
    if more.pop("card", False):
        more["payment_method"] = await saved(shopper, "pm_card_visa")
    order = await placed(shopper, promo_code=code, **more)
    assert order["totals"]["total"] == 0
    return shopper, product, order


@pytest.mark.parametrize("card", [False, True])
async def test_an_order_that_costs_nothing_is_paid_without_a_provider(shop: Shop, card: bool) -> None:
    intents = len(shop.stripe.account.state.all("payment_intent"))
    shopper, product, order = await free(shop, card=card)
    after = await until(shop, order, "processing")
    assert (after["payment_status"], "payment_intent_id" in after["payment"]) == ("paid", False)
    (told,) = await events_of(shop.services, order["order_id"])
    assert (told["event_type"], told["data"]["amount"]) == ("PaymentProcessed", 0)
    assert "payment_intent_id" not in told["data"]

    async def sold() -> bool:
        return await levels(shop, product) == (3, 0)

    await eventually(sold)
    assert len(shop.stripe.account.state.all("payment_intent")) == intents
    asked = await shopper.call("POST", "/api/payments/create-intent", {"order_id": order["order_id"], "amount": 0})
    assert (asked.status_code, rule_of(asked)) == (409, "payment_already_made")


async def test_of_an_order_that_costs_nothing_nothing_is_refunded(shop: Shop) -> None:
    shopper, product, order = await free(shop)
    await until(shop, order, "processing")
    body = {"order_id": order["order_id"], "reason": "goodwill"}
    refund = await shop.as_admin("POST", "/api/payments/refund", body, Idempotency_Key=f"free-{order['order_id']}")
    assert (refund.status_code, rule_of(refund)) == (409, "order_state_invalid")
    cancelled = (await shopper.call("POST", f"/api/orders/{order['order_id']}/cancel")).json()
    assert (cancelled["status"], cancelled["payment_status"]) == ("cancelled", "cancelled")

    async def back() -> bool:
        return await levels(shop, product) == (5, 0)

    await eventually(back)
    assert await event_names(shop.services, order["order_id"]) == ["PaymentProcessed"]
    assert (await document(shop, order))["payment_status"] == "cancelled"


async def test_an_order_that_costs_nothing_and_was_cancelled_first_is_not_paid(shop: Shop) -> None:
    """Also when the stock is heard of after the cancellation, twice."""
    shopper, _, order = await free(shop)
    await shopper.call("POST", f"/api/orders/{order['order_id']}/cancel")

    async def ended() -> bool:
        return await payments.payment_of(shop.services.store, order["order_id"]) is not None

    await eventually(ended)
    before = await event_names(shop.services, order["order_id"])
    reserved = event("InventoryReserved", {"order_id": order["order_id"], "items": []}, "crud-payments")
    for _ in range(2):
        await payment_events.on_inventory_reserved(reserved, shop.services)
    assert await event_names(shop.services, order["order_id"]) == before
    assert (await document(shop, order))["payment_status"] == "cancelled"


@pytest.mark.parametrize(
    ("amount", "quantity", "rule", "bound"),
    [(0.28, 1, "total_too_small", {"minimum": 0.5}), (50_000.0, 25, "total_too_large", {"maximum": 999_999.99})],
)
async def test_what_the_provider_cannot_take_is_refused_at_quote_and_order(
    shop: Shop, amount: float, quantity: int, rule: str, bound: Json
) -> None:
    shopper = await guest(shop)
    await shopper.has(await priced(shop, amount), quantity)
    code = await promotion(shop, "free_shipping", 0)
    quote = await shopper.quote(promo_code=code)
    order = await ordered(shopper, promo_code=code, email="dana@example.com")
    for answer in (quote, order):
        assert (answer.status_code, rule_of(answer)) == (422, rule), answer.text
        assert answer.json()["error"]["details"].items() >= bound.items()
    assert await orders_of(shop, shopper.user_id) == []
    await shopper.has(await priced(shop, 1.0))
    enough = await ordered(shopper, promo_code=code, email="dana@example.com")
    assert enough.status_code == (201 if rule == "total_too_small" else 422)


async def test_the_least_and_the_most_are_taken_by_the_provider(shop: Shop) -> None:
    for cents in (50, 99_999_999):
        shopper = await customer(shop)
        rate = {"price": {"amount": cents / 100, "currency": "USD", "tax_rate": 0.0}}
        product = await priced(shop, 1.0)
        assert (await shop.as_admin("PUT", f"/api/admin/products/{product['product_id']}", rate)).status_code == 200
        await shopper.has(product)
        code = await promotion(shop, "free_shipping", 0)
        order = await placed(shopper, promo_code=code, payment_method=await saved(shopper, "pm_card_visa"))
        assert order["totals"]["total"] == cents / 100
        await until(shop, order, "processing")

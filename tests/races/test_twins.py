"""Races between two API processes on one store, on SQLite and on the Cosmos DB stand-in."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from handlers.inventory import store as inventory
from tests.orders.test_orders import ordered, orders_of
from tests.support.people import rule_of
from tests.support.shop import Shop
from tests.support.shopper import Shopper, customer, guest, priced, promotion
from tests.support.wait import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(300)]

Json = dict[str, Any]

SHOPPERS, STOCK = 50, 10
QUICK_SHOPPERS, LAG = 12, 0.3  # who do one thing after the other; seconds that replicas are behind


async def statuses(orders: list[tuple[Shopper, Json]]) -> list[str]:
    """Where each order is."""
    answers = await asyncio.gather(*(each.call("GET", f"/api/orders/{order['order_id']}") for each, order in orders))
    return [answer.json()["status"] for answer in answers]


async def test_fifty_parallel_orders_on_ten_units_sell_ten(pair: Shop) -> None:
    product = await priced(pair, 25.0, on_hand=STOCK)
    shoppers = await asyncio.gather(*(guest(pair) for _ in range(SHOPPERS)))
    await asyncio.gather(*(shopper.has(product, 1) for shopper in shoppers))
    answers = await asyncio.gather(*(ordered(each, email="race@example.com") for each in shoppers))
    # Whoever orders after the tenth reservation is told so at once, the others when their reservation fails.
    refused = {rule_of(answer) for answer in answers if answer.status_code != 201}
    assert refused <= {"item_unavailable", "cart_changed"}, refused
    placed = [
        (each, answer.json()) for each, answer in zip(shoppers, answers, strict=True) if answer.status_code == 201
    ]

    async def decided() -> bool:
        return "pending" not in await statuses(placed)

    await eventually(decided, 120)
    found = await statuses(placed)
    assert (found.count("awaiting_payment"), found.count("cancelled")) == (STOCK, len(placed) - STOCK)
    stock = await inventory.read_stock(pair.services.store, product["product_id"], product["variants"][0]["variant_id"])
    assert stock is not None
    assert (stock.data["on_hand"], stock.data["reserved"]) == (STOCK, STOCK)


async def test_ten_requests_with_one_key_make_one_order(pair: Shop) -> None:
    shopper, product = await customer(pair), await priced(pair, 10.0)
    await shopper.has(product, 2)
    answers = await asyncio.gather(*(ordered(shopper, key="twins-one-key") for _ in range(10)))
    for answer in answers:
        assert answer.status_code == 201 or rule_of(answer) == "idempotency_in_progress", answer.text
    made = {answer.json()["order_id"] for answer in answers if answer.status_code == 201}
    again = await ordered(shopper, key="twins-one-key")
    assert {again.json()["order_id"]} | made == {again.json()["order_id"]}
    assert len(await orders_of(pair, shopper.user_id)) == 1


async def test_ten_keys_on_one_cart_make_one_order(pair: Shop) -> None:
    shopper, product = await customer(pair), await priced(pair, 10.0)
    await shopper.has(product, 2)
    answers = await asyncio.gather(*(ordered(shopper, key=f"twins-key-{number}") for number in range(10)))
    assert sorted(answer.status_code for answer in answers).count(201) == 1
    assert {rule_of(answer) for answer in answers if answer.status_code != 201} <= {"cart_changed", "cart_empty"}
    assert len(await orders_of(pair, shopper.user_id)) == 1


async def test_twenty_parallel_adds_count_twenty(pair: Shop) -> None:
    shopper, product = await customer(pair), await priced(pair, 10.0, on_hand=50)
    answers = await asyncio.gather(*(shopper.add(product) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert [each["quantity"] for each in (await shopper.cart())["items"]] == [20]


async def test_a_once_only_code_used_in_parallel_counts_once(pair: Shop) -> None:
    """The same customer with orders in flight at once: one with the code, the others are told why not."""
    code = await promotion(pair, "percentage", 20, once_per_customer=True)
    product = await priced(pair, 30.0, on_hand=50)
    email = "twins-once@example.com"
    # Guests are told apart by their e-mail, so these five are one customer with five carts.
    shoppers = await asyncio.gather(*(guest(pair) for _ in range(5)))
    await asyncio.gather(*(shopper.has(product, 1) for shopper in shoppers))
    answers = await asyncio.gather(*(ordered(each, email=email, promo_code=code) for each in shoppers))
    assert [answer.status_code for answer in answers].count(201) == 1, [answer.text for answer in answers]
    assert {rule_of(answer) for answer in answers if answer.status_code != 201} == {"promo_code_used"}
    found = await pair.as_admin("GET", f"/api/admin/promotions/{code}")
    assert found.json()["redeemed"] == 1


async def test_parallel_refunds_never_exceed_the_payment(pair: Shop) -> None:
    """Eight staff refunds of a third each: three fit, and Stripe gave back no more than it took."""
    shopper, product = await customer(pair), await priced(pair, 30.0)
    saved = await shopper.call("POST", "/api/users/me/payment-methods", {"stripe_token": "pm_card_visa"})
    assert saved.status_code == 201, saved.text
    method = {"type": "saved_method", "payment_method_id": saved.json()["payment_method_id"]}
    await shopper.has(product, 1)
    order = (await ordered(shopper, payment_method=method)).json()

    async def processing() -> bool:
        return await statuses([(shopper, order)]) == ["processing"]

    await eventually(processing, 60)
    third = math.floor(order["totals"]["total"] * 100 / 3) / 100
    body = {"order_id": order["order_id"], "amount": third, "reason": "goodwill"}
    answers = await asyncio.gather(
        *(
            pair.as_admin("POST", "/api/payments/refund", body, Idempotency_Key=f"twins-refund-{n}-{order['order_id']}")
            for n in range(8)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [422] * 5, [each.text for each in answers]
    assert {rule_of(answer) for answer in answers if answer.status_code == 422} == {"refund_exceeds_payment"}
    state = pair.stripe.account.state
    (intent,) = (each for each in state.all("payment_intent") if each["metadata"].get("order_id") == order["order_id"])
    back = sum(each["amount"] for each in state.all("refund", payment_intent=intent["id"]))
    assert back == 3 * round(third * 100) <= intent["amount_received"]


async def lag(shop: Shop, seconds: float) -> None:
    """How far the replicas of the stand-in are behind from now on; an embedded store has none."""
    if shop.services.settings.cosmos_account_uri is None:
        return
    async with httpx.AsyncClient() as client:
        answer = await client.put(f"{shop.services.settings.cosmos_account_uri}/stand-in/pace", json={"lag": seconds})
    assert answer.status_code == 200, answer.text


@dataclass(slots=True)
class Returning(Shopper):
    """A shopper who sends back what they are given: as a browser does with the cookie, here by the header."""

    state: str = ""

    async def call(self, method: str, path: str, body: Json | None = None, **headers: str) -> httpx.Response:
        """One request."""
        given = {"X_Session_State": self.state} if self.state else {}
        answer = await Shopper.call(self, method, path, body, **given, **headers)
        self.state = answer.headers.get("x-session-state", self.state)
        return answer


async def test_a_cart_filled_at_one_process_is_ordered_at_the_other(pair: Shop) -> None:
    product = await priced(pair, 25.0, on_hand=100)
    found = [await (guest if number % 2 else customer)(pair) for number in range(QUICK_SHOPPERS)]
    shoppers = [Returning(each.shop, each.bearer, each.user_id) for each in found]
    await lag(pair, LAG)
    try:
        placed = [await shop_quickly(shopper, product) for shopper in shoppers]

        async def decided() -> bool:
            return all([await status(*each) == "awaiting_payment" for each in zip(shoppers, placed, strict=True)])

        # Consumers of either process hear of orders that the other has written: they wait, and pass none over.
        await eventually(decided, 60)
    finally:
        await lag(pair, 0.0)


async def shop_quickly(shopper: Shopper, product: Json) -> Json:
    """Each request goes to the other process than the one before, and none waits."""
    await shopper.has(product, 1)
    await shopper.has(product, 2)
    answer = await ordered(shopper, email="quick@example.com")
    assert answer.status_code == 201, rule_of(answer)
    order: Json = answer.json()
    assert [item["quantity"] for item in order["items"]] == [3]
    assert (await shopper.call("GET", f"/api/orders/{order['order_id']}")).status_code == 200
    return order


async def status(shopper: Shopper, order: Json) -> str:
    """Where an order is."""
    return str((await shopper.call("GET", f"/api/orders/{order['order_id']}")).json()["status"])

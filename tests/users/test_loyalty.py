"""What orders make of an account: points and tiers, and what the shop has learned, each order once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.payments import refunds
from handlers.payments import store as payments
from handlers.payments.rules import Cause
from handlers.platform.money import decimals, major_units, minor_units
from handlers.platform.store.port import Query
from handlers.users import events, loyalty, rules, store
from tests.flows.test_journey import bought
from tests.orders.test_orders import ordered, placed
from tests.orders.test_process import event, until
from tests.payments.test_operations import refund
from tests.shipments.test_operations import moved, shipped_order
from tests.support.shop import Shop
from tests.support.shopper import Shopper, customer, guest, priced
from tests.support.wait import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]


async def account(shop: Shop, user_id: str) -> Json:
    found = await store.read(shop.services.store, user_id)
    assert found is not None
    return found.data


async def told(shop: Shop, user_id: str, name: str) -> list[Json]:
    """The events of a kind about an account."""
    rows = await shop.services.store.query(Query(store.CONTAINER, partition=user_id, kind="outbox", limit=100))
    envelopes = [row.data["envelope"] for row in rows.items if "envelope" in row.data]
    return [envelope for envelope in envelopes if envelope["event_type"] == name]


@pytest.mark.parametrize(
    ("total", "currency", "points"), [(99, "USD", 0), (130992, "USD", 1309), (500, "JPY", 500), (1999, "KWD", 1)]
)
async def test_one_point_for_each_whole_unit(total: int, currency: str, points: int) -> None:
    assert loyalty.points_of(total, currency) == points


async def test_spending_adds_up_in_its_own_currency() -> None:
    user = {"rewards": {"points": 499, "lifetime_spend": 100, "currency": "USD"}, "updated_at": "2026"}
    order = loyalty.new_earning("user-1", "order-1", "USD")
    after = loyalty.rewarded(user, order, loyalty.completed(order, 1.10), "2027")
    assert after["rewards"] == {"points": 500, "lifetime_spend": 210, "currency": "USD"}
    assert rules.rewards_view(after)["tier"] == "silver"
    order = loyalty.new_earning("user-1", "order-2", "JPY")
    abroad = loyalty.rewarded(user, order, loyalty.completed(order, 300), "2027")
    assert abroad["rewards"] == {"points": 799, "lifetime_spend": 100, "currency": "USD"}


@settings(max_examples=300, deadline=None)
@given(
    total=st.integers(1, 10**7),
    currency=st.sampled_from(["USD", "JPY", "KWD"]),
    parts=st.lists(st.integers(1, 10**6), max_size=6),
    data=st.data(),
)
async def test_whatever_is_heard_first_an_order_has_earned_what_is_left_of_it(
    total: int, currency: str, parts: list[int], data: st.DataObject
) -> None:
    """Random refunds before and after the completion: points as if what is left had been bought alone."""
    refunds = [min(part, total - sum(parts[:at])) for at, part in enumerate(parts)]
    news: list[int | None] = data.draw(st.permutations([None, *(each for each in refunds if each > 0)]))
    user: Json = {"rewards": {"points": 0, "lifetime_spend": 0, "currency": currency}, "updated_at": "2026"}
    earning = loyalty.new_earning("user-1", "order-1", currency)
    for amount in news:
        before = earning
        if amount is None:
            earning = loyalty.completed(before, major_units(total, currency))
        else:
            earning = loyalty.refunded(before, major_units(amount, currency))
        user = loyalty.rewarded(user, before, earning, "2027")
        assert user["rewards"]["points"] >= 0
    left = total - sum(each for each in refunds if each > 0)
    assert user["rewards"] == {
        "points": left // 10 ** decimals(currency),
        "lifetime_spend": left,
        "currency": currency,
    }


async def test_points_that_are_gone_are_not_owed() -> None:
    order = loyalty.completed(loyalty.new_earning("user-1", "order-1", "USD"), 50.0)
    user = {"rewards": {"points": 20, "lifetime_spend": 1000, "currency": "USD"}, "updated_at": "2026"}
    after = loyalty.rewarded(user, order, loyalty.refunded(order, 50.0), "2027")
    assert after["rewards"] == {"points": 0, "lifetime_spend": 0, "currency": "USD"}


async def test_segments_follow_the_orders() -> None:
    assert [loyalty.segments_of(orders) for orders in (0, 1, 2, 4, 5)] == [
        [],
        ["new-customer"],
        ["returning-customer"],
        ["returning-customer"],
        ["frequent-buyer"],
    ]


async def test_each_order_is_counted_once(shop: Shop) -> None:
    shopper = await customer(shop)
    product = await priced(shop, 20.0)
    for orders in (1, 2):
        await shopper.has(product)
        order = await placed(shopper)

        async def counted(orders: int = orders) -> bool:
            return loyalty.orders_count(await account(shop, shopper.user_id)) == orders

        await eventually(counted)
    again = event("OrderCreated", {"order_id": order["order_id"], "user_id": shopper.user_id}, events.AGENT)
    for _ in range(2):
        await events.on_order_created(again, shop.services)
    assert (await account(shop, shopper.user_id))["crm"] == {"orders_count": 3, "segments": ["returning-customer"]}
    news = await told(shop, shopper.user_id, "ProfileUpdated")
    assert [(each["source"], each["data"]["orders_count"]) for each in news] == [(events.AGENT, n) for n in (1, 2, 3)]


async def test_what_the_agent_says_is_kept_but_nothing_older(shop: Shop) -> None:
    shopper = await customer(shop)
    data = {"order_id": "order-1", "user_id": shopper.user_id, "orders_count": 7, "segments": ["vip"]}
    await events.on_profile_updated(event("ProfileUpdated", data, "crud-users"), shop.services)
    older = {**data, "orders_count": 6, "segments": ["frequent-buyer"]}
    await events.on_profile_updated(event("ProfileUpdated", older, "crud-users"), shop.services)
    assert (await account(shop, shopper.user_id))["crm"] == {"orders_count": 7, "segments": ["vip"]}


async def test_a_completed_order_earns_its_points_once(shop: Shop) -> None:
    shopper, order, shipment_id = await shipped_order(shop)
    before = (await shopper.call("GET", "/api/users/me/rewards")).json()
    assert (before["points"], before["tier"]) == (0, "bronze")
    await moved(shop, shipment_id, "picked_up")
    await moved(shop, shipment_id, "delivered")
    await until(shop, order, "completed")
    total = order["totals"]["total"]

    async def credited() -> bool:
        return bool((await shopper.call("GET", "/api/users/me/rewards")).json()["points"] == int(total))

    await eventually(credited)
    again = event("OrderCompleted", {"order_id": order["order_id"], "user_id": shopper.user_id}, "crud-users")
    again.data["totals"] = order["totals"]
    for _ in range(3):
        await events.on_order_completed(again, shop.services)
    rewards = (await shopper.call("GET", "/api/users/me/rewards")).json()
    assert (rewards["points"], rewards["lifetime_spend"]) == (int(total), total)
    news = await told(shop, shopper.user_id, "UserUpdated")
    assert [each["data"]["changed_fields"] for each in news] == [["rewards"]]


async def standing(shopper: Shopper) -> tuple[int, float]:
    """Points and what was spent, as the customer sees them."""
    rewards = (await shopper.call("GET", "/api/users/me/rewards")).json()
    return rewards["points"], rewards["lifetime_spend"]


async def stands(shopper: Shopper, cents: int) -> None:
    """Waits until a customer has the points of so much money."""

    async def there() -> bool:
        return await standing(shopper) == (cents // 100, cents / 100)

    await eventually(there)


async def test_what_is_refunded_has_earned_nothing(shop: Shop) -> None:
    shopper, order, shipment_id = await shipped_order(shop)
    total = minor_units(order["totals"]["total"], "USD")
    for status in ("picked_up", "delivered"):
        await moved(shop, shipment_id, status)
    await stands(shopper, total)
    # Half a unit and half a unit are one, wherever the halves lie.
    for amount in (10.5, 0.5):
        assert (await refund(shop, order, amount=amount)).status_code == 201
    await stands(shopper, total - 1100)
    assert (await refund(shop, order)).status_code == 201
    await stands(shopper, 0)
    made = [row for row in await payments.of_order(shop.services.store, order["order_id"]) if row["type"] == "refund"]
    assert len(made) == 3
    rows = await shop.services.store.query(
        Query(payments.CONTAINER, partition=order["order_id"], kind="outbox", limit=100)
    )
    for row in rows.items:
        envelope = row.data.get("envelope", {})
        if envelope.get("event_type") == "RefundProcessed":
            again = replace(event("RefundProcessed", envelope["data"], "crud-users"), id=envelope["event_id"])
            await events.on_refund_processed(again, shop.services)
    assert await standing(shopper) == (0, 0)


async def test_a_refund_that_comes_back_gives_the_points_again(shop: Shop) -> None:
    shopper, order, shipment_id = await shipped_order(shop)
    total = minor_units(order["totals"]["total"], "USD")
    for status in ("picked_up", "delivered"):
        await moved(shop, shipment_id, status)
    await stands(shopper, total)
    made = (await refund(shop, order, amount=10.0)).json()
    await stands(shopper, total - 1000)
    found = await payments.read(shop.services.store, order["order_id"], made["refund_id"])
    payment = await payments.payment_of(shop.services.store, order["order_id"])
    assert found is not None
    assert payment is not None
    shop.stripe.settle_refund(found["stripe_id"], "failed")
    await refunds.sync(shop.services, payment, Cause("request-of-a-test"))
    await stands(shopper, total)
    assert (await refund(shop, order, amount=10.0)).status_code == 201
    await stands(shopper, total - 1000)


async def test_a_refund_before_the_order_is_completed_counts_when_it_is(shop: Shop) -> None:
    shopper, order, shipment_id = await shipped_order(shop)
    total = minor_units(order["totals"]["total"], "USD")
    assert (await refund(shop, order, amount=10.0)).status_code == 201

    async def noted() -> bool:
        return await store.earning(shop.services.store, shopper.user_id, order["order_id"]) is not None

    await eventually(noted)
    assert await standing(shopper) == (0, 0)
    for status in ("picked_up", "delivered"):
        await moved(shop, shipment_id, status)
    await stands(shopper, total - 1000)


async def test_an_order_that_never_was_completed_takes_nothing_back(shop: Shop) -> None:
    shopper, order, shipment_id = await shipped_order(shop)
    for status in ("picked_up", "delivered"):
        await moved(shop, shipment_id, status)
    await stands(shopper, minor_units(order["totals"]["total"], "USD"))
    before = await standing(shopper)
    other = {"order_id": "order-of-tomorrow", "user_id": shopper.user_id, "amount": 25.0, "currency": "USD"}
    await events.on_refund_processed(event("RefundProcessed", other, "crud-users"), shop.services)
    assert await standing(shopper) == before


async def test_guests_have_no_account_to_credit(shop: Shop) -> None:
    shopper = await guest(shop)
    await shopper.has(await priced(shop, 20.0))
    order = (await ordered(shopper, email="guest-of-loyalty@example.com")).json()
    await until(shop, order, "awaiting_payment")
    data = {"order_id": order["order_id"], "user_id": shopper.user_id, "totals": order["totals"]}
    await events.on_order_created(event("OrderCreated", data, events.AGENT), shop.services)
    await events.on_order_completed(event("OrderCompleted", data, "crud-users"), shop.services)
    gone = {**data, "amount": 5.0, "currency": "USD"}
    await events.on_refund_processed(event("RefundProcessed", gone, "crud-users"), shop.services)
    assert await store.read(shop.services.store, shopper.user_id) is None
    assert await store.earning(shop.services.store, shopper.user_id, order["order_id"]) is None


async def test_a_failed_order_earns_nothing(shop: Shop) -> None:
    shopper, _, order = await bought(shop, "pm_card_chargeCustomerFail")
    await until(shop, order, "awaiting_payment")
    assert (await shopper.call("POST", f"/api/orders/{order['order_id']}/cancel")).status_code == 200
    assert (await shopper.call("GET", "/api/users/me/rewards")).json()["points"] == 0


async def test_many_orders_of_one_customer_at_once_all_count(shop: Shop) -> None:
    shopper = await customer(shop)
    totals = {"total": 10.0, "currency": "USD"}
    data = {"user_id": shopper.user_id, "totals": totals}
    created = [event("OrderCreated", {**data, "order_id": f"order-{n}"}, events.AGENT) for n in range(40)]
    completed = [event("OrderCompleted", {**data, "order_id": f"order-{n}"}, "crud-users") for n in range(40)]
    await asyncio.gather(
        *(events.on_order_created(each, shop.services) for each in created),
        *(events.on_order_completed(each, shop.services) for each in completed),
    )
    found = await account(shop, shopper.user_id)
    assert (loyalty.orders_count(found), found["rewards"]["points"]) == (40, 400)

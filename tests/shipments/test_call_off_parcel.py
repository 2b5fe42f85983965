"""Cancelling an order against handing its parcel over: the shipment is called off first, and decides who was faster."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from handlers.contract.parcels import CallOff
from handlers.orders import events as order_events
from handlers.orders import store as orders
from handlers.platform.store.port import Query, Replace
from handlers.shipments import events, store
from handlers.shipments.call_off_parcel import call_off_parcel
from tests.orders.test_process import document, event, levels, reserved_order, scheduled, sent, until
from tests.shipments.test_operations import move, moved, shipped_order, staff, told
from tests.support.people import rule_of
from tests.support.shop import Shop
from tests.support.shopper import Shopper, priced
from tests.support.wait import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]


async def cancel(shopper: Shopper, order: Json, body: Json | None = None, **headers: str) -> Any:
    return await shopper.call("POST", f"/api/orders/{order['order_id']}/cancel", body, **headers)


def wanted(order: Json) -> CallOff:
    return CallOff(
        order_id=order["order_id"],
        user_id=order["user_id"],
        reason="ordered_by_mistake",
        cancelled_by="customer",
        correlation_id="request-of-a-test",
    )


async def put_back(shop: Shop, order: Json, **fields: Any) -> None:
    """Lets an order be as it was before it heard what came after."""
    found = await orders.find(shop.services.store, order["order_id"])
    assert found is not None
    await shop.services.store.write(orders.CONTAINER, Replace({**found.data, **fields}, if_match=found.etag))


async def kinds(shop: Shop, order: Json) -> list[str]:
    return [each["event_type"] for each in await sent(shop, order)]


def full_refund(order: Json) -> Any:
    data = {"order_id": order["order_id"], "user_id": order["user_id"], "fully_refunded": True}
    return event("RefundProcessed", data)


async def test_the_parcel_is_called_off_before_the_response(shop: Shop) -> None:
    shopper, order, shipment_id = await shipped_order(shop)
    assert (await cancel(shopper, order)).status_code == 200
    seen = (await staff(shop, "GET", f"/{shipment_id}")).json()
    assert (seen["status"], [each["status"] for each in seen["events"]]) == (
        "cancelled",
        ["label_created", "cancelled"],
    )
    for status in ("picked_up", "cancelled"):
        assert rule_of(await move(shop, shipment_id, status)) == "shipment_state_invalid"
    assert await told(shop, order) == ["ShipmentScheduled", "ShipmentCancelled"]


@pytest.mark.parametrize("last", ["picked_up", "exception"])
async def test_an_order_that_has_not_heard_of_the_hand_over_is_not_cancelled(shop: Shop, last: str) -> None:
    shopper, order, shipment_id = await shipped_order(shop)
    await moved(shop, shipment_id, "picked_up")
    if last != "picked_up":
        await moved(shop, shipment_id, last)
    await until(shop, order, "shipped")
    await put_back(shop, order, status="processing", fulfillment_status="scheduled")
    refused = await cancel(shopper, order)
    assert (refused.status_code, rule_of(refused)) == (409, "order_not_cancellable")
    assert refused.json()["error"]["details"]["status"] == "shipped"
    assert (await staff(shop, "GET", f"/{shipment_id}")).json()["status"] == last
    assert "OrderCancelled" not in await kinds(shop, order)
    # Nor by its deadline, nor by an agent that refuses what another had booked.
    await order_events.on_shipment_rejected(
        event("ShipmentRejected", {"order_id": order["order_id"], "reason": "too_heavy"}), shop.services
    )
    assert (await document(shop, order))["status"] == "processing"


async def test_a_parcel_held_up_before_hand_over_is_called_off(shop: Shop) -> None:
    shopper, order, shipment_id = await shipped_order(shop)
    await moved(shop, shipment_id, "exception")
    assert (await cancel(shopper, order)).json()["status"] == "cancelled"
    assert (await staff(shop, "GET", f"/{shipment_id}")).json()["status"] == "cancelled"
    assert rule_of(await move(shop, shipment_id, "in_transit")) == "shipment_state_invalid"


async def test_a_process_that_died_after_the_call_off_has_ended_the_order_all_the_same(shop: Shop) -> None:
    _, order, _ = await shipped_order(shop)
    for _ in range(2):
        assert await call_off_parcel(shop.services, wanted(order))
    ended = await until(shop, order, "cancelled")
    assert (ended["cancellation"]["reason"], ended["cancellation"]["cancelled_by"]) == (
        "ordered_by_mistake",
        "customer",
    )
    assert (await kinds(shop, order)).count("OrderCancelled") == 1

    async def refunded() -> bool:
        return bool((await document(shop, order))["payment_status"] == "refunded")

    await eventually(refunded)


async def test_what_is_booked_after_the_call_off_becomes_no_shipment(shop: Shop) -> None:
    product = await priced(shop, 20.0, on_hand=5)
    shopper, order = await reserved_order(shop, product)
    assert (await cancel(shopper, order)).status_code == 200
    await events.on_shipment_scheduled(scheduled(order, "crud-shipments"), shop.services)
    found = await store.of_order(shop.services.store, order["order_id"])
    assert found is not None
    assert not store.is_shipment(found)
    await order_events.on_shipment_scheduled(scheduled(order, "crud-orders"), shop.services)
    assert (await document(shop, order))["status"] == "cancelled"

    async def restocked() -> bool:
        return await levels(shop, product) == (5, 0)

    await eventually(restocked)


async def test_the_call_off_stands_although_the_order_changed_since_the_etag_was_read(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between call-off and end of the order something else is written to it: the cancellation is finished."""
    shopper, order, _ = await shipped_order(shop)
    etag = (await shopper.call("GET", f"/api/orders/{order['order_id']}")).headers["etag"]
    call_off, calls = shop.services.call_off, 0

    async def interrupted(*arguments: Any) -> bool:
        nonlocal calls
        calls += 1
        answer = await call_off(*arguments)
        if calls == 1:
            await put_back(shop, order, notes="Changed meanwhile.")
        return answer

    monkeypatch.setattr(shop.services, "call_off", interrupted)
    answer = await cancel(shopper, order, If_Match=etag)
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert (await cancel(shopper, order, If_Match=etag)).status_code == 412


async def test_an_order_refunded_in_full_keeps_its_parcel_back_or_counts_as_shipped(shop: Shop) -> None:
    _, kept, kept_id = await shipped_order(shop)
    await order_events.on_refund_processed(full_refund(kept), shop.services)
    assert (await document(shop, kept))["status"] == "cancelled"
    assert (await staff(shop, "GET", f"/{kept_id}")).json()["status"] == "cancelled"
    _, gone, gone_id = await shipped_order(shop)
    await moved(shop, gone_id, "picked_up")
    await until(shop, gone, "shipped")
    await put_back(shop, gone, status="processing", fulfillment_status="scheduled")
    await order_events.on_refund_processed(full_refund(gone), shop.services)
    assert (await document(shop, gone))["status"] == "refunded"
    assert "OrderCancelled" not in await kinds(shop, gone)


async def test_a_full_refund_by_staff_calls_the_parcel_off_before_money_moves(shop: Shop) -> None:
    _, order, shipment_id = await shipped_order(shop)
    body = {"order_id": order["order_id"], "reason": "goodwill"}
    answer = await shop.as_admin("POST", "/api/payments/refund", body, Idempotency_Key=f"refund-{uuid4().hex}")
    assert answer.status_code == 201, answer.text
    assert (await staff(shop, "GET", f"/{shipment_id}")).json()["status"] == "cancelled"
    ended = await until(shop, order, "cancelled")
    assert ended["cancellation"]["reason"] == "staff_request"

    async def once() -> bool:
        return bool((await document(shop, order))["payment_status"] == "refunded")

    await eventually(once)
    made = [
        each
        for each in shop.stripe.account.state.all("refund")
        if each["metadata"].get("order_id") == order["order_id"]
    ]
    assert len(made) == 1


async def test_the_end_of_an_order_by_an_older_process_holds_its_parcel_back_or_warns_staff(shop: Shop) -> None:
    """One that knows no call-off sends `OrderCancelled` at once."""

    def cancelled(order: Json) -> Any:
        names = {name: order[name] for name in ("order_id", "user_id")}
        return event("OrderCancelled", {**names, "reason": "customer_request", "cancelled_by": "customer"})

    _, order, shipment_id = await shipped_order(shop)
    for _ in range(2):
        await events.on_order_cancelled(cancelled(order), shop.services)
    assert (await staff(shop, "GET", f"/{shipment_id}")).json()["status"] == "cancelled"
    _, order, shipment_id = await shipped_order(shop)
    await moved(shop, shipment_id, "picked_up")
    await events.on_order_cancelled(cancelled(order), shop.services)
    seen = (await staff(shop, "GET", f"/{shipment_id}")).json()
    assert (seen["status"], [each["severity"] for each in seen["issues"]]) == ("picked_up", ["high"])


async def test_every_call_off_is_told_of(shop: Shop) -> None:
    product = await priced(shop, 20.0, on_hand=5)
    shopper, order = await reserved_order(shop, product)
    assert (await cancel(shopper, order)).status_code == 200
    rows = await shop.services.store.query(Query(store.CONTAINER, partition=order["order_id"], kind="outbox"))
    (envelope,) = (row.data["envelope"] for row in rows.items)
    assert envelope["event_type"] == "ShipmentCancelled"
    assert "shipment_id" not in envelope["data"]
    assert envelope["data"]["reason"] == "customer_request"

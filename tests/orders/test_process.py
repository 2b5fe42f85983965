"""The order process in the running application: what participants report moves the order, and its end undoes all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from handlers.inventory import events as inventory_events
from handlers.inventory import store as inventory
from handlers.orders import events, process, store
from handlers.orders.watchdog import Watchdog
from handlers.payments import events as payment_events
from handlers.platform.clock import moment, timestamp
from handlers.platform.errors import DocumentNewer
from handlers.platform.events import Event
from handlers.platform.patience import NotYetThere
from handlers.platform.store.claims import put_lookup
from handlers.platform.store.port import Create, Query, Replace
from handlers.pricing import promotions
from tests.orders.test_orders import placed
from tests.support.app import time_passes
from tests.support.shop import Shop
from tests.support.shopper import Shopper, customer, priced, promotion
from tests.support.wait import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]


def event(name: str, data: Json, group: str = "crud-orders") -> Event[Any]:
    """An event as a handler receives it."""
    event_id = f"event-{uuid4().hex}"
    return Event(
        id=event_id,
        type=name,
        version="1.0",
        timestamp="2026-01-25T10:45:00.000Z",
        source="test",
        data=data,
        correlation_id="request-of-a-test",
        causation_id="request-of-a-test",
        group=group,
        topic="test",
        key=data["order_id"],
    )


async def document(shop: Shop, order: Json) -> Json:
    """The order's document."""
    found = await store.find(shop.services.store, order["order_id"])
    assert found is not None
    return found.data


async def until(shop: Shop, order: Json, status: str) -> Json:
    """The order's document, once it has a status."""

    async def there() -> bool:
        return bool((await document(shop, order))["status"] == status)

    await eventually(there)
    return await document(shop, order)


async def levels(shop: Shop, product: Json) -> tuple[int, int]:
    """Units on hand and reserved of a product's first variant."""
    variant_id = product["variants"][0]["variant_id"]
    found = await inventory.read_stock(shop.services.store, product["product_id"], variant_id)
    assert found is not None
    return found.data["on_hand"], found.data["reserved"]


async def reserved_order(shop: Shop, *products: Json, **changes: Any) -> tuple[Shopper, Json]:
    """An order whose stock is held."""
    shopper = await customer(shop)
    for product in products:
        await shopper.has(product, 2)
    order = await placed(shopper, **changes)
    await until(shop, order, "awaiting_payment")
    return shopper, order


def units(order: Json) -> list[Json]:
    """The units of an order's lines."""
    return [{key: item[key] for key in ("product_id", "variant_id", "sku", "quantity")} for item in order["items"]]


def paid(order: Json) -> Event[Any]:
    """The news that an order is paid, as it reaches the orders alone."""
    data = {
        "order_id": order["order_id"],
        "user_id": order["user_id"],
        "payment_intent_id": "pi_test",
        "method": "credit_card",
        "paid_at": "2026-01-25T10:46:30.000Z",
    }
    return event("PaymentProcessed", data)


def scheduled(order: Json, group: str) -> Event[Any]:
    """The news that a parcel is booked."""
    data = {
        "order_id": order["order_id"],
        "shipment_id": "shipment-1",
        "carrier": "FedEx",
        "service_level": "standard",
        "tracking_number": "HPH1",
        "estimated_delivery": "2026-01-30T23:59:59.000Z",
        "items": units(order),
    }
    return event("ShipmentScheduled", data, group)


async def sent(shop: Shop, order: Json) -> list[Json]:
    """The events of an order, oldest first."""
    query = Query(store.CONTAINER, partition=order["user_id"], kind="outbox", limit=100)
    rows = [row.data for row in (await shop.services.store.query(query)).items]
    own = [row for row in rows if row["partition_key"] == order["order_id"]]
    return [row["envelope"] for row in sorted(own, key=lambda row: int(row["sequence"]))]


async def test_from_stock_to_the_door(shop: Shop) -> None:
    product = await priced(shop, 20.0, on_hand=5)
    shopper, order = await reserved_order(shop, product)
    known = await document(shop, order)
    assert known["payment_due_at"] == known["deadline_at"]
    assert await levels(shop, product) == (5, 2)
    await events.on_payment_processed(paid(order), shop.services)
    assert (await document(shop, order))["status"] == "paid"
    news = scheduled(order, "crud-orders")
    for _ in range(2):
        await events.on_shipment_scheduled(news, shop.services)
    taken = scheduled(order, "crud-inventory")
    for _ in range(2):
        await inventory_events.on_shipment_scheduled(taken, shop.services)
    assert await levels(shop, product) == (3, 0)
    for status in ("picked_up", "exception", "delivered"):
        data = {"order_id": order["order_id"], "user_id": order["user_id"], "status": status}
        await events.on_shipment_status_updated(event("ShipmentStatusUpdated", data), shop.services)
    data = {"order_id": order["order_id"], "user_id": order["user_id"], "delivered_at": "2026-01-30T15:20:00.000Z"}
    await events.on_delivery_completed(event("DeliveryCompleted", data), shop.services)
    seen = (await shopper.call("GET", f"/api/orders/{order['order_id']}")).json()
    assert (seen["status"], seen["payment_status"], seen["fulfillment_status"]) == ("completed", "paid", "delivered")
    assert (seen["shipping"]["carrier"], seen["payment"]["payment_intent_id"]) == ("FedEx", "pi_test")
    names = [each["event_type"] for each in await sent(shop, order)]
    assert names == ["OrderCreated", *["OrderUpdated"] * 6, "OrderCompleted"]
    tracking = (await shopper.call("GET", f"/api/orders/{order['order_id']}/tracking")).json()
    stages = [each["stage"] for each in tracking["timeline"]]
    assert stages == ["order_placed", "payment_confirmed", "label_created", "picked_up", "exception", "delivered"]
    refused = await shopper.call("POST", f"/api/orders/{order['order_id']}/cancel")
    assert refused.status_code == 409
    some = {"order_id": order["order_id"], "user_id": order["user_id"], "fully_refunded": False}
    await events.on_refund_processed(event("RefundProcessed", some), shop.services)
    assert (await document(shop, order))["payment_status"] == "partially_refunded"
    await events.on_refund_processed(event("RefundProcessed", {**some, "fully_refunded": True}), shop.services)
    assert (await document(shop, order))["status"] == "refunded"


async def placed_again(shop: Shop, order: Json) -> Json:
    """Another order like it, which was never announced. It exists, so that nobody waits for it when it is refused."""
    order_id = f"order-{uuid4().hex}"
    other = {**await document(shop, order), "order_id": order_id, "id": order_id, "status": "pending"}
    await put_lookup(shop.services.store, store.ORDER, order_id, {"user_id": other["user_id"]})
    await shop.services.store.write(store.CONTAINER, Create(other))
    return other


async def test_all_lines_or_none(shop: Shop) -> None:
    plenty, scarce = await priced(shop, 20.0, on_hand=50), await priced(shop, 30.0, on_hand=2)
    first, second = await customer(shop), await customer(shop)
    for shopper in (first, second):
        await shopper.has(plenty, 2)
        await shopper.has(scarce, 2)
    one = await placed(first)
    await until(shop, one, "awaiting_payment")
    assert (await levels(shop, plenty), await levels(shop, scarce)) == ((50, 2), (2, 2))
    # The second cart was last read while there was stock; its order finds none.
    other = await placed_again(shop, one)
    data = {"order_id": other["order_id"], "items": one["items"]}
    refusal = event("OrderCreated", data, "inventory-reservation-validation")
    await inventory_events.on_order_created(refusal, shop.services)
    await inventory_events.on_order_created(refusal, shop.services)
    assert (await levels(shop, plenty), await levels(shop, scarce)) == ((50, 2), (2, 2))
    await until(shop, other, "cancelled")
    await first.call("POST", f"/api/orders/{one['order_id']}/cancel")

    async def free() -> bool:
        return (await levels(shop, plenty), await levels(shop, scarce)) == ((50, 0), (2, 0))

    await eventually(free)


async def test_a_cancelled_order_gives_back_what_its_parcel_had_taken(shop: Shop) -> None:
    product = await priced(shop, 20.0, on_hand=5)
    code = await promotion(shop, "percentage", 10, once_per_customer=True)
    shopper, order = await reserved_order(shop, product, promo_code=code)
    await events.on_payment_processed(paid(order), shop.services)
    await events.on_shipment_scheduled(scheduled(order, "crud-orders"), shop.services)
    await inventory_events.on_shipment_scheduled(scheduled(order, "crud-inventory"), shop.services)
    assert await levels(shop, product) == (3, 0)
    assert await promotions.used_by(shop.services.store, code, shopper.user_id)
    cancelled = (await shopper.call("POST", f"/api/orders/{order['order_id']}/cancel")).json()
    assert (cancelled["status"], cancelled["payment_status"]) == ("cancelled", "refund_pending")

    async def undone() -> bool:
        used = await promotions.used_by(shop.services.store, code, shopper.user_id)
        return not used and await levels(shop, product) == (5, 0)

    await eventually(undone)
    # A parcel that is heard of late takes nothing, and an old creation holds nothing.
    await inventory_events.on_shipment_scheduled(scheduled(order, "crud-inventory"), shop.services)
    data = {"order_id": order["order_id"], "items": order["items"]}
    old = event("OrderCreated", data, "inventory-reservation-validation")
    await inventory_events.on_order_created(old, shop.services)
    assert await levels(shop, product) == (5, 0)
    last = (await sent(shop, order))[-1]["data"]
    assert (last["previous_status"], last["amount_paid"], last["promo_code"]) == (
        "processing",
        order["totals"]["total"],
        code,
    )


async def test_a_payment_that_failed_frees_stock_and_code(shop: Shop) -> None:
    product, code = await priced(shop, 20.0, on_hand=5), await promotion(shop, "fixed", 5, once_per_customer=True)
    shopper, order = await reserved_order(shop, product, promo_code=code)
    data = {
        "order_id": order["order_id"],
        "user_id": order["user_id"],
        "failure_code": "card_declined",
        "failure_message": "Your card was declined.",
        "items": units(order),
    }
    for _ in range(2):
        await events.on_payment_failed(event("PaymentFailed", data), shop.services)
        await inventory_events.on_payment_failed(
            event("PaymentFailed", data, "inventory-reservation-validation"), shop.services
        )
    seen = (await shopper.call("GET", f"/api/orders/{order['order_id']}")).json()
    assert (seen["status"], seen["payment"]["failure_message"]) == ("payment_failed", "Your card was declined.")
    assert await levels(shop, product) == (5, 0)
    assert not await promotions.used_by(shop.services.store, code, shopper.user_id)
    # Money that comes after all goes back.
    await events.on_payment_processed(paid(order), shop.services)
    assert (await document(shop, order))["payment_status"] == "refund_pending"
    assert (await sent(shop, order))[-1]["event_type"] == "RefundRequested"


async def test_what_went_back_before_is_not_to_be_returned_again(shop: Shop) -> None:
    shopper, order = await reserved_order(shop, await priced(shop, 20.0))
    await events.on_payment_processed(paid(order), shop.services)
    some = {"order_id": order["order_id"], "user_id": order["user_id"], "fully_refunded": False}
    await events.on_refund_processed(event("RefundProcessed", some), shop.services)
    assert "amount_refunded" not in await document(shop, order)  # one of before contract 2.0
    await events.on_refund_processed(event("RefundProcessed", {**some, "amount_refunded": 5.25}), shop.services)
    assert (await shopper.call("POST", f"/api/orders/{order['order_id']}/cancel")).status_code == 200
    news = await sent(shop, order)
    assert news[-1]["data"]["amount_paid"] == round(order["totals"]["total"] - 5.25, 2)
    revisions = [each["data"]["revision"] for each in news if each["event_type"] == "OrderUpdated"]
    assert revisions == sorted(set(revisions))
    assert len(revisions) >= 4


async def test_an_event_changes_no_order_whose_status_only_a_newer_process_knows(shop: Shop) -> None:
    _, order = await reserved_order(shop, await priced(shop, 20.0))
    known = await document(shop, order)
    newer = {**known, "status": "in_review"}
    await shop.services.store.write(store.CONTAINER, Replace(newer))
    heard = paid(order)
    with pytest.raises(DocumentNewer):
        await events.on_payment_processed(heard, shop.services)
    assert await document(shop, order) == newer
    # The same event, sent again once the process is a newer one: it was not noted as done.
    await shop.services.store.write(store.CONTAINER, Replace(known))
    await events.on_payment_processed(heard, shop.services)
    assert (await document(shop, order))["status"] == "paid"


async def test_no_carrier_ends_a_paid_order(shop: Shop) -> None:
    _, order = await reserved_order(shop, await priced(shop, 20.0))
    await events.on_payment_processed(paid(order), shop.services)
    data = {"order_id": order["order_id"], "reason": "too_heavy"}
    await events.on_shipment_rejected(event("ShipmentRejected", data), shop.services)
    ended = await document(shop, order)
    assert (ended["cancellation"]["reason"], ended["payment_status"]) == ("no_carrier", "refund_pending")


async def test_an_order_that_an_event_proves_is_waited_for(shop: Shop) -> None:
    # Nobody may do nothing because a replica is behind: the event would be done with, and the order stay as it is.
    gone = {"order_id": "order-none"}
    owned = {**gone, "user_id": "user-none", "fully_refunded": True}
    with pytest.raises(NotYetThere):
        await events.on_inventory_reserved(event("InventoryReserved", gone), shop.services)
    with pytest.raises(NotYetThere):
        await events.on_refund_processed(event("RefundProcessed", owned), shop.services)
    with pytest.raises(NotYetThere):
        await payment_events.on_inventory_reserved(event("InventoryReserved", gone), shop.services)
    await events.on_inventory_released(event("InventoryReleased", gone), shop.services)


async def test_the_watchdog_ends_what_is_not_paid_in_time(shop: Shop) -> None:
    product = await priced(shop, 20.0, on_hand=5)
    _, order = await reserved_order(shop, product)
    clock = shop.running.clock
    watchdog = Watchdog(shop.services)
    before = clock.shift
    try:
        row = {"order_id": order["order_id"], "user_id": order["user_id"], "promo_code": None}
        await watchdog.look(row)
        assert (await document(shop, order))["status"] == "awaiting_payment"
        time_passes(shop.running, minutes=31)
        await watchdog.look(row)
        ended = await document(shop, order)
        await watchdog.look(row)
    finally:
        clock.shift = before
        await watchdog.stop()
    assert (ended["status"], ended["cancellation"]["reason"]) == ("cancelled", "payment_timeout")
    assert ended["deadline_at"] is None

    async def free() -> bool:
        return await levels(shop, product) == (5, 0)

    await eventually(free)


async def test_a_code_redeemed_for_an_order_that_never_came_is_given_back(shop: Shop) -> None:
    code = await promotion(shop, "percentage", 10, once_per_customer=True)
    due = timestamp(shop.services.clock.now())
    await promotions.redeem(shop.services.store, code, "order-never", "user-never", until=due)
    row = {"order_id": "order-never", "user_id": "user-never", "promo_code": code, "due_at": due}
    await Watchdog(shop.services).look(row)
    assert not await promotions.used_by(shop.services.store, code, "user-never")


async def test_a_delayed_payment_that_is_declined_gives_the_usual_time_for_another(shop: Shop) -> None:
    _, order = await reserved_order(shop, await priced(shop, 20.0, on_hand=5))
    names = {"order_id": order["order_id"], "user_id": order["user_id"]}
    await process.hear(shop.services, event("PaymentProcessed", names), "payment_pending")
    waits = await document(shop, order)
    assert moment(waits["deadline_at"]) - shop.services.clock.now() > timedelta(days=20)
    data = {**names, "payment_intent_id": "pi_1", "failure_message": "The bank said no."}
    await events.on_payment_attempt_failed(event("PaymentAttemptFailed", data), shop.services)
    declined = await document(shop, order)
    assert (declined["status"], declined["payment_status"]) == ("awaiting_payment", "failed")
    assert declined["payment"]["failure_message"] == "The bank said no."
    assert moment(declined["payment_due_at"]) - shop.services.clock.now() <= timedelta(minutes=30)
    bucket = store.bucket_of(moment(declined["deadline_at"]))
    assert await shop.services.store.read(store.DEADLINES, bucket, f"order|{order['order_id']}") is not None
    # A further decline gives no more time.
    await events.on_payment_attempt_failed(event("PaymentAttemptFailed", data), shop.services)
    assert (await document(shop, order))["deadline_at"] == declined["deadline_at"]

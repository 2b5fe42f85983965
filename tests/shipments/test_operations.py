"""What staff do with parcels, over HTTP; the order follows to its end by itself."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from handlers.orders import events as order_events
from handlers.partners.mail import outbox_messages
from handlers.platform.clock import timestamp
from handlers.platform.patience import NotYetThere
from handlers.platform.store.port import Query, VersionConflict
from handlers.shipments import api, events, store, tracking
from infra.local.stripe import SECRET_KEY
from tests.flows.test_journey import bought
from tests.orders.test_process import event, sent, until
from tests.support.callers import sign_in
from tests.support.people import rule_of
from tests.support.shop import Shop
from tests.support.shopper import HOME, Shopper
from tests.support.stage import Stage, on_stage
from tests.support.wait import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]


async def staff(shop: Shop, method: str, path: str, body: Json | None = None, **headers: str) -> httpx.Response:
    bearer = (await sign_in(shop.running))["staff"].by_bearer
    sent = {**bearer, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await shop.client.request(method, f"/api/staff/shipments{path}", json=body, headers=sent)


async def shipped_order(shop: Shop, **address: Any) -> tuple[Shopper, Json, str]:
    """A paid order and the id of its parcel, which is ready to leave."""
    shopper, _, order = await bought(shop, "pm_card_visa", shipping_address={**HOME, **address})
    await until(shop, order, "processing")

    async def there() -> bool:
        return store.is_shipment(await store.of_order(shop.services.store, order["order_id"]))

    await eventually(there)
    found = await store.of_order(shop.services.store, order["order_id"])
    assert found is not None
    return shopper, order, found.data["shipment_id"]


async def move(shop: Shop, shipment_id: str, status: str, **more: Any) -> httpx.Response:
    return await staff(shop, "PUT", f"/{shipment_id}/status", {"new_status": status, **more})


async def moved(shop: Shop, shipment_id: str, status: str, **more: Any) -> Json:
    answer = await move(shop, shipment_id, status, **more)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def told(shop: Shop, order: Json) -> list[str]:
    rows = await shop.services.store.query(Query(store.CONTAINER, partition=order["order_id"], kind="outbox"))
    envelopes = [row.data["envelope"] for row in sorted(rows.items, key=lambda row: row.data.get("sequence", 0))]
    return [envelope["event_type"] for envelope in envelopes]


async def test_a_parcel_walks_to_the_door_and_the_order_with_it(shop: Shop) -> None:
    shopper, order, shipment_id = await shipped_order(shop)
    path = f"/api/orders/{order['order_id']}"
    seen = (await staff(shop, "GET", f"/{shipment_id}")).json()
    assert (seen["status"], seen["destination"]["name"], seen["carrier"]) == ("label_created", HOME["name"], "USPS")
    await moved(shop, shipment_id, "picked_up", location="Memphis, TN")
    await until(shop, order, "shipped")
    refused = await shopper.call("POST", f"{path}/cancel")
    assert rule_of(refused) == "order_not_cancellable"
    for town in ("Dallas, TX", "Reno, NV"):
        await moved(shop, shipment_id, "in_transit", location=town, notes="On time.")
    await moved(shop, shipment_id, "exception")
    await moved(shop, shipment_id, "out_for_delivery", location="San Francisco, CA")
    arrived = await moved(shop, shipment_id, "delivered")
    assert (arrived["status"], arrived["notes"]) == ("delivered", "On time.")
    await until(shop, order, "completed")
    found = (await shopper.call("GET", path)).json()
    assert (found["payment_status"], found["fulfillment_status"]) == ("paid", "delivered")
    way = (await shopper.call("GET", f"{path}/tracking")).json()
    assert [each["stage"] for each in way["timeline"]] == [
        "order_placed",
        "payment_confirmed",
        "label_created",
        "picked_up",
        "in_transit",
        "in_transit",
        "exception",
        "out_for_delivery",
        "delivered",
    ]
    assert [each.get("location") for each in way["timeline"]][3:6] == ["Memphis, TN", "Dallas, TX", "Reno, NV"]
    assert way["current_location"]["city"] == "San Francisco"
    assert way["tracking_url"] == arrived["tracking_url"]
    assert await told(shop, order) == ["ShipmentScheduled", *["ShipmentStatusUpdated"] * 6, "DeliveryCompleted"]
    assert rule_of(await move(shop, shipment_id, "in_transit")) == "shipment_state_invalid"


async def test_refusals_of_a_move(shop: Shop) -> None:
    _, _, shipment_id = await shipped_order(shop)
    assert rule_of(await move(shop, shipment_id, "delivered")) == "shipment_state_invalid"
    now = shop.services.clock.now()
    for moment in (now + timedelta(hours=1), now - timedelta(days=1)):
        answer = await move(shop, shipment_id, "picked_up", occurred_at=timestamp(moment))
        assert (answer.status_code, rule_of(answer)) == (422, "shipment_time_invalid")
    stale = await staff(shop, "PUT", f"/{shipment_id}/status", {"new_status": "picked_up"}, If_Match='"other"')
    assert stale.status_code == 412
    etag = (await staff(shop, "GET", f"/{shipment_id}")).headers["etag"]
    body = {"new_status": "picked_up", "occurred_at": timestamp(shop.services.clock.now())}
    assert (await staff(shop, "PUT", f"/{shipment_id}/status", body, If_Match=etag)).status_code == 200
    assert (await staff(shop, "PUT", f"/{shipment_id}/status", body, If_Match=etag)).status_code == 412
    assert (await move(shop, "shipment-none", "picked_up")).status_code == 404


async def test_lists(shop: Shop) -> None:
    _, order, shipment_id = await shipped_order(shop)
    one = (await staff(shop, "GET", f"?order_id={order['order_id']}")).json()
    assert [(each["shipment_id"], each["recipient"]) for each in one["items"]] == [(shipment_id, HOME["name"])]
    newest = (await staff(shop, "GET", "?status=label_created&carrier=USPS&limit=1")).json()
    assert [each["shipment_id"] for each in newest["items"]] == [shipment_id]
    assert (await staff(shop, "GET", f"?order_id={order['order_id']}&carrier=DHL")).json()["items"] == []
    everything = (await staff(shop, "GET", "?limit=1")).json()
    assert everything["items"] == newest["items"]


async def test_the_carrier_is_asked_and_its_scans_count_once(shop: Shop) -> None:
    _, order, shipment_id = await shipped_order(shop)
    first = (await staff(shop, "GET", f"/{shipment_id}/carrier-tracking")).json()
    assert (first["status"], len(first["events"])) == ("label_created", 1)
    clock = shop.running.clock
    before = clock.shift
    try:
        clock.advance(days=3)
        await shop.sign_in()
        for _ in range(2):
            said = (await staff(shop, "GET", f"/{shipment_id}/carrier-tracking")).json()
            assert (said["status"], said["carrier_status"]) == ("in_transit", "Package in transit - on schedule")
        await until(shop, order, "shipped")
        clock.advance(days=4)
        assert await tracking.ask_all(shop.services, "job-1") >= 1
        await until(shop, order, "completed")
    finally:
        clock.shift = before
        await shop.sign_in()
    assert await told(shop, order) == ["ShipmentScheduled", *["ShipmentStatusUpdated"] * 4, "DeliveryCompleted"]


async def test_without_carriers_the_answer_is_503(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, shipment_id = await shipped_order(shop)
    inquiry = {"issue_description": "Where is it?"}
    opened = await staff(shop, "POST", f"/{shipment_id}/contact-carrier", inquiry)
    assert (opened.status_code, opened.json()["status"], opened.json()["carrier"]) == (202, "open", "USPS")
    assert opened.json()["carrier_reference"].startswith("USPS-")
    monkeypatch.setattr(shop.services, "carriers", None)
    assert (await staff(shop, "POST", f"/{shipment_id}/contact-carrier", inquiry)).status_code == 503
    assert (await staff(shop, "GET", f"/{shipment_id}/carrier-tracking")).status_code == 503
    assert await tracking.ask_all(shop.services, "job-2") == 0


async def test_customers_are_written_to(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shopper, order, shipment_id = await shipped_order(shop, phone="+14155550132")
    path = f"/{shipment_id}/notify-customer"
    email = (await shopper.call("GET", f"/api/orders/{order['order_id']}")).json()["email"]
    body = {"notification_type": "email", "kind": "delayed", "message": "The storm is over."}
    mail = await staff(shop, "POST", path, body)
    assert (mail.status_code, mail.json()["status"]) == (202, "sent")
    assert "•" in mail.json()["recipient"]
    [written] = [
        each
        for each in outbox_messages(shop.services.settings.data_dir, to=email)
        if each["subject"] == "Your parcel is late - Holiday Peak Hub"
    ]
    assert "The storm is over." in written["text"]
    text = await staff(shop, "POST", path, {"notification_type": "sms"})
    assert (text.status_code, text.json()["kind"]) == (202, "status_update")
    assert outbox_messages(shop.services.settings.data_dir, to="+14155550132")[0]["channel"] == "sms"
    monkeypatch.setattr(shop.services, "texter", None)
    assert (await staff(shop, "POST", path, {"notification_type": "sms"})).status_code == 503
    _, _, other = await shipped_order(shop)
    answer = await staff(shop, "POST", f"/{other}/notify-customer", {"notification_type": "sms"})
    assert (answer.status_code, rule_of(answer)) == (422, "phone_missing")
    rows = await shop.services.store.query(
        Query("audit_logs", partition=("shipment", timestamp(shop.services.clock.now())[:7]), limit=100)
    )
    mine = [row.data for row in rows.items if row.data["entity_id"] == shipment_id]
    assert {row["action"] for row in mine} == {"customer_notified"}
    assert SECRET_KEY not in str(mine)


async def test_estimates_and_issues_of_the_agents(shop: Shop) -> None:
    _, order, shipment_id = await shipped_order(shop)
    names = {"shipment_id": shipment_id, "order_id": order["order_id"]}
    late = event("ETAUpdated", {**names, "estimated_delivery": "2027-01-31T18:00:00.000Z"})
    issue = {
        "issue_id": "issue-66666",
        "type": "weather",
        "severity": "medium",
        "description": "Winter storm in Dallas; one day late.",
        "detected_at": "2026-01-26T09:00:00.000Z",
    }
    for _ in range(2):
        await events.on_eta_updated(late, shop.services)
    await events.on_route_issue_detected(event("RouteIssueDetected", {**names, "issue": issue}), shop.services)
    seen = (await staff(shop, "GET", f"/{shipment_id}")).json()
    assert seen["estimated_delivery"] == "2027-01-31T18:00:00.000Z"
    assert seen["issues"] == [issue]
    # News of another parcel, or of none, change nothing.
    for wrong in ({**names, "shipment_id": "shipment-other"}, {**names, "order_id": "order-none"}):
        other = event("ETAUpdated", {**wrong, "estimated_delivery": "2028-01-31T18:00:00.000Z"})
        await events.on_eta_updated(other, shop.services)
    assert (await staff(shop, "GET", f"/{shipment_id}")).json()["estimated_delivery"] == "2027-01-31T18:00:00.000Z"


async def test_what_the_agents_found_is_shown_to_the_customer(shop: Shop) -> None:
    shopper, order, shipment_id = await shipped_order(shop)
    path = f"/api/orders/{order['order_id']}/tracking"
    names = {"shipment_id": shipment_id, "order_id": order["order_id"], "user_id": order["user_id"]}
    before = len(await sent(shop, order))
    late = event("ETAUpdated", {**names, "estimated_delivery": "2027-01-31T18:00:00.000Z"}, "crud-orders")
    issue = {
        "issue_id": "issue-77777",
        "type": "weather",
        "severity": "medium",
        "description": "Winter storm in Dallas; one day late.",
        "detected_at": "2026-01-26T09:00:00.000Z",
    }
    found = event("RouteIssueDetected", {**names, "issue": issue}, "crud-orders")
    for _ in range(2):
        await order_events.on_eta_updated(late, shop.services)
        await order_events.on_route_issue_detected(found, shop.services)
    seen = (await shopper.call("GET", path)).json()
    assert (seen["estimated_delivery"], seen["issues"]) == ("2027-01-31T18:00:00.000Z", [issue])
    over = {**issue, "resolved_at": "2026-01-27T18:00:00.000Z"}
    await order_events.on_route_issue_detected(event("RouteIssueDetected", {**names, "issue": over}), shop.services)
    assert (await shopper.call("GET", path)).json()["issues"] == []
    news = (await sent(shop, order))[before:]
    assert [(each["event_type"], each["data"]["status"]) for each in news] == [("OrderUpdated", "processing")] * 3
    # Printing the label once more is no news of an order.
    again = event("ShipmentStatusUpdated", {**names, "status": "label_created"}, "crud-orders")
    await order_events.on_shipment_status_updated(again, shop.services)
    assert len(await sent(shop, order)) == before + 3


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("2027-03-01T12:00:00+01:00", "2027-03-01T11:00:00.000Z"),
        ("2027-03-01T12:00:00", None),
        ("2001-03-01T12:00:00Z", None),
        ("soon", None),
        (7, None),
    ],
)
async def test_the_agent_is_asked_when_a_parcel_arrives(shop: Shop, said: Any, shown: str | None) -> None:
    _, _, shipment_id = await shipped_order(shop)
    own = (await staff(shop, "GET", f"/{shipment_id}")).json()["estimated_delivery"]
    stage = Stage()
    stage.answer = lambda: {"estimated_delivery": said}
    async with on_stage(shop.services, stage):
        seen = (await staff(shop, "GET", f"/{shipment_id}")).json()
    assert seen["estimated_delivery"] == (shown or own)
    path, question = stage.asked[0]
    assert path == "/logistics-eta-computation/logistics/eta"
    assert HOME["name"] not in str(question)
    assert HOME["line1"] not in str(question)


async def test_an_agent_is_not_asked_about_what_has_arrived(shop: Shop) -> None:
    _, _, shipment_id = await shipped_order(shop)
    await moved(shop, shipment_id, "picked_up")
    await moved(shop, shipment_id, "delivered")
    stage = Stage()
    async with on_stage(shop.services, stage):
        assert (await staff(shop, "GET", f"/{shipment_id}")).json()["status"] == "delivered"
    assert stage.asked == []


async def test_others_who_are_always_faster(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, shipment_id = await shipped_order(shop)
    etag = (await staff(shop, "GET", f"/{shipment_id}")).headers["etag"]

    async def conflict(*_: object) -> None:
        raise VersionConflict("another was faster")

    monkeypatch.setattr(api, "settled", conflict)
    assert (await move(shop, shipment_id, "picked_up")).status_code == 503
    answer = await staff(shop, "PUT", f"/{shipment_id}/status", {"new_status": "picked_up"}, If_Match=f'"{etag[1:-1]}"')
    assert answer.status_code == 412


async def test_two_reports_at_once_are_one_move(shop: Shop) -> None:
    _, order, shipment_id = await shipped_order(shop)
    answers = await asyncio.gather(*(move(shop, shipment_id, "picked_up") for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert (await told(shop, order)).count("ShipmentStatusUpdated") == 1


async def test_a_parcel_that_an_agent_has_booked(shop: Shop) -> None:
    _, _, order = await bought(shop, "pm_card_authenticationRequired")
    data = {
        "shipment_id": "parcel-of-the-agent-" + order["order_id"][-8:],
        "order_id": order["order_id"],
        "carrier": "DHL",
        "service_level": "standard",
        "tracking_number": "JD0001",
        "estimated_delivery": "2027-01-30T23:59:59.000Z",
    }
    booked = event("ShipmentScheduled", data, "crud-shipments")
    for _ in range(2):
        await events.on_shipment_scheduled(booked, shop.services)
    seen = (await staff(shop, "GET", f"/{data['shipment_id']}")).json()
    assert (seen["carrier"], seen["order_number"]) == ("DHL", order["order_number"])
    with pytest.raises(NotYetThere):
        await events.on_shipment_scheduled(
            event("ShipmentScheduled", {**data, "order_id": "order-none"}), shop.services
        )


async def test_no_parcel_for_an_order_that_has_ended(shop: Shop) -> None:
    _, _, order = await bought(shop, "pm_card_chargeCustomerFail")
    data = {
        "order_id": order["order_id"],
        "user_id": order["user_id"],
        "reason": "payment_timeout",
        "cancelled_by": "system",
    }
    await events.on_order_cancelled(event("OrderCancelled", data, "crud-shipments"), shop.services)
    late = {
        **data,
        "shipment_id": "shipment-" + order["order_id"].removeprefix("order-"),
        "carrier": "DHL",
        "service_level": "standard",
        "tracking_number": "JD0001",
        "estimated_delivery": "2027-01-30T23:59:59.000Z",
    }
    await events.on_shipment_scheduled(event("ShipmentScheduled", late, "crud-shipments"), shop.services)
    await events.on_order_cancelled(event("OrderCancelled", data, "crud-shipments"), shop.services)
    assert (await staff(shop, "GET", f"/{late['shipment_id']}")).status_code == 404

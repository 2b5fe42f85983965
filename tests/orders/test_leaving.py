"""A customer who leaves: orders and parcels lose the person, those under way once they have ended."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.orders import events, rules, store
from handlers.payments import events as payment_events
from handlers.payments import store as payments
from handlers.platform.access import ANONYMOUS
from handlers.shipments import events as shipment_events
from handlers.shipments import store as shipments
from tests.flows.test_journey import bought
from tests.orders.test_orders import placed
from tests.orders.test_process import document, event, until
from tests.payments.test_operations import confirm, prepared
from tests.shipments.test_operations import moved, shipped_order, staff
from tests.support.people import PASSWORD
from tests.support.shop import Shop
from tests.support.shopper import HOME, customer, priced
from tests.support.wait import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]


def persons_in(document: Json) -> list[str]:
    """What of the person is still to be found."""
    text = str(document)
    return [
        each for each in (HOME["name"], HOME["line1"], HOME["city"], HOME["postal_code"], "ring twice") if each in text
    ]


async def left(shop: Shop, user_id: str) -> None:
    for handler, group in (
        (events.on_user_deleted, "crud-orders"),
        (payment_events.on_user_deleted, "crud-payments"),
        (shipment_events.on_user_deleted, "crud-shipments"),
    ):
        gone = event("UserDeleted", {"user_id": user_id, "order_id": "none"}, group)
        for _ in range(2):
            await handler(gone, shop.services)


async def test_what_has_ended_loses_the_person_at_once(shop: Shop) -> None:
    shopper = await customer(shop)
    await shopper.has(await priced(shop, 20.0))
    order = await placed(shopper, notes="Please ring twice.")
    answer = await shopper.call("POST", f"/api/orders/{order['order_id']}/cancel", {"comment": "ring twice please"})
    assert answer.status_code == 200
    assert persons_in(await document(shop, order))
    email = answer.json()["email"]
    await left(shop, shopper.user_id)
    after = await document(shop, order)
    assert persons_in(after) == []
    assert email not in str(after)
    assert (after["totals"], after["shipping_address"]["country"]) == (order["totals"], "US")
    view = (await shopper.call("GET", f"/api/orders/{order['order_id']}")).json()
    assert view["shipping_address"]["name"] == rules.NOBODY
    # The address that stands in its place opens nothing.
    path = f"/api/orders/{order['order_id']}?email={view['email']}"
    assert (await shop.client.get(path)).status_code == 404


async def test_the_address_in_the_place_of_a_person_is_nobodys() -> None:
    order = {"user_id": "guest-1", "email": "deleted@deleted.invalid"}
    assert rules.sight_of(order, ANONYMOUS, order["email"]) == "whole"
    gone = {**order, "anonymised_at": "2026-01-25T10:45:00.000Z"}
    assert rules.sight_of(gone, ANONYMOUS, order["email"]) == "nothing"


async def test_what_is_under_way_arrives_first(shop: Shop) -> None:
    shopper, order, shipment_id = await shipped_order(shop)
    await left(shop, shopper.user_id)
    assert persons_in(await document(shop, order))
    assert (await staff(shop, "GET", f"/{shipment_id}")).json()["destination"]["name"] == HOME["name"]
    await moved(shop, shipment_id, "picked_up")
    await moved(shop, shipment_id, "delivered")
    ended = await until(shop, order, "completed")
    assert persons_in(ended) == []
    parcel = await shipments.of_order(shop.services.store, order["order_id"])
    assert parcel is not None
    assert persons_in(parcel.data) == []
    letter = await staff(shop, "POST", f"/{shipment_id}/notify-customer", {"notification_type": "email"})
    assert letter.status_code == 404


async def paid_by(shop: Shop, order: Json) -> Json:
    payment = await payments.payment_of(shop.services.store, order["order_id"])
    assert payment is not None
    return payment


async def test_a_payment_loses_the_person_once_nothing_is_told_of_it_any_more(shop: Shop) -> None:
    shopper = await customer(shop)
    await shopper.has(await priced(shop, 20.0))
    order = await placed(shopper)
    await until(shop, order, "awaiting_payment")
    intent = await prepared(shopper, order)
    await left(shop, shopper.user_id)
    # The event of a payment names the place that a carrier is chosen by.
    assert persons_in(await paid_by(shop, order))
    assert (await confirm(shopper, intent)).status_code == 200
    await until(shop, order, "processing")
    payment = await paid_by(shop, order)
    assert persons_in(payment) == []
    assert (payment["status"], payment["order"]["address"]["country"], payment["last4"]) == ("succeeded", "US", None)
    found = await shipments.of_order(shop.services.store, order["order_id"])
    assert found is not None


async def test_what_was_paid_before_is_forgotten_at_once(shop: Shop) -> None:
    shopper, order, _ = await shipped_order(shop)
    assert persons_in(await paid_by(shop, order))
    await left(shop, shopper.user_id)
    assert persons_in(await paid_by(shop, order)) == []


async def test_an_account_that_is_deleted_over_http(shop: Shop) -> None:
    shopper, _, order = await bought(shop, "pm_card_chargeCustomerFail")
    await until(shop, order, "awaiting_payment")
    assert (await shopper.call("POST", f"/api/orders/{order['order_id']}/cancel")).status_code == 200
    asked = await shopper.call("POST", "/api/users/me/reauthentication", {"password": PASSWORD})
    answer = await shopper.call("DELETE", "/api/users/me", x_reauthentication=asked.json()["reauthentication_token"])
    assert answer.status_code == 204, answer.text

    async def gone() -> bool:
        found = await store.read(shop.services.store, shopper.user_id, order["order_id"])
        return found is not None and persons_in(found.data) == []

    await eventually(gone)

"""A shopper's journey over HTTP, the event side running: the order walks by itself, and its failures are undone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from handlers.partners.payments import Outcome
from handlers.partners.stripe import StripeGateway
from handlers.payments import store as payments
from handlers.payments.process import refresh
from handlers.payments.rules import Cause
from handlers.shipments import store as shipments
from tests.orders.test_orders import placed
from tests.orders.test_process import levels, until
from tests.payments.test_operations import confirm, prepared
from tests.support.people import rule_of
from tests.support.shop import Shop
from tests.support.shopper import Shopper, customer, priced
from tests.support.wait import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]


async def saved(shopper: Shopper, token: str) -> Json:
    """A saved payment method, as an order names it."""
    answer = await shopper.call("POST", "/api/users/me/payment-methods", {"stripe_token": token})
    assert answer.status_code == 201, answer.text
    return {"type": "saved_method", "payment_method_id": answer.json()["payment_method_id"]}


async def bought(shop: Shop, token: str, **changes: Any) -> tuple[Shopper, Json, Json]:
    """A new customer, a product with five units, and an order of two that a saved card pays."""
    shopper, product = await customer(shop), await priced(shop, 25.0, on_hand=5)
    method = await saved(shopper, token)
    await shopper.has(product, 2)
    return shopper, product, await placed(shopper, payment_method=method, **changes)


async def test_from_signup_to_processing(shop: Shop) -> None:
    shopper, product, order = await bought(shop, "pm_card_visa")
    await until(shop, order, "processing")
    seen = (await shopper.call("GET", f"/api/orders/{order['order_id']}")).json()
    assert (seen["payment_status"], seen["fulfillment_status"]) == ("paid", "scheduled")
    assert seen["payment"]["payment_intent_id"].startswith("pi_")
    assert (seen["payment"]["choice"], seen["payment"]["last4"]) == ("saved_method", "4242")
    assert seen["shipping"]["carrier"] == "USPS"
    tracking = (await shopper.call("GET", f"/api/orders/{order['order_id']}/tracking")).json()
    assert [each["stage"] for each in tracking["timeline"]] == ["order_placed", "payment_confirmed", "label_created"]
    # A cancelled order gives money and goods back.
    cancelled = await shopper.call("POST", f"/api/orders/{order['order_id']}/cancel")
    assert cancelled.json()["payment_status"] == "refund_pending"

    async def undone() -> bool:
        found = (await shopper.call("GET", f"/api/orders/{order['order_id']}")).json()
        return found["payment_status"] == "refunded" and await levels(shop, product) == (5, 0)

    await eventually(undone)

    async def called_off() -> bool:
        parcel = await shipments.of_order(shop.services.store, order["order_id"])
        return parcel is not None and bool(parcel.data["called_off"])

    await eventually(called_off)


async def test_a_declined_card_leaves_the_order_waiting(shop: Shop) -> None:
    shopper, product, order = await bought(shop, "pm_card_chargeCustomerFail")

    async def declined() -> bool:
        seen = (await shopper.call("GET", f"/api/orders/{order['order_id']}")).json()
        return (seen["status"], seen["payment_status"]) == ("awaiting_payment", "failed")

    await eventually(declined)
    seen = (await shopper.call("GET", f"/api/orders/{order['order_id']}")).json()
    assert (seen["fulfillment_status"], bool(seen["payment"]["failure_message"])) == ("reserved", True)
    assert await levels(shop, product) == (5, 2)


async def test_a_process_dies_between_the_end_of_a_payment_at_stripe_and_its_own_note(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After ten declines; Stripe's webhook comes first. The order ends all the same, at once."""
    cancel, ended = StripeGateway.cancel, asyncio.Event()

    async def dying(gateway: StripeGateway, intent_id: str) -> Outcome:
        outcome = await cancel(gateway, intent_id)
        if not ended.is_set():
            ended.set()
            order_id = (await gateway.retrieve(intent_id)).order_id
            assert order_id is not None
            payment = await payments.read(shop.services.store, order_id, intent_id)
            assert payment is not None
            await refresh(shop.services, payment, Cause("webhook"))
            raise ConnectionError("the process ends here")
        return outcome

    monkeypatch.setattr(StripeGateway, "cancel", dying)
    shopper, product, order = await bought(shop, "pm_card_chargeCustomerFail")
    await until(shop, order, "awaiting_payment")
    intent = await prepared(shopper, order)
    answers = [await confirm(shopper, intent, "pm_card_visa_chargeDeclined") for _ in range(10)]
    assert rule_of(answers[0]) == "payment_declined"
    await until(shop, order, "payment_failed")
    assert ended.is_set()

    async def free() -> bool:
        return await levels(shop, product) == (5, 0)

    await eventually(free)

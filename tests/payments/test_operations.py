"""Preparing, confirming and refunding a payment over HTTP, of real orders in the demo shop."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from handlers.payments import store
from handlers.platform.store.port import Query, StoreUnavailable
from infra.local.stripe.faults import Fault
from infra.local.stripe.intents import confirm_intent
from tests.orders.test_orders import placed
from tests.support.callers import sign_in
from tests.support.people import rule_of
from tests.support.shop import Shop
from tests.support.shopper import Shopper, customer, guest, priced
from tests.support.wait import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]


async def waiting(shop: Shop, shopper: Shopper, amount: float = 40.0, **changes: Any) -> Json:
    """An order of a shopper that waits for its payment."""
    await shopper.has(await priced(shop, amount))
    return await placed(shopper, **changes)


async def seen(shopper: Shopper, order: Json, email: str | None = None) -> Json:
    query = f"?email={email}" if email else ""
    answer = await shopper.call("GET", f"/api/orders/{order['order_id']}{query}")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def prepare(shopper: Shopper, order: Json, key: str | None = None, **changes: Any) -> httpx.Response:
    body = {"order_id": order["order_id"], "amount": order["totals"]["total"], **changes}
    headers = {"Idempotency-Key": key} if key else {}
    return await shopper.call("POST", "/api/payments/create-intent", body, **headers)


async def prepared(shopper: Shopper, order: Json, **changes: Any) -> Json:
    answer = await prepare(shopper, order, **changes)
    assert answer.status_code == 201, answer.text
    intent: Json = answer.json()
    return intent


async def confirm(shopper: Shopper, intent: Json, method: str | None = "pm_card_visa", **more: Any) -> httpx.Response:
    body = {"payment_intent_id": intent["payment_intent_id"], **({"payment_method": method} if method else {}), **more}
    return await shopper.call("POST", "/api/payments/confirm", body)


async def paid(shop: Shop, shopper: Shopper, amount: float = 40.0) -> Json:
    order = await waiting(shop, shopper, amount)
    answer = await confirm(shopper, await prepared(shopper, order))
    assert answer.status_code == 200, answer.text
    return order


async def refund(shop: Shop, order: Json, key: str | None = None, **more: Any) -> httpx.Response:
    staff = (await sign_in(shop.running))["staff"]
    body = {"order_id": order["order_id"], "reason": "goodwill", **more}
    headers = {**staff.by_bearer, "Idempotency-Key": key or uuid4().hex}
    return await shop.client.post("/api/payments/refund", json=body, headers=headers)


# --- prepare
async def test_a_new_card_pays_an_order(shop: Shop) -> None:
    shopper = await customer(shop)
    order = await waiting(shop, shopper)
    intent = await prepared(shopper, order)
    assert intent["status"] == "requires_payment_method"
    assert intent["amount"] == order["totals"]["total"]
    assert intent["expires_at"] == (await seen(shopper, order))["payment_due_at"]
    assert await prepared(shopper, order) == intent
    answer = await confirm(shopper, intent)
    assert answer.status_code == 200, answer.text
    payment = answer.json()
    assert (payment["status"], payment["method"], payment["brand"], payment["last4"]) == (
        "succeeded",
        "credit_card",
        "Visa",
        "4242",
    )
    assert payment["paid_at"]

    async def moved() -> bool:
        return bool((await seen(shopper, order))["payment_status"] == "paid")

    await eventually(moved)
    again = await confirm(shopper, intent)
    assert (again.status_code, again.json()["status"]) == (200, "succeeded")
    late = await prepare(shopper, order)
    assert (late.status_code, rule_of(late)) == (409, "payment_already_made")


async def test_a_key_repeats_and_the_client_secret_is_not_kept(shop: Shop) -> None:
    shopper = await customer(shop)
    order, key = await waiting(shop, shopper), uuid4().hex
    first, again = await prepare(shopper, order, key), await prepare(shopper, order, key)
    assert first.json() == again.json()
    other = await prepare(shopper, order, key, email="dana@example.com")
    assert (other.status_code, rule_of(other)) == (422, "idempotency_key_reused")
    rows = await shop.services.store.query(Query("payments", partition=order["order_id"], kind="idempotency"))
    assert "secret" not in str([each.data for each in rows.items])


@pytest.mark.parametrize("amount", [1.0, 43.301, 0.0])
async def test_the_amount_is_the_one_the_customer_saw(shop: Shop, amount: float) -> None:
    shopper = await customer(shop)
    order = await waiting(shop, shopper)
    answer = await prepare(shopper, order, amount=amount)
    assert (answer.status_code, rule_of(answer)) == (422, "amount_mismatch")
    assert answer.json()["error"]["details"]["total"] == order["totals"]["total"]


async def test_a_guest_pays_by_session_or_by_address(shop: Shop) -> None:
    dana, stranger = await guest(shop), await guest(shop)
    email = f"dana-{uuid4().hex[:8]}@example.com"
    order = await waiting(shop, dana, email=email)
    answers = [await prepare(stranger, order), await prepare(stranger, order, email="robin@example.com")]
    answers += [
        await prepare(stranger, order, email="no address"),
        await prepare(stranger, {**order, "order_id": "order-x"}),
    ]
    assert {answer.status_code for answer in answers} == {404}
    intent = await prepared(stranger, order, email=email.upper())
    assert (await confirm(stranger, intent)).status_code == 404
    unknown = await confirm(stranger, {"payment_intent_id": "pi_nobodys"})
    assert (unknown.status_code, unknown.json()["error"]["message"]) == (404, "Payment intent not found")
    assert (await confirm(stranger, intent, email=email)).status_code == 200
    assert (await confirm(dana, intent)).status_code == 200


async def test_staff_do_not_pay_for_others(shop: Shop) -> None:
    order = await waiting(shop, await customer(shop))
    staff = Shopper(shop, (await sign_in(shop.running))["staff"].by_bearer)
    assert (await prepare(staff, order)).status_code in (403, 404)


async def test_an_order_that_ended(shop: Shop) -> None:
    shopper = await customer(shop)
    order = await waiting(shop, shopper)
    intent = await prepared(shopper, order)
    assert (await shopper.call("POST", f"/api/orders/{order['order_id']}/cancel")).status_code == 200
    late = await prepare(shopper, order)
    assert (late.status_code, rule_of(late)) == (409, "order_state_invalid")

    async def ended() -> bool:
        found = shop.stripe.account.state.get("payment_intent", intent["payment_intent_id"])
        return bool(found["status"] == "canceled")

    await eventually(ended)
    answer = await confirm(shopper, intent)
    assert (answer.status_code, rule_of(answer)) == (409, "order_state_invalid")


# --- confirm
async def test_declined_and_then_another_card(shop: Shop) -> None:
    shopper = await customer(shop)
    order = await waiting(shop, shopper)
    intent = await prepared(shopper, order)
    declined = await confirm(shopper, intent, "pm_card_visa_chargeDeclinedInsufficientFunds")
    assert (declined.status_code, rule_of(declined)) == (422, "payment_declined")
    assert declined.json()["error"]["details"]["decline_code"] == "insufficient_funds"
    invalid = await confirm(shopper, intent, "pm_nobodys")
    assert (invalid.status_code, rule_of(invalid)) == (422, "payment_method_invalid")
    assert (await confirm(shopper, intent, "pm_card_mastercard")).json()["brand"] == "Mastercard"


async def test_authentication_in_the_browser(shop: Shop) -> None:
    shopper = await customer(shop)
    intent = await prepared(shopper, await waiting(shop, shopper))
    untouched = await confirm(shopper, intent, None)
    assert (untouched.status_code, untouched.json()["status"]) == (200, "requires_payment_method")
    for _ in range(2):
        asked = await confirm(shopper, intent, "pm_card_authenticationRequired")
        assert (asked.status_code, rule_of(asked)) == (422, "payment_authentication_required")
    shop.stripe.authenticate(intent["payment_intent_id"])
    assert (await confirm(shopper, intent, None)).json()["status"] == "succeeded"


async def test_what_the_browser_paid_is_read(shop: Shop) -> None:
    shopper = await customer(shop)
    intent = await prepared(shopper, await waiting(shop, shopper))
    form = {"payment_method": "pm_card_amex", "return_url": "http://127.0.0.1"}
    confirm_intent(shop.stripe.account, form, intent["payment_intent_id"])
    assert (await confirm(shopper, intent, None)).json()["brand"] == "American Express"


async def test_stripe_away_or_in_doubt(shop: Shop) -> None:
    shopper = await customer(shop)
    order = await waiting(shop, shopper)
    shop.stripe.faults.add(Fault(429, on="payment_intents.create", times=2))
    assert (await prepare(shopper, order)).status_code == 503
    intent = await prepared(shopper, order)
    shop.stripe.faults.add(Fault("reset_before", on="payment_intents.confirm", times=2))
    assert (await confirm(shopper, intent)).status_code == 503
    shop.stripe.faults.add(Fault(429, on="payment_intents.retrieve", times=2))
    assert (await confirm(shopper, intent)).status_code == 503
    assert (await confirm(shopper, intent)).status_code == 200


# --- refund
async def test_staff_refund_part_and_rest_audited(shop: Shop) -> None:
    order, key = await paid(shop, await customer(shop)), uuid4().hex
    first = await refund(shop, order, key, amount=10.0, note="Dent in the lid.")
    assert first.status_code == 201, first.text
    made = first.json()
    assert (made["amount"], made["status"], made["note"], made["reason"]) == (
        10.0,
        "succeeded",
        "Dent in the lid.",
        "goodwill",
    )
    assert (await refund(shop, order, key, amount=10.0, note="Dent in the lid.")).json() == made
    reused = await refund(shop, order, key, amount=11.0)
    assert (reused.status_code, rule_of(reused)) == (422, "idempotency_key_reused")
    over = await refund(shop, order, amount=order["totals"]["total"])
    assert (over.status_code, rule_of(over)) == (422, "refund_exceeds_payment")
    odd = await refund(shop, order, amount=1.005)
    assert rule_of(odd) == "refund_exceeds_payment"
    rest = await refund(shop, order, reason="duplicate")
    assert rest.json()["amount"] == round(order["totals"]["total"] - 10.0, 2)
    payment = await store.payment_of(shop.services.store, order["order_id"])
    assert payment is not None
    assert payment["status"] == "refunded"
    rows = await shop.services.store.query(Query("payments", partition=order["order_id"], kind="outbox", limit=50))
    entries = [each.data["entry"] for each in rows.items if "entry" in each.data]
    assert sorted(each["changes"]["reason"]["after"] for each in entries) == ["duplicate", "goodwill"]


async def test_what_cannot_be_refunded(shop: Shop) -> None:
    shopper = await customer(shop)
    order = await waiting(shop, shopper)
    assert (await refund(shop, {"order_id": "order-unknown"})).status_code == 404
    nothing = await refund(shop, order)
    assert (nothing.status_code, rule_of(nothing)) == (409, "order_state_invalid")
    await prepared(shopper, order)
    unpaid = await refund(shop, order)
    assert (unpaid.status_code, rule_of(unpaid)) == (409, "order_state_invalid")


@pytest.mark.parametrize("fault", ["reset_after", "reset_before"])
async def test_a_refund_in_doubt_is_pending_and_goes_on_with_its_key(shop: Shop, fault: str) -> None:
    """Done and not told of, or never asked for: the caller cannot know, and must not ask for another one."""
    order, key = await paid(shop, await customer(shop)), uuid4().hex
    shop.stripe.faults.add(Fault(fault, on="refunds.create", times=2))
    shop.stripe.faults.add(Fault(429, on="refunds.list", times=2))
    first = await refund(shop, order, key, amount=10.0)
    assert (first.status_code, first.json()["status"]) == (201, "pending"), first.text
    shop.stripe.faults.clear()
    other = await refund(shop, order, key, amount=11.0)
    assert (other.status_code, rule_of(other)) == (422, "idempotency_key_reused")
    again = await refund(shop, order, key, amount=10.0)
    assert (again.status_code, again.json()["status"]) == (201, "succeeded")
    assert again.json()["refund_id"] == first.json()["refund_id"]
    intent_id = (await store.payment_of(shop.services.store, order["order_id"]) or {})["id"]
    assert [each["amount"] for each in shop.stripe.account.state.all("refund", payment_intent=intent_id)] == [1000]


async def test_a_503_of_a_refund_leaves_one_refund(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stripe has done it and the store is gone before that is written: same key one refund, another amount 422."""
    order, key = await paid(shop, await customer(shop)), uuid4().hex
    change = store.change

    async def away(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("the store is away")

    monkeypatch.setattr(store, "change", away)
    assert (await refund(shop, order, key, amount=10.0)).status_code == 503
    monkeypatch.setattr(store, "change", change)
    other = await refund(shop, order, key, amount=11.0)
    assert (other.status_code, rule_of(other)) == (422, "idempotency_key_reused")
    again = await refund(shop, order, key, amount=10.0)
    assert (again.status_code, again.json()["amount"], again.json()["status"]) == (201, 10.0, "succeeded")
    intent_id = (await store.payment_of(shop.services.store, order["order_id"]) or {})["id"]
    assert [each["amount"] for each in shop.stripe.account.state.all("refund", payment_intent=intent_id)] == [1000]


async def test_a_refund_needs_a_key(shop: Shop) -> None:
    order = await paid(shop, await customer(shop))
    staff = (await sign_in(shop.running))["staff"]
    body = {"order_id": order["order_id"], "reason": "goodwill", "amount": 10.0}
    answer = await shop.client.post("/api/payments/refund", json=body, headers=staff.by_bearer)
    assert (answer.status_code, answer.json()["error"]["details"]["faults"][0]["path"]) == (400, "Idempotency-Key")
    assert (await store.payment_of(shop.services.store, order["order_id"]) or {})["refund_held"] == 0


async def test_a_refund_that_stripe_refuses(shop: Shop) -> None:
    order, key = await paid(shop, await customer(shop)), uuid4().hex
    intent_id = (await store.payment_of(shop.services.store, order["order_id"]) or {})["id"]
    charge = shop.stripe.account.state.all("charge", payment_intent=intent_id)[-1]
    shop.stripe.account.state.put(charge | {"paid": False})
    for _ in range(2):
        answer = await refund(shop, order, key, amount=10.0)
        assert (answer.status_code, rule_of(answer)) == (409, "order_state_invalid")
    assert "under a new key" in answer.json()["error"]["message"]

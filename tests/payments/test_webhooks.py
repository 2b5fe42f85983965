"""Webhooks over HTTP: before and after the answer, twice, late, in another order, lost, forged."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import orjson
import pytest

from handlers.payments import process, refunds, store
from handlers.payments.rules import Payable, RefundRequest
from infra.local.stripe.faults import Fault
from infra.local.stripe.intents import confirm_intent
from infra.local.stripe.refunds import create_refund
from infra.local.stripe.webhooks import signature
from tests.support.paying import WEBHOOK_SECRET, Paying, cause, event_names, listening, payable, saved
from tests.support.people import rule_of

PATH = "/api/webhooks/stripe"


async def payment(shop: Paying, order: Payable) -> dict[str, Any]:
    found = await store.payment_of(shop.services.store, order.order_id)
    assert found is not None
    return found


async def send(shop: Paying, event: dict[str, Any], **headers: str) -> Any:
    content = orjson.dumps(event)
    signed = {
        "stripe-signature": signature(WEBHOOK_SECRET, content, int(time.time())),
        "content-type": "application/json",
    }
    return await shop.running.client.post(PATH, content=content, headers={**signed, **headers})


def pay_in_browser(shop: Paying, intent_id: str, method: str = "pm_card_visa") -> None:
    confirm_intent(shop.stripe.account, {"payment_method": method, "return_url": "http://127.0.0.1"}, intent_id)


def last_event(shop: Paying, kind: str) -> dict[str, Any]:
    event: dict[str, Any] = shop.stripe.account.state.all("event", type=kind)[-1]
    return event


async def test_the_browser_pays_and_only_the_webhook_tells(shop: Paying) -> None:
    order = payable()
    prepared = await process.prepare(shop.services, order, cause())
    async with listening(shop):
        pay_in_browser(shop, prepared.payment["id"])
        await shop.stripe.webhooks.idle()
    assert (await payment(shop, order))["status"] == "succeeded"
    assert await event_names(shop.services, order.order_id) == ["PaymentProcessed"]
    assert {each.status for each in shop.stripe.webhooks.deliveries} == {200}


async def test_the_webhook_is_faster_than_the_answer(shop: Paying) -> None:
    order, (method, customer) = payable(), await saved(shop)
    shop.stripe.faults.add(Fault("timeout_after", on="payment_intents.confirm", seconds=0.2))
    async with listening(shop):
        result = await process.charge(shop.services, order, method, customer, cause())
    assert result.paid
    assert await event_names(shop.services, order.order_id) == ["PaymentProcessed"]


@pytest.mark.parametrize("effect", ["duplicate", "late", "lost", "reordered"])
async def test_however_webhooks_come(shop: Paying, effect: str) -> None:
    order = payable()
    prepared = await process.prepare(shop.services, order, cause())
    shop.stripe.webhooks.faults.add(Fault(effect, seconds=0.1, times=3))
    async with listening(shop):
        pay_in_browser(shop, prepared.payment["id"], "pm_card_authenticationRequired")
        shop.stripe.authenticate(prepared.payment["id"], "failed")
        pay_in_browser(shop, prepared.payment["id"])
        create_refund(shop.stripe.account, {"payment_intent": prepared.payment["id"], "amount": "992"})
        await shop.stripe.webhooks.idle()
        if effect == "lost":
            await process.confirm(shop.services, order.order_id, prepared.payment["id"], cause())
    after = await payment(shop, order)
    assert (after["status"], after["refunded"]) == ("partially_refunded", 992)
    assert await event_names(shop.services, order.order_id) == ["PaymentProcessed", "RefundProcessed"]


async def test_an_event_is_handled_once(shop: Paying) -> None:
    order = payable()
    prepared = await process.prepare(shop.services, order, cause())
    pay_in_browser(shop, prepared.payment["id"])
    event = last_event(shop, "payment_intent.succeeded")
    answers = await asyncio.gather(*(send(shop, event) for _ in range(4)))
    answers.append(await send(shop, event))
    assert [answer.status_code for answer in answers] == [200] * 5
    assert sum(answer.json()["handled"] for answer in answers) == 1
    assert answers[0].json()["event_id"] == event["id"]
    assert await event_names(shop.services, order.order_id) == ["PaymentProcessed"]


async def test_old_news_does_not_undo_a_payment(shop: Paying) -> None:
    order = payable()
    prepared = await process.prepare(shop.services, order, cause())
    with pytest.raises(Exception, match="declined"):
        pay_in_browser(shop, prepared.payment["id"], "pm_card_chargeCustomerFail")
    pay_in_browser(shop, prepared.payment["id"])
    for kind in ("payment_intent.succeeded", "payment_intent.payment_failed", "payment_intent.created"):
        assert (await send(shop, last_event(shop, kind))).json()["handled"]
    assert (await payment(shop, order))["status"] == "succeeded"


async def test_a_declined_attempt_in_the_browser_is_noted(shop: Paying) -> None:
    order = payable()
    prepared = await process.prepare(shop.services, order, cause())
    with pytest.raises(Exception, match="insufficient"):
        pay_in_browser(shop, prepared.payment["id"], "pm_card_visa_chargeDeclinedInsufficientFunds")
    event = last_event(shop, "payment_intent.payment_failed")
    assert (await send(shop, event)).json()["handled"]
    assert (await send(shop, {**event, "id": "evt_another"})).json()["handled"]
    after = await payment(shop, order)
    assert (after["status"], after["attempts"], after["failure"]["code"]) == ("created", 1, "insufficient_funds")


async def test_a_refund_in_doubt_is_settled_by_its_webhook(shop: Paying) -> None:
    order, (method, customer) = payable(), await saved(shop)
    await process.charge(shop.services, order, method, customer, cause())
    shop.stripe.faults.add(Fault("reset_after", on="refunds.create", times=2))
    shop.stripe.faults.add(Fault("reset_before", on="refunds.list", times=100))
    request = RefundRequest(refund_id="refund-1", order_id=order.order_id, reason="goodwill", amount=15000)
    with pytest.raises(Exception, match="Stripe"):
        await refunds.refund(shop.services, request, cause())
    shop.stripe.faults.clear()
    for kind in ("refund.created", "charge.refunded"):
        assert (await send(shop, last_event(shop, kind))).json()["handled"]
    assert (await payment(shop, order))["refunded"] == 15000
    assert await event_names(shop.services, order.order_id) == ["PaymentProcessed", "RefundProcessed"]


async def test_a_refund_event_before_there_is_a_refund(shop: Paying) -> None:
    order, (method, customer) = payable(), await saved(shop)
    paid = await process.charge(shop.services, order, method, customer, cause())
    about = {
        "object": "charge",
        "id": "ch_1",
        "payment_intent": paid.payment["id"],
        "metadata": {"order_id": order.order_id},
    }
    event = {"id": "evt_early", "object": "event", "type": "charge.refunded", "data": {"object": about}}
    assert (await send(shop, event)).json()["handled"]
    assert not (await send(shop, event)).json()["handled"]


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        ("account.updated", {}),
        ("payment_intent.succeeded", {"object": "payment_intent", "id": "pi_1", "metadata": {}}),
        ("payment_intent.succeeded", {"object": "payment_intent", "id": "pi_1", "metadata": {"order_id": "order-1"}}),
        ("refund.updated", {"object": "refund", "id": "re_1", "metadata": {"order_id": "order-1"}}),
        ("customer.created", {"object": "customer", "id": "cus_1", "metadata": {"order_id": "order-1"}}),
    ],
)
async def test_what_does_not_concern_us_is_acknowledged(shop: Paying, kind: str, about: dict[str, Any]) -> None:
    answer = await send(shop, {"id": "evt_1", "type": kind, "data": {"object": about}})
    assert answer.json() == {"received": True, "event_id": "evt_1", "handled": False}


async def test_while_stripe_cannot_be_asked_it_shall_come_again(shop: Paying) -> None:
    order = payable()
    prepared = await process.prepare(shop.services, order, cause())
    pay_in_browser(shop, prepared.payment["id"])
    shop.stripe.faults.add(Fault("reset_before", times=100))
    event = last_event(shop, "payment_intent.succeeded")
    assert (await send(shop, event)).status_code == 503
    shop.stripe.faults.clear()
    assert (await send(shop, event)).json()["handled"]


async def test_what_is_not_signed_is_not_read(shop: Paying) -> None:
    event = {"id": "evt_1", "type": "payment_intent.succeeded"}
    content = orjson.dumps(event)
    old = signature(WEBHOOK_SECRET, content, int(time.time()) - 301)
    for header in ("t=1,v1=00", signature("whsec_other", content, int(time.time())), old):
        answer = await send(shop, event, **{"stripe-signature": header})
        assert (answer.status_code, rule_of(answer)) == (401, "signature_invalid")
    missing = await shop.running.client.post(PATH, json=event)
    assert missing.status_code == 400


async def test_without_a_secret_nothing_is_read(tmp_path: Any, redis_url: str) -> None:
    from tests.support.app import running_app  # noqa: PLC0415

    async with running_app(tmp_path, redis_url) as running:
        answer = await running.client.post(
            PATH, json={"id": "evt_1", "type": "x"}, headers={"stripe-signature": "t=1,v1=00"}
        )
        assert (answer.status_code, rule_of(answer)) == (401, "signature_invalid")

"""Webhooks over HTTP: before and after the answer, twice, late, in another order, lost, forged."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import orjson
import pytest

from handlers.partners.payments import Decline
from handlers.payments import process, refunds, store
from handlers.payments.rules import Payable, RefundRequest
from infra.local.stripe.faults import Fault
from infra.local.stripe.intents import confirm_intent
from infra.local.stripe.refunds import create_refund
from infra.local.stripe.webhooks import signature
from tests.support.paying import WEBHOOK_SECRET, Paying, cause, event_names, events_of, listening, payable, saved
from tests.support.people import rule_of

PATH = "/api/webhooks/stripe"


async def payment(till: Paying, order: Payable) -> dict[str, Any]:
    found = await store.payment_of(till.services.store, order.order_id)
    assert found is not None
    return found


async def send(till: Paying, event: dict[str, Any], **headers: str) -> Any:
    content = orjson.dumps(event)
    signed = {
        "stripe-signature": signature(WEBHOOK_SECRET, content, int(time.time())),
        "content-type": "application/json",
    }
    return await till.running.client.post(PATH, content=content, headers={**signed, **headers})


def pay_in_browser(till: Paying, intent_id: str, method: str = "pm_card_visa") -> None:
    confirm_intent(till.stripe.account, {"payment_method": method, "return_url": "http://127.0.0.1"}, intent_id)


def last_event(till: Paying, kind: str) -> dict[str, Any]:
    event: dict[str, Any] = till.stripe.account.state.all("event", type=kind)[-1]
    return event


async def test_the_browser_pays_and_only_the_webhook_tells(till: Paying) -> None:
    order = payable()
    prepared = await process.prepare(till.services, order, cause())
    async with listening(till):
        pay_in_browser(till, prepared.payment["id"])
        await till.stripe.webhooks.idle()
    assert (await payment(till, order))["status"] == "succeeded"
    assert await event_names(till.services, order.order_id) == ["PaymentProcessed"]
    assert {each.status for each in till.stripe.webhooks.deliveries} == {200}


async def test_the_webhook_is_faster_than_the_answer(till: Paying) -> None:
    order, (method, customer) = payable(), await saved(till)
    till.stripe.faults.add(Fault("timeout_after", on="payment_intents.confirm", seconds=0.2))
    async with listening(till):
        result = await process.charge(till.services, order, method, customer, cause())
    assert result.paid
    assert await event_names(till.services, order.order_id) == ["PaymentProcessed"]


@pytest.mark.parametrize("effect", ["duplicate", "late", "lost", "reordered"])
async def test_however_webhooks_come(till: Paying, effect: str) -> None:
    order = payable()
    prepared = await process.prepare(till.services, order, cause())
    till.stripe.webhooks.faults.add(Fault(effect, seconds=0.1, times=3))
    async with listening(till):
        pay_in_browser(till, prepared.payment["id"], "pm_card_authenticationRequired")
        till.stripe.authenticate(prepared.payment["id"], "failed")
        pay_in_browser(till, prepared.payment["id"])
        create_refund(till.stripe.account, {"payment_intent": prepared.payment["id"], "amount": "992"})
        await till.stripe.webhooks.idle()
        if effect == "lost":
            await process.confirm(till.services, order.order_id, prepared.payment["id"], cause())
    after = await payment(till, order)
    assert (after["status"], after["refunded"]) == ("partially_refunded", 992)
    assert await event_names(till.services, order.order_id) == ["PaymentProcessed", "RefundProcessed"]


async def test_an_event_is_handled_once(till: Paying) -> None:
    order = payable()
    prepared = await process.prepare(till.services, order, cause())
    pay_in_browser(till, prepared.payment["id"])
    event = last_event(till, "payment_intent.succeeded")
    answers = await asyncio.gather(*(send(till, event) for _ in range(4)))
    answers.append(await send(till, event))
    assert [answer.status_code for answer in answers] == [200] * 5
    assert sum(answer.json()["handled"] for answer in answers) == 1
    assert answers[0].json()["event_id"] == event["id"]
    assert await event_names(till.services, order.order_id) == ["PaymentProcessed"]


async def test_old_news_does_not_undo_a_payment(till: Paying) -> None:
    order = payable()
    prepared = await process.prepare(till.services, order, cause())
    with pytest.raises(Exception, match="declined"):
        pay_in_browser(till, prepared.payment["id"], "pm_card_chargeCustomerFail")
    pay_in_browser(till, prepared.payment["id"])
    kinds = ("payment_intent.succeeded", "payment_intent.payment_failed", "payment_intent.created")
    assert [(await send(till, last_event(till, kind))).json()["handled"] for kind in kinds] == [True, False, False]
    assert (await payment(till, order))["status"] == "succeeded"


async def test_a_declined_attempt_in_the_browser_is_noted(till: Paying) -> None:
    order = payable()
    prepared = await process.prepare(till.services, order, cause())
    with pytest.raises(Exception, match="insufficient"):
        pay_in_browser(till, prepared.payment["id"], "pm_card_visa_chargeDeclinedInsufficientFunds")
    event = last_event(till, "payment_intent.payment_failed")
    assert (await send(till, event)).json()["handled"]
    assert (await send(till, {**event, "id": "evt_another"})).json()["handled"]
    after = await payment(till, order)
    assert (after["status"], after["attempts"], after["failure"]["code"]) == ("created", 1, "insufficient_funds")


@pytest.mark.parametrize("lost", [False, True])
async def test_what_we_end_ourselves_is_told_of_once(till: Paying, lost: bool) -> None:
    """Stripe's message is faster than its answer: it must not be taken for an end that somebody else has made."""
    cancelled, given_up = payable(), payable()
    for order in (cancelled, given_up):
        await process.prepare(till.services, order, cause())
    effect = Fault("timeout_after", on="payment_intents.cancel", seconds=0.3, times=2)
    async with listening(till):
        till.stripe.faults.add(effect)
        if lost:
            till.stripe.webhooks.faults.add(Fault("lost", on="payment_intent.canceled", times=2))
        await process.cancel(till.services, cancelled, cause())
        await process.give_up(till.services, given_up, cause(), Decline("expired_card", "Your card has expired."))
        await till.stripe.webhooks.idle()
    assert (await payment(till, cancelled))["status"] == "cancelled"
    assert await event_names(till.services, cancelled.order_id) == []
    assert (await payment(till, given_up))["status"] == "failed"
    (told,) = await events_of(till.services, given_up.order_id)
    assert told["data"]["failure_code"] == "expired_card"


async def test_what_stripe_ends_is_told_of_once(till: Paying) -> None:
    order = payable()
    prepared = await process.prepare(till.services, order, cause())
    till.stripe.end_intent(prepared.payment["id"])
    event = last_event(till, "payment_intent.canceled")
    answers = [await send(till, event), await send(till, event), await send(till, {**event, "id": "evt_later"})]
    assert [answer.json()["handled"] for answer in answers] == [True, False, True]
    await process.cancel(till.services, order, cause())
    (told,) = await events_of(till.services, order.order_id)
    assert (told["event_type"], told["data"]["failure_code"]) == ("PaymentFailed", "abandoned")
    assert (await payment(till, order))["status"] == "failed"


async def test_old_news_of_an_end_does_not_undo_a_payment(till: Paying) -> None:
    order, (method, customer) = payable(), await saved(till)
    paid = await process.charge(till.services, order, method, customer, cause())
    about = {"object": "payment_intent", "id": paid.payment["id"], "metadata": {"order_id": order.order_id}}
    event = {"id": "evt_forged_order", "type": "payment_intent.canceled", "data": {"object": about}}
    assert not (await send(till, event)).json()["handled"]
    assert (await payment(till, order))["status"] == "succeeded"


async def test_a_refund_in_doubt_is_settled_by_its_webhook(till: Paying) -> None:
    order, (method, customer) = payable(), await saved(till)
    await process.charge(till.services, order, method, customer, cause())
    till.stripe.faults.add(Fault("reset_after", on="refunds.create", times=2))
    till.stripe.faults.add(Fault("reset_before", on="refunds.list", times=100))
    request = RefundRequest(refund_id="refund-1", order_id=order.order_id, reason="goodwill", amount=15000)
    with pytest.raises(Exception, match="Stripe"):
        await refunds.refund(till.services, request, cause())
    till.stripe.faults.clear()
    for kind in ("refund.created", "charge.refunded"):
        assert (await send(till, last_event(till, kind))).json()["handled"]
    assert (await payment(till, order))["refunded"] == 15000
    assert await event_names(till.services, order.order_id) == ["PaymentProcessed", "RefundProcessed"]


async def test_a_refund_event_before_there_is_a_refund(till: Paying) -> None:
    order, (method, customer) = payable(), await saved(till)
    paid = await process.charge(till.services, order, method, customer, cause())
    about = {
        "object": "charge",
        "id": "ch_1",
        "payment_intent": paid.payment["id"],
        "metadata": {"order_id": order.order_id},
    }
    event = {"id": "evt_early", "object": "event", "type": "charge.refunded", "data": {"object": about}}
    assert (await send(till, event)).json()["handled"]
    assert not (await send(till, event)).json()["handled"]


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        ("account.updated", {}),
        ("payment_intent.succeeded", {"object": "payment_intent", "id": "pi_1", "metadata": {}}),
        ("payment_intent.succeeded", {"object": "payment_intent", "id": "pi_1", "metadata": {"order_id": "order-1"}}),
        ("refund.updated", {"object": "refund", "id": "re_1", "metadata": {"order_id": "order-1"}}),
        ("customer.created", {"object": "customer", "id": "cus_1", "metadata": {"order_id": "order-1"}}),
        ("refund.failed", {"object": "refund", "id": "re_1", "payment_intent": "pi_of_another_shop", "metadata": {}}),
        ("charge.dispute.created", {"object": "dispute", "id": "dp_1", "payment_intent": "pi_1", "metadata": {}}),
    ],
)
async def test_what_does_not_concern_us_is_acknowledged(till: Paying, kind: str, about: dict[str, Any]) -> None:
    answer = await send(till, {"id": "evt_1", "type": kind, "data": {"object": about}})
    assert answer.json() == {"received": True, "event_id": "evt_1", "handled": False}


async def test_while_stripe_cannot_be_asked_it_shall_come_again(till: Paying) -> None:
    order = payable()
    prepared = await process.prepare(till.services, order, cause())
    pay_in_browser(till, prepared.payment["id"])
    till.stripe.faults.add(Fault("reset_before", times=100))
    event = last_event(till, "payment_intent.succeeded")
    assert (await send(till, event)).status_code == 503
    till.stripe.faults.clear()
    assert (await send(till, event)).json()["handled"]


async def test_what_is_not_signed_is_not_read(till: Paying, caplog: pytest.LogCaptureFixture) -> None:
    event = {"id": "evt_1", "type": "payment_intent.succeeded"}
    content = orjson.dumps(event)
    old = signature(WEBHOOK_SECRET, content, int(time.time()) - 301)
    for header in ("t=1,v1=00", signature("whsec_other", content, int(time.time())), old):
        answer = await send(till, event, **{"stripe-signature": header})
        assert (answer.status_code, rule_of(answer)) == (401, "signature_invalid")
    told = [record for record in caplog.records if record.name == "security"]
    assert [record.getMessage() for record in told] == ["webhook_refused"] * 3
    missing = await till.running.client.post(PATH, json=event)
    assert missing.status_code == 400


async def test_without_a_secret_nothing_is_read(tmp_path: Any, redis_url: str) -> None:
    from tests.support.app import running_app  # noqa: PLC0415

    async with running_app(tmp_path, redis_url) as running:
        answer = await running.client.post(
            PATH, json={"id": "evt_1", "type": "x"}, headers={"stripe-signature": "t=1,v1=00"}
        )
        assert (answer.status_code, rule_of(answer)) == (401, "signature_invalid")

"""Paying an order: saved methods, the browser, authentication, ends; each again, at once, and with answers lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from handlers.partners.breaker import PartnerUnavailable
from handlers.partners.payments import Decline, PaymentRefused
from handlers.payments import process, store
from handlers.platform.errors import Problem
from infra.local.stripe.faults import Fault
from infra.local.stripe.intents import confirm_intent
from tests.support.paying import Paying, cause, event_names, events_of, payable, saved


def intents(till: Paying) -> list[dict[str, Any]]:
    return till.stripe.account.state.all("payment_intent")


def charges(till: Paying) -> list[dict[str, Any]]:
    return [each for each in till.stripe.account.state.all("charge") if each["paid"]]


# --- prepare
async def test_an_order_has_one_payment(till: Paying) -> None:
    order = payable()
    results = await asyncio.gather(*(process.prepare(till.services, order, cause()) for _ in range(5)))
    again = await process.prepare(till.services, order, cause())
    assert len({result.payment["id"] for result in (*results, again)}) == 1
    assert {result.client_secret for result in (*results, again)} == {intents(till)[0]["client_secret"]}
    assert again.status == "created"
    assert "secret" not in str(await store.of_order(till.services.store, order.order_id))
    assert "_secret_" not in repr(again)


async def test_a_second_intent_for_an_order_is_left_alone(till: Paying) -> None:
    order = payable()
    till.stripe.faults.add(Fault(500, on="payment_intents.create", commits=True))
    prepared = await process.prepare(till.services, order, cause())
    assert len(intents(till)) == 2
    for record in till.stripe.account.state.all("_idempotency"):
        till.stripe.account.state.forget("_idempotency", record["id"])
    assert (await process.prepare(till.services, order, cause())).payment["id"] == prepared.payment["id"]


# --- saved methods
async def test_a_saved_card_is_charged_once(till: Paying) -> None:
    order, (method, customer) = payable(), await saved(till)
    results = await asyncio.gather(*(process.charge(till.services, order, method, customer, cause()) for _ in range(3)))
    results.append(await process.charge(till.services, order, method, customer, cause()))
    assert {result.status for result in results} == {"succeeded"}
    assert all(result.paid and result.client_secret is None for result in results)
    assert len(charges(till)) == 1
    assert await event_names(till.services, order.order_id) == ["PaymentProcessed"]
    payment = results[-1].payment
    assert (payment["method"], payment["brand"], payment["last4"]) == ("credit_card", "Visa", "4242")


async def test_the_event_belongs_to_the_request(till: Paying) -> None:
    order, (method, customer) = payable(), await saved(till)
    why = replace(cause(), causation_id="event-1")
    await process.charge(till.services, order, method, customer, why)
    event = (await events_of(till.services, order.order_id))[0]
    assert (event["correlation_id"], event["causation_id"]) == (why.correlation_id, "event-1")
    assert event["data"]["payment_intent_id"] == intents(till)[0]["id"]


async def test_a_declined_card_is_not_tried_again(till: Paying) -> None:
    order, (method, customer) = payable(), await saved(till, "pm_card_chargeCustomerFail")
    first = await process.charge(till.services, order, method, customer, cause())
    again = await process.charge(till.services, order, method, customer, cause())
    assert first.decline == again.decline == Decline("generic_decline", "Your card was declined.")
    assert first.status == again.status == "created"
    assert first.client_secret is not None
    assert till.stripe.calls["payment_intents.confirm"] == 1
    assert await event_names(till.services, order.order_id) == ["PaymentAttemptFailed"]
    ended = await process.give_up(till.services, order, cause(), first.decline)
    assert ended.status == "failed"
    event = (await events_of(till.services, order.order_id))[-1]
    assert (event["event_type"], event["data"]["failure_code"]) == ("PaymentFailed", "card_declined")


async def test_another_card_after_a_declined_one(till: Paying) -> None:
    order, (method, customer) = payable(), await saved(till, "pm_card_chargeCustomerFail")
    declined = await process.charge(till.services, order, method, customer, cause())
    paid = await process.confirm(
        till.services, order.order_id, declined.payment["id"], cause(), method_id="pm_card_mastercard"
    )
    assert (paid.status, paid.payment["failure"]) == ("succeeded", None)


async def test_a_method_that_is_gone(till: Paying) -> None:
    order, (method, customer) = payable(), await saved(till)
    await till.services.gateway.detach(method)
    with pytest.raises(PaymentRefused) as refused:
        await process.charge(till.services, order, method, customer, cause())
    assert refused.value.reason == "invalid"


async def test_a_saved_card_that_wants_authentication(till: Paying) -> None:
    order, (method, customer) = payable(), await saved(till, "pm_card_authenticationRequired")
    asked = await process.charge(till.services, order, method, customer, cause())
    assert (asked.status, asked.client_secret) == ("requires_action", intents(till)[0]["client_secret"])
    again = await process.charge(till.services, order, method, customer, cause())
    assert (again.status, till.stripe.calls["payment_intents.confirm"]) == ("requires_action", 1)
    till.stripe.authenticate(asked.payment["id"])
    seen = await process.confirm(till.services, order.order_id, asked.payment["id"], cause())
    assert seen.status == "succeeded"
    assert await event_names(till.services, order.order_id) == ["PaymentProcessed"]


async def test_authentication_that_fails_may_be_repeated(till: Paying) -> None:
    order = payable()
    prepared = await process.prepare(till.services, order, cause())
    intent_id = prepared.payment["id"]
    for _ in range(2):
        await process.confirm(
            till.services, order.order_id, intent_id, cause(), method_id="pm_card_authenticationRequired"
        )
        till.stripe.authenticate(intent_id, "failed")
        seen = await process.confirm(till.services, order.order_id, intent_id, cause())
        assert seen.status == "created"
        assert seen.decline is not None
        assert seen.decline.code == "payment_intent_authentication_failure"


# --- the browser
async def test_what_the_browser_confirmed_is_read(till: Paying) -> None:
    order = payable()
    prepared = await process.prepare(till.services, order, cause())
    untouched = await process.confirm(till.services, order.order_id, prepared.payment["id"], cause())
    assert (untouched.status, untouched.decline) == ("created", None)
    given = {"payment_method": "pm_card_visa", "return_url": "http://127.0.0.1"}
    confirm_intent(till.stripe.account, given, prepared.payment["id"])
    results = await asyncio.gather(
        *(process.confirm(till.services, order.order_id, prepared.payment["id"], cause()) for _ in range(3))
    )
    assert {result.status for result in results} == {"succeeded"}
    assert await event_names(till.services, order.order_id) == ["PaymentProcessed"]


async def test_what_the_browser_confirmed_is_not_charged_again(till: Paying) -> None:
    order = payable()
    prepared = await process.prepare(till.services, order, cause())
    given = {"payment_method": "pm_card_visa", "return_url": "http://127.0.0.1"}
    confirm_intent(till.stripe.account, given, prepared.payment["id"])
    paid = await process.confirm(
        till.services, order.order_id, prepared.payment["id"], cause(), method_id="pm_card_mastercard"
    )
    assert (paid.status, paid.payment["brand"]) == ("succeeded", "Visa")
    assert len(charges(till)) == 1


async def test_a_payment_that_takes_its_time(till: Paying) -> None:
    order = payable()
    intent_id = (await process.prepare(till.services, order, cause())).payment["id"]
    await process.confirm(till.services, order.order_id, intent_id, cause(), method_id="pm_card_authenticationRequired")
    till.stripe.authenticate(intent_id, "processing")
    for _ in range(2):
        assert (await process.confirm(till.services, order.order_id, intent_id, cause())).status == "processing"
    assert (await process.give_up(till.services, order, cause())).status == "processing"
    till.stripe.authenticate(intent_id, "succeeded")
    assert (await process.confirm(till.services, order.order_id, intent_id, cause())).paid


@pytest.mark.parametrize("method", ["pm_nobodys", "pm_card_visa"])
async def test_what_cannot_be_confirmed(till: Paying, method: str) -> None:
    order = payable()
    prepared = await process.prepare(till.services, order, cause())
    with pytest.raises(Problem) as unknown:
        await process.confirm(till.services, payable().order_id, prepared.payment["id"], cause(), method_id=method)
    assert unknown.value.status == 404
    if method == "pm_nobodys":
        with pytest.raises(Problem) as invalid:
            await process.confirm(till.services, order.order_id, prepared.payment["id"], cause(), method_id=method)
        assert invalid.value.rule == "payment_method_invalid"


async def test_a_paid_order_stays_paid(till: Paying) -> None:
    order, (method, customer) = payable(), await saved(till)
    paid = await process.charge(till.services, order, method, customer, cause())
    asked = sum(till.stripe.calls.values())
    for result in (
        await process.confirm(till.services, order.order_id, paid.payment["id"], cause(), method_id="pm_card_visa"),
        await process.give_up(till.services, order, cause()),
        await process.cancel(till.services, order, cause()),
        await process.prepare(till.services, order, cause()),
    ):
        assert result.paid
    assert sum(till.stripe.calls.values()) == asked
    assert await event_names(till.services, order.order_id) == ["PaymentProcessed"]


# --- ends
async def test_an_order_that_nobody_paid(till: Paying) -> None:
    order = payable()
    prepared = await process.prepare(till.services, order, cause())
    for _ in range(2):
        assert (await process.give_up(till.services, order, cause())).status == "failed"
    assert intents(till)[0]["status"] == "canceled"
    assert await event_names(till.services, order.order_id) == ["PaymentFailed"]
    assert (await events_of(till.services, order.order_id))[0]["data"]["failure_code"] == "abandoned"
    late = await process.confirm(
        till.services, order.order_id, prepared.payment["id"], cause(), method_id="pm_card_visa"
    )
    assert (late.status, charges(till)) == ("failed", [])


async def test_a_declined_order_ends_though_its_webhook_was_faster(till: Paying) -> None:
    """Or though the process was killed after it had cancelled the intent: found by the kill points of tests/flows."""
    order, (method, customer) = payable(), await saved(till, "pm_card_chargeCustomerFail")
    declined = await process.charge(till.services, order, method, customer, cause())
    assert declined.decline is not None
    till.stripe.faults.add(Fault("reset_after", on="payment_intents.cancel", times=9))
    till.stripe.faults.add(Fault("reset_before", on="payment_intents.retrieve", times=99))
    assert (await process.give_up(till.services, order, cause(), declined.decline)).in_doubt
    till.stripe.faults.clear()
    assert (await process.refresh(till.services, declined.payment, cause())).status == "cancelled"
    again = await process.charge(till.services, order, method, customer, cause())
    assert again.decline is not None
    for _ in range(2):
        assert (await process.give_up(till.services, order, cause(), again.decline)).status == "failed"
    assert await event_names(till.services, order.order_id) == ["PaymentAttemptFailed", "PaymentFailed"]


@pytest.mark.parametrize(("end", "events"), [(process.give_up, ["PaymentFailed"]), (process.cancel, [])])
async def test_an_order_whose_payment_was_never_prepared(till: Paying, end: Any, events: list[str]) -> None:
    order, (method, customer) = payable(), await saved(till)
    ended = await end(till.services, order, cause())
    assert await end(till.services, order, cause()) == ended
    assert await event_names(till.services, order.order_id) == events
    late = await process.charge(till.services, order, method, customer, cause())
    assert late.status == ended.status
    assert intents(till) == []


async def test_a_cancelled_order_tells_nobody(till: Paying) -> None:
    order = payable()
    await process.prepare(till.services, order, cause())
    assert (await process.cancel(till.services, order, cause())).status == "cancelled"
    assert await event_names(till.services, order.order_id) == []


@pytest.mark.parametrize("end", [process.give_up, process.cancel])
async def test_paid_in_the_last_moment(till: Paying, end: Any) -> None:
    order = payable()
    prepared = await process.prepare(till.services, order, cause())
    given = {"payment_method": "pm_card_visa", "return_url": "http://127.0.0.1"}
    confirm_intent(till.stripe.account, given, prepared.payment["id"])
    assert (await end(till.services, order, cause())).paid
    assert await event_names(till.services, order.order_id) == ["PaymentProcessed"]


async def test_ending_and_paying_at_once(till: Paying) -> None:
    for _ in range(8):
        order, (method, customer) = payable(), await saved(till)
        await asyncio.gather(
            process.charge(till.services, order, method, customer, cause()),
            process.give_up(till.services, order, cause()),
        )
        payment = await store.payment_of(till.services.store, order.order_id)
        assert payment is not None
        money = [each for each in charges(till) if each["metadata"]["order_id"] == order.order_id]
        assert len(money) == (1 if payment["status"] == "succeeded" else 0)
        names = await event_names(till.services, order.order_id)
        assert names == (["PaymentProcessed"] if money else ["PaymentFailed"])


# --- doubt
async def test_in_doubt_nothing_is_written_and_asking_again_settles_it(till: Paying) -> None:
    order, (method, customer) = payable(), await saved(till)
    till.stripe.faults.add(Fault("reset_after", on="payment_intents.confirm", times=2))
    till.stripe.faults.add(Fault("reset_before", on="payment_intents.retrieve", times=100))
    doubtful = await process.charge(till.services, order, method, customer, cause())
    assert (doubtful.in_doubt, doubtful.status) == (True, "created")
    till.stripe.faults.clear()
    settled = await process.charge(till.services, order, method, customer, cause())
    assert (settled.in_doubt, settled.status) == (False, "succeeded")
    assert len(charges(till)) == 1


async def test_while_the_provider_is_away_nothing_changes(till: Paying) -> None:
    order, (method, customer) = payable(), await saved(till)
    till.stripe.faults.add(Fault("reset_before", times=100))
    for attempt in (
        process.prepare(till.services, order, cause()),
        process.charge(till.services, order, method, customer, cause()),
    ):
        with pytest.raises(PartnerUnavailable):
            await attempt
    assert await store.payment_of(till.services.store, order.order_id) is None


async def test_what_was_charged_before_a_crash_is_found(till: Paying) -> None:
    order, (method, customer) = payable(), await saved(till)
    prepared = await process.prepare(till.services, order, cause(), customer=customer)
    # The charge went through, and the process ended before it could write so.
    await till.services.gateway.confirm(prepared.payment["id"], method, f"{prepared.payment['id']}|{method}|0")
    paid = await process.charge(till.services, order, method, customer, cause())
    assert paid.paid
    assert len(charges(till)) == 1

"""Failed attempts to pay an order: counted once each, ten at most, hard declines not repeated with the same method."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from handlers.partners.payments import Decline
from handlers.payments import attempts, process, store
from handlers.platform.errors import Problem
from infra.local.stripe.faults import Fault
from infra.local.stripe.intents import confirm_intent
from infra.local.stripe.wire import Refusal
from tests.payments.test_webhooks import last_event, send
from tests.support.paying import Paying, cause, event_names, events_of, payable, saved

Json = dict[str, Any]
DECLINED = "pm_card_chargeCustomerFail"
LOST = "pm_card_visa_chargeDeclinedLostCard"


# --- rules
def payment(**changes: Any) -> Json:
    return {"status": "created", "attempts": 0, "failure": None, **changes}


def failure(code: str, tried: str | None = None) -> Json:
    return {"code": code, "message": "No.", "tried": tried}


def test_a_charge_is_counted_once() -> None:
    paid: Json = payment()
    decline = Decline("generic_decline", "No.", "ch_1")
    assert attempts.is_new(paid, decline, None)
    attempts.count(paid, decline)
    assert not attempts.is_new(paid, decline, "pm_1")
    assert attempts.is_new(paid, Decline("generic_decline", "No.", "ch_2"), None)
    assert (paid["attempts"], attempts.left(paid)) == (1, 9)


@pytest.mark.parametrize(
    ("known", "code", "tried", "new"),
    [
        ({}, "authentication_required", None, True),
        ({"failure": failure("authentication_required")}, "authentication_required", None, False),
        ({"failure": failure("authentication_required")}, "authentication_required", "pm_1", True),
        ({"failure": failure("authentication_required"), "status": "requires_action"}, "x", None, True),
        ({"failure": failure("processing_error")}, "authentication_required", None, True),
    ],
)
def test_a_decline_without_a_charge(known: Json, code: str, tried: str | None, new: bool) -> None:
    decline = Decline(code, "No.")
    paid: Json = payment(**known)
    assert attempts.is_new(paid, decline, tried) is new
    attempts.count(paid, decline)
    assert (paid["attempts"], "failed_charges" in paid) == (1, False)


def test_so_many_are_left_and_so_many_remembered() -> None:
    paid: Json = payment()
    for number in range(12):
        attempts.count(paid, Decline("generic_decline", "No.", f"ch_{number}"))
    assert (attempts.left(paid), len(paid["failed_charges"])) == (0, attempts.MAX_FAILED)


@pytest.mark.parametrize(
    ("code", "tried", "refused"),
    [("lost_card", "pm_1", True), ("lost_card", "pm_2", False), ("insufficient_funds", "pm_1", False)],
)
def test_a_method_declined_for_good_is_not_tried_again(code: str, tried: str, refused: bool) -> None:
    paid: Json = payment()
    assert attempts.refused_with(paid, "pm_1") is None
    attempts.note_refused(paid, Decline(code, "No."), tried)
    attempts.note_refused(paid, Decline("generic_decline", "No."), "pm_3")  # whatever is tried in between
    assert (attempts.refused_with(paid, "pm_1") == code) is refused
    assert attempts.is_hard("stolen_card")
    assert not attempts.is_hard("generic_decline")


# --- a saved card
async def test_a_declined_saved_card_leaves_the_payment_open(till: Paying) -> None:
    order, (method, customer) = payable(), await saved(till, DECLINED)
    results = await asyncio.gather(*(process.charge(till.services, order, method, customer, cause()) for _ in range(3)))
    results.append(await process.charge(till.services, order, method, customer, cause()))
    assert {(result.status, result.decline and result.decline.code) for result in results} == {
        ("created", "generic_decline")
    }
    assert results[-1].client_secret is not None
    told = await events_of(till.services, order.order_id)
    assert [(each["event_type"], each["data"]["attempts_left"]) for each in told] == [("PaymentAttemptFailed", 9)]


async def test_after_a_decline_the_event_that_comes_again_charges_nothing(till: Paying) -> None:
    """The customer is at it with another card, declined as well: the saved one is not tried behind their back."""
    order, (method, customer) = payable(), await saved(till, DECLINED)
    first = await process.charge(till.services, order, method, customer, cause())
    confirmed = process.confirm(
        till.services,
        order.order_id,
        first.payment["id"],
        cause(),
        method_id="pm_card_visa_chargeDeclinedInsufficientFunds",
    )
    assert (await confirmed).decline is not None
    asked = till.stripe.calls["payment_intents.confirm"]
    await process.charge(till.services, order, method, customer, cause())
    assert till.stripe.calls["payment_intents.confirm"] == asked


async def test_a_lost_card_is_not_tried_again_but_another_is(till: Paying) -> None:
    order = payable()
    intent_id = (await process.prepare(till.services, order, cause())).payment["id"]

    async def confirmed(method: str) -> process.Result:
        return await process.confirm(till.services, order.order_id, intent_id, cause(), method_id=method)

    assert (await confirmed(LOST)).decline is not None
    asked = till.stripe.calls["payment_intents.confirm"]
    with pytest.raises(Problem) as refused:
        await confirmed(LOST)
    assert (refused.value.rule, refused.value.details["attempts_left"]) == ("payment_declined", 9)
    assert till.stripe.calls["payment_intents.confirm"] == asked
    assert (await confirmed("pm_card_visa")).paid


# --- ten attempts
async def declined_times(till: Paying, order: Any, times: int) -> str:
    intent_id: str = (await process.prepare(till.services, order, cause())).payment["id"]
    for _ in range(times):
        await process.confirm(till.services, order.order_id, intent_id, cause(), method_id=DECLINED)
    return intent_id


async def test_ten_failed_attempts_end_the_payment(till: Paying) -> None:
    order = payable()
    intent_id = await declined_times(till, order, attempts.MAX_FAILED)
    assert till.stripe.account.state.get("payment_intent", intent_id)["status"] == "canceled"
    names = await event_names(till.services, order.order_id)
    assert names == ["PaymentAttemptFailed"] * attempts.MAX_FAILED + ["PaymentFailed"]
    assert (await events_of(till.services, order.order_id))[-1]["data"]["failure_code"] == "card_declined"
    late = await process.confirm(till.services, order.order_id, intent_id, cause(), method_id="pm_card_visa")
    assert late.status == "failed"


async def test_an_end_that_stripe_could_not_be_asked_for_is_asked_for_again(till: Paying) -> None:
    order = payable()
    intent_id = await declined_times(till, order, attempts.MAX_FAILED - 1)
    till.stripe.faults.add(Fault("reset_before", on="payment_intents.cancel", times=2))
    tenth = await process.confirm(till.services, order.order_id, intent_id, cause(), method_id=DECLINED)
    assert (tenth.in_doubt, tenth.status, tenth.decline and tenth.decline.code) == (True, "created", "generic_decline")
    # Nobody can pay in between, and the last attempt is counted once.
    asked = till.stripe.calls["payment_intents.confirm"]
    ended = await process.confirm(till.services, order.order_id, intent_id, cause(), method_id="pm_card_visa")
    assert (ended.status, ended.payment["attempts"]) == ("failed", attempts.MAX_FAILED)
    assert till.stripe.calls["payment_intents.confirm"] == asked


async def test_attempts_in_the_browser_count_though_several_fail_before_one_is_looked_at(till: Paying) -> None:
    order = payable()
    intent_id = (await process.prepare(till.services, order, cause())).payment["id"]
    sent = []
    for _ in range(attempts.MAX_FAILED):
        with pytest.raises(Refusal):
            confirm_intent(
                till.stripe.account, {"payment_method": DECLINED, "return_url": "http://127.0.0.1"}, intent_id
            )
        sent.append(last_event(till, "payment_intent.payment_failed"))
    for each in sent:
        assert (await send(till, each)).status_code == 200
    found = await store.payment_of(till.services.store, order.order_id)
    assert found is not None
    assert (found["status"], found["attempts"]) == ("failed", attempts.MAX_FAILED)
    assert (await event_names(till.services, order.order_id))[-1] == "PaymentFailed"

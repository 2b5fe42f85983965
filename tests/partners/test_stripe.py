"""The Stripe partner against the stand-in: what is sent, what comes back, and the decided outcome of every fault."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from handlers.partners.breaker import Breaker, PartnerNotAsked, PartnerUnavailable
from handlers.partners.payments import (
    AnswerLost,
    Cancelled,
    Declined,
    InDoubt,
    Intent,
    IntentOrder,
    Open,
    PaymentRefused,
    Processing,
    RefundOrder,
    RequiresAction,
    Succeeded,
    outcome_of,
)
from handlers.partners.stripe import API_VERSION, StripeGateway
from infra.local.stripe.account import VERSION
from infra.local.stripe.faults import Fault
from infra.local.stripe.http import serving
from infra.local.stripe.server import Server
from tests.support.paying import ADDRESS, gateway

# What may happen to one request, and whether it has its effect all the same.
LOST = (
    Fault("reset_before"),
    Fault("reset_after"),
    Fault("timeout_before", seconds=0.6),
    Fault("timeout_after", seconds=0.6),
    Fault("slow", seconds=0.5),
)
REFUSED = (Fault(429), Fault(500), Fault(500, commits=True), Fault(503, commits=True))


def again(fault: Fault, on: str, times: int = 1) -> Fault:
    return Fault(fault.effect, on=on, times=times, seconds=fault.seconds, commits=fault.commits)


def name(fault: Fault) -> str:
    return f"{fault.effect}{'-commits' if fault.commits else ''}"


@pytest.fixture
async def stripe() -> AsyncIterator[Server]:
    """A stand-in."""
    async with serving() as server:
        yield server


@pytest.fixture
async def partner(stripe: Server) -> AsyncIterator[StripeGateway]:
    """The partner, with the patience of half a second."""
    async with gateway(stripe, seconds=0.4) as made:
        yield made


def order(**changes: Any) -> IntentOrder:
    values: dict[str, Any] = {
        "order_id": "order-1",
        "order_number": "HPH-2026-001234",
        "amount": 130992,
        "currency": "USD",
        "email": "dana@example.com",
        "address": ADDRESS,
    }
    return IntentOrder(**{**values, **changes})


def refund_order(intent: Intent, **changes: Any) -> RefundOrder:
    values: dict[str, Any] = {
        "refund_id": "refund-1",
        "order_id": "order-1",
        "intent_id": intent.id,
        "amount": 15000,
        "currency": "USD",
        "reason": "goodwill",
    }
    return RefundOrder(**{**values, **changes})


async def paid(partner: StripeGateway) -> Intent:
    intent = await partner.create_intent(order())
    outcome = await partner.confirm(intent.id, "pm_card_visa", "paid")
    assert isinstance(outcome, Succeeded)
    return outcome.intent


# --- what is sent
async def test_it_sends_what_a_real_integration_sends(stripe: Server, partner: StripeGateway) -> None:
    customer = await partner.create_customer("user-1", "dana@example.com", "Dana Whitfield")
    intent = await partner.create_intent(order(customer=customer))
    at_stripe = stripe.account.state.get("payment_intent", intent.id)
    assert at_stripe["amount"] == 130992
    assert at_stripe["currency"] == "usd"
    assert at_stripe["customer"] == customer
    assert at_stripe["automatic_payment_methods"] == {"enabled": True, "allow_redirects": "always"}
    assert at_stripe["metadata"] == {"order_id": "order-1", "order_number": "HPH-2026-001234"}
    assert at_stripe["receipt_email"] == "dana@example.com"
    assert at_stripe["statement_descriptor_suffix"] == "HPH-2026-001234"
    assert at_stripe["shipping"]["name"] == "Dana Whitfield"
    assert at_stripe["shipping"]["phone"] == "+14155550132"
    assert at_stripe["shipping"]["address"]["postal_code"] == "94102"
    assert intent.client_secret == at_stripe["client_secret"]
    assert intent.client_secret not in repr(intent)
    assert (intent.order_id, intent.status) == ("order-1", "requires_payment_method")
    assert API_VERSION == VERSION


async def test_every_write_carries_a_key_of_our_ids(stripe: Server, partner: StripeGateway) -> None:
    intent = await paid(partner)
    await partner.refund(refund_order(intent))
    keys = {each["request"]["idempotency_key"] for each in stripe.account.state.all("event")}
    assert keys == {"intent|order-1", "confirm|paid", "refund|refund-1"}


async def test_currencies_with_other_decimals(stripe: Server, partner: StripeGateway) -> None:
    yen = await partner.create_intent(order(order_id="order-yen", amount=5000, currency="JPY"))
    assert (yen.amount, stripe.account.state.get("payment_intent", yen.id)["amount"]) == (5000, 5000)
    krona = await partner.create_intent(order(order_id="order-isk", amount=5000, currency="ISK"))
    assert (krona.amount, stripe.account.state.get("payment_intent", krona.id)["amount"]) == (5000, 500000)
    with pytest.raises(ValueError, match="KWD"):
        await partner.create_intent(order(order_id="order-kwd", amount=5001, currency="KWD"))


# --- outcomes
async def test_succeeded_with_what_it_was_paid_with(partner: StripeGateway) -> None:
    intent = await paid(partner)
    assert intent.method is not None
    assert (intent.method.type, intent.method.brand, intent.method.last4) == ("credit_card", "Visa", "4242")
    again_ = await partner.confirm(intent.id, "pm_card_visa", "another")
    assert isinstance(again_, Succeeded)


async def test_a_debit_card_says_so(partner: StripeGateway) -> None:
    intent = await partner.create_intent(order())
    outcome = await partner.confirm(intent.id, "pm_card_visa_debit", "one")
    assert isinstance(outcome, Succeeded)
    assert outcome.intent.method is not None
    assert outcome.intent.method.type == "debit_card"


async def test_declined_and_then_another_card(partner: StripeGateway) -> None:
    intent = await partner.create_intent(order())
    outcome = await partner.confirm(intent.id, "pm_card_visa_chargeDeclinedInsufficientFunds", "one")
    assert isinstance(outcome, Declined)
    assert (outcome.decline.code, outcome.decline.message) == (
        "insufficient_funds",
        "Your card has insufficient funds.",
    )
    seen = outcome_of(await partner.retrieve(intent.id))
    assert isinstance(seen, Declined)
    assert seen.decline == outcome.decline
    assert isinstance(await partner.confirm(intent.id, "pm_card_visa", "two"), Succeeded)


@pytest.mark.parametrize(
    ("outcome", "kind"), [("succeeded", Succeeded), ("failed", Declined), ("processing", Processing)]
)
async def test_authentication(stripe: Server, partner: StripeGateway, outcome: str, kind: type) -> None:
    intent = await partner.create_intent(order())
    asked = await partner.confirm(intent.id, "pm_card_authenticationRequired", "one")
    assert isinstance(asked, RequiresAction)
    assert asked.client_secret == intent.client_secret
    stripe.authenticate(intent.id, outcome)
    assert isinstance(outcome_of(await partner.retrieve(intent.id)), kind)


async def test_paypal(stripe: Server, partner: StripeGateway) -> None:
    from infra.local.stripe import customers  # noqa: PLC0415

    method = customers.create_method(stripe.account, {"type": "paypal"})["id"]
    intent = await partner.create_intent(order())
    assert isinstance(await partner.confirm(intent.id, method, "one"), RequiresAction)
    action = stripe.account.state.get("payment_intent", intent.id)["next_action"]
    assert action["redirect_to_url"]["return_url"] == "http://127.0.0.1/return"
    stripe.authenticate(intent.id)
    found = await partner.retrieve(intent.id)
    assert found.method is not None
    assert found.method.type == "paypal"


async def test_cancelled_or_too_late(partner: StripeGateway) -> None:
    intent = await partner.create_intent(order())
    assert isinstance(await partner.cancel(intent.id), Cancelled)
    assert isinstance(await partner.cancel(intent.id), Cancelled)
    assert isinstance(await partner.confirm(intent.id, "pm_card_visa", "late"), Cancelled)
    other = await partner.create_intent(order(order_id="order-2"))
    assert isinstance(outcome_of(other), Open)
    await partner.confirm(other.id, "pm_card_visa", "in time")
    assert isinstance(await partner.cancel(other.id), Succeeded)


async def test_what_is_invalid_is_refused(partner: StripeGateway) -> None:
    intent = await partner.create_intent(order())
    with pytest.raises(PaymentRefused) as refused:
        await partner.confirm(intent.id, "pm_nobodys", "one")
    assert refused.value.reason == "invalid"
    with pytest.raises(PaymentRefused) as missing:
        await partner.retrieve("pi_nobodys")
    assert missing.value.code == "resource_missing"
    with pytest.raises(PaymentRefused):
        await partner.cancel("pi_nobodys")


async def test_a_key_used_for_something_else_is_refused(partner: StripeGateway) -> None:
    await partner.create_intent(order())
    with pytest.raises(PaymentRefused):
        await partner.create_intent(order(amount=1000))


# --- faults
@pytest.mark.parametrize("fault", [*LOST, *REFUSED], ids=name)
async def test_an_intent_is_made_whatever_happens_once(stripe: Server, partner: StripeGateway, fault: Fault) -> None:
    stripe.faults.add(again(fault, "payment_intents.create"))
    try:
        intent = await partner.create_intent(order())
    except AnswerLost:  # the first request is still on its way when the second is refused
        assert fault.effect == "slow"
        await asyncio.sleep(0.5)
        intent = await partner.create_intent(order())
    assert (await partner.create_intent(order())).id == intent.id
    made = stripe.account.state.all("payment_intent")
    # A 500 spends the key, so an intent that nobody will confirm may be left behind.
    assert len(made) == (2 if fault.commits else 1)


@pytest.mark.parametrize("fault", [*LOST, Fault(429)], ids=name)
async def test_a_charge_is_made_whatever_happens_once(stripe: Server, partner: StripeGateway, fault: Fault) -> None:
    intent = await partner.create_intent(order())
    stripe.faults.add(again(fault, "payment_intents.confirm"))
    outcome = await partner.confirm(intent.id, "pm_card_visa", "one")
    if isinstance(outcome, InDoubt):  # the first request is still on its way when the second is refused
        assert fault.effect == "slow"
        await asyncio.sleep(0.5)
        outcome = await partner.confirm(intent.id, "pm_card_visa", "one")
    assert isinstance(outcome, Succeeded)
    assert len(stripe.account.state.all("charge")) == 1


@pytest.mark.parametrize("fault", [*LOST, Fault(429)], ids=name)
async def test_a_decline_is_this_attempts_own(stripe: Server, partner: StripeGateway, fault: Fault) -> None:
    intent = await partner.create_intent(order())
    await partner.confirm(intent.id, "pm_card_visa_chargeDeclinedInsufficientFunds", "one")
    stripe.faults.add(again(fault, "payment_intents.confirm"))
    outcome = await partner.confirm(intent.id, "pm_card_chargeDeclinedExpiredCard", "two")
    if not isinstance(outcome, InDoubt):
        assert isinstance(outcome, Declined)
        assert outcome.decline.code == "expired_card"
    else:
        assert fault.effect == "slow"


@pytest.mark.parametrize("fault", LOST[:2], ids=name)
async def test_in_doubt_what_became_of_a_charge_is_read(stripe: Server, partner: StripeGateway, fault: Fault) -> None:
    intent = await partner.create_intent(order())
    stripe.faults.add(again(fault, "payment_intents.confirm", times=2))
    outcome = await partner.confirm(intent.id, "pm_card_visa", "one")
    if fault.effect == "reset_after":
        assert isinstance(outcome, Succeeded)
    else:
        assert outcome == InDoubt(intent.id)
        assert isinstance(await partner.confirm(intent.id, "pm_card_visa", "one"), Succeeded)
    assert len(stripe.account.state.all("charge")) == 1


async def test_in_doubt_and_nobody_to_ask(stripe: Server, partner: StripeGateway) -> None:
    intent = await partner.create_intent(order())
    stripe.faults.add(Fault("reset_after", on="payment_intents.confirm", times=2))
    stripe.faults.add(Fault("reset_before", on="payment_intents.retrieve", times=100))
    assert await partner.confirm(intent.id, "pm_card_visa", "one") == InDoubt(intent.id)
    stripe.faults.clear()
    assert isinstance(outcome_of(await partner.retrieve(intent.id)), Succeeded)


@pytest.mark.parametrize("commits", [True, False])
async def test_a_500_to_a_charge(stripe: Server, partner: StripeGateway, commits: bool) -> None:
    intent = await partner.create_intent(order())
    stripe.faults.add(Fault(500, on="payment_intents.confirm", commits=commits))
    outcome = await partner.confirm(intent.id, "pm_card_visa", "one")
    assert isinstance(outcome, Succeeded if commits else InDoubt)
    assert isinstance(await partner.confirm(intent.id, "pm_card_visa", "two"), Succeeded)
    assert len(stripe.account.state.all("charge")) == 1


@pytest.mark.parametrize("fault", [*LOST, *REFUSED], ids=name)
async def test_money_is_returned_whatever_happens_once(stripe: Server, partner: StripeGateway, fault: Fault) -> None:
    intent = await paid(partner)
    stripe.faults.add(again(fault, "refunds.create"))
    try:
        found = await partner.refund(refund_order(intent))
    except AnswerLost:
        assert fault.effect == "slow"
        await asyncio.sleep(0.5)
        found = await partner.refund(refund_order(intent, resumed=True))
    assert (found.amount, found.status, found.refund_id) == (15000, "succeeded", "refund-1")
    assert [each["amount"] for each in stripe.account.state.all("refund")] == [15000]


@pytest.mark.parametrize("effect", ["reset_before", "reset_after"])
async def test_a_refund_in_doubt_is_found_by_its_metadata(stripe: Server, partner: StripeGateway, effect: str) -> None:
    intent = await paid(partner)
    stripe.faults.add(Fault(effect, on="refunds.create", times=2))
    stripe.faults.add(Fault("reset_before", on="refunds.list", times=100))
    with pytest.raises(PartnerUnavailable):
        await partner.refund(refund_order(intent))
    stripe.faults.clear()
    # A day later the key is forgotten, and only the metadata knows.
    for record in stripe.account.state.all("_idempotency"):
        stripe.account.state.forget("_idempotency", record["id"])
    found = await partner.refund(refund_order(intent, resumed=True))
    assert found.refund_id == "refund-1"
    assert len(stripe.account.state.all("refund")) == 1


async def test_refunds_of_an_intent_over_pages(stripe: Server, partner: StripeGateway) -> None:
    intent = await paid(partner)
    for number in range(102):
        await partner.refund(refund_order(intent, refund_id=f"refund-{number}", amount=100))
    assert len(await partner.refunds_of(intent.id)) == 102
    assert (await partner.refund(refund_order(intent, refund_id="refund-0", amount=100, resumed=True))).amount == 100
    assert len(stripe.account.state.all("refund")) == 102


async def test_never_more_than_was_paid(partner: StripeGateway) -> None:
    intent = await paid(partner)
    with pytest.raises(PaymentRefused) as refused:
        await partner.refund(refund_order(intent, amount=130993))
    assert refused.value.reason == "exceeds"
    await partner.refund(refund_order(intent, refund_id="refund-2", amount=130992))
    with pytest.raises(PaymentRefused) as over:
        await partner.refund(refund_order(intent, refund_id="refund-3"))
    assert over.value.reason == "exceeds"
    unpaid = await partner.create_intent(order(order_id="order-2"))
    with pytest.raises(PaymentRefused) as nothing:
        await partner.refund(refund_order(unpaid, refund_id="refund-4"))
    assert nothing.value.reason == "state"


@pytest.mark.parametrize(
    "on", ["payment_intents.cancel", "payment_methods.attach", "payment_methods.detach", "customers.delete"]
)
@pytest.mark.parametrize("fault", LOST[:2], ids=name)
async def test_the_others_are_repeated_too(stripe: Server, partner: StripeGateway, on: str, fault: Fault) -> None:
    stripe.faults.add(again(fault, on))
    customer = await partner.create_customer("user-1", None, None)
    method = await partner.attach((await partner.find_method("pm_card_visa")).id, customer, "one")
    await partner.detach(method.id)
    await partner.detach(method.id)
    await partner.delete_customer(customer)
    await partner.delete_customer(customer)
    assert isinstance(await partner.cancel((await partner.create_intent(order())).id), Cancelled)
    assert stripe.faults.happened == 1


async def test_cancelling_in_doubt(stripe: Server, partner: StripeGateway) -> None:
    intent = await partner.create_intent(order())
    stripe.faults.add(Fault("reset_before", on="payment_intents.cancel", times=2))
    assert await partner.cancel(intent.id) == InDoubt(intent.id)
    stripe.faults.add(Fault("reset_after", on="payment_intents.cancel", times=2))
    assert isinstance(await partner.cancel(intent.id), Cancelled)


async def test_attaching_refusals(partner: StripeGateway) -> None:
    customer = await partner.create_customer("user-1", "dana@example.com", None)
    declined = await partner.find_method("pm_card_visa_chargeDeclined")
    with pytest.raises(PaymentRefused) as refused:
        await partner.attach(declined.id, customer, "one")
    assert (refused.value.reason, refused.value.code) == ("declined", "generic_decline")
    method = await partner.attach((await partner.find_method("pm_card_visa")).id, customer, "two")
    with pytest.raises(PaymentRefused) as taken:
        await partner.attach(method.id, customer, "three")
    assert taken.value.reason == "taken"


# --- being away
async def test_a_wrong_key_is_no_card_error(stripe: Server, caplog: pytest.LogCaptureFixture) -> None:
    stranger = StripeGateway("sk_test_wrong", return_url="http://127.0.0.1", base=stripe.url, pause=0.0)
    with caplog.at_level(logging.INFO), pytest.raises(PartnerUnavailable) as away:
        await stranger.create_intent(order())
    await stranger.close()
    assert not isinstance(away.value, AnswerLost)
    assert "sk_test_wrong" not in caplog.text + str(away.value)


async def test_nobody_listens() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{closed.getsockname()[1]}"
    partner = StripeGateway("sk_test_x", return_url="http://127.0.0.1", base=base, pause=0.0)
    with pytest.raises(PartnerUnavailable) as away:
        await partner.create_intent(order())
    await partner.close()
    assert not isinstance(away.value, AnswerLost)


async def test_the_breaker_opens_and_refusals_do_not_count(stripe: Server) -> None:
    async with gateway(stripe, breaker=Breaker("Stripe", failures=2)) as partner:
        for _ in range(4):
            with pytest.raises(PaymentRefused):
                await partner.retrieve("pi_nobodys")
        # The connections themselves repeat a GET, so it takes more than two.
        stripe.faults.add(Fault("reset_before", times=100))
        with pytest.raises(PartnerUnavailable):
            await partner.retrieve("pi_nobodys")
        asked = sum(stripe.calls.values())
        with pytest.raises(PartnerUnavailable, match="not asked at the moment"):
            await partner.retrieve("pi_nobodys")
        assert sum(stripe.calls.values()) == asked


async def test_an_open_breaker_refuses_at_once_and_what_was_lost_stays_lost(stripe: Server) -> None:
    async with gateway(stripe, breaker=Breaker("Stripe", failures=1), pause=0.3) as partner:
        stripe.faults.add(Fault("reset_after", on="payment_intents.create", times=9))
        with pytest.raises(AnswerLost):  # and not: nobody was asked
            await partner.create_intent(order())
        stripe.faults.clear()
        began = time.monotonic()
        with pytest.raises(PartnerNotAsked) as refused:
            await partner.create_intent(order())
        assert time.monotonic() - began < 0.29
        assert refused.value.retry_after == 1
        await asyncio.sleep(1.0)
        assert (await partner.create_intent(order())).id


async def test_waiting_does_not_block_the_others(stripe: Server, partner: StripeGateway) -> None:
    stripe.faults.add(Fault("slow", on="customers.create", seconds=0.3))
    slow = asyncio.create_task(partner.create_customer("user-1", None, None))
    await asyncio.sleep(0.05)
    await asyncio.wait_for(partner.create_intent(order()), 0.2)
    assert not slow.done()
    await slow

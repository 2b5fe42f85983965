"""Returning money: part, rest, too much, at once, twice, in doubt, failed at the bank."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from handlers.partners.breaker import PartnerUnavailable
from handlers.payments import process, refunds, store
from handlers.payments.reconcile import reconcile
from handlers.payments.rules import Payable, RefundRequest
from handlers.platform.errors import Problem
from infra.local.stripe.faults import Fault
from infra.local.stripe.refunds import create_refund
from tests.support.paying import Paying, cause, event_names, events_of, payable, saved


async def paid(shop: Paying, token: str = "pm_card_visa", **changes: Any) -> Payable:
    order = payable(**changes)
    result = await process.charge(shop.services, order, *await saved(shop, token), cause())
    assert result.paid
    return order


def request(order: Payable, refund_id: str = "refund-1", **more: Any) -> RefundRequest:
    return RefundRequest(**{"refund_id": refund_id, "order_id": order.order_id, "reason": "goodwill", **more})


async def refund(shop: Paying, order: Payable, refund_id: str = "refund-1", **more: Any) -> dict[str, Any]:
    return await refunds.refund(shop.services, request(order, refund_id, **more), cause())


async def payment(shop: Paying, order: Payable) -> dict[str, Any]:
    found = await store.payment_of(shop.services.store, order.order_id)
    assert found is not None
    return found


def returned(shop: Paying) -> int:
    return sum(each["amount"] for each in shop.stripe.account.state.all("refund") if each["status"] != "failed")


async def test_a_part_and_then_the_rest(shop: Paying) -> None:
    order = await paid(shop)
    part = await refund(shop, order, "refund-1", amount=15000, note="Dent.", created_by="staff-1")
    assert (part["status"], part["amount"], part["note"], part["created_by"]) == (
        "succeeded",
        15000,
        "Dent.",
        "staff-1",
    )
    assert (await payment(shop, order))["status"] == "partially_refunded"
    rest = await refund(shop, order, "refund-2", reason="return", return_id="return-1")
    assert rest["amount"] == 130992 - 15000
    after = await payment(shop, order)
    assert (after["status"], after["refunded"], after["refund_held"]) == ("refunded", 130992, 130992)
    events = [each["data"] for each in await events_of(shop.services, order.order_id)][1:]
    assert [(each["refund_id"], each["fully_refunded"]) for each in events] == [("refund-1", False), ("refund-2", True)]
    assert events[1]["return_id"] == "return-1"


async def test_the_same_refund_is_made_once(shop: Paying) -> None:
    order = await paid(shop)
    made = await asyncio.gather(*(refund(shop, order, amount=15000) for _ in range(4)))
    again = await refund(shop, order, amount=15000)
    assert {each["id"] for each in (*made, again)} == {"refund-1"}
    assert returned(shop) == 15000
    assert (await payment(shop, order))["refunded"] == 15000
    assert await event_names(shop.services, order.order_id) == ["PaymentProcessed", "RefundProcessed"]


async def test_refunds_at_once_never_exceed_what_was_paid(shop: Paying) -> None:
    order = await paid(shop, amount=1000)
    results = await asyncio.gather(
        *(refund(shop, order, f"refund-{number}", amount=300) for number in range(10)), return_exceptions=True
    )
    made = [each for each in results if isinstance(each, dict)]
    refused = [each for each in results if isinstance(each, Problem)]
    assert (len(made), len(refused)) == (3, 7)
    assert {each.rule for each in refused} == {"refund_exceeds_payment"}
    assert all(each.details["refundable"] in (1.0, 4.0, 7.0) for each in refused)
    assert returned(shop) == (await payment(shop, order))["refunded"] == 900


async def test_all_that_is_left_asked_for_twice_at_once(shop: Paying) -> None:
    order = await paid(shop)
    results = await asyncio.gather(
        refund(shop, order, "refund-1"), refund(shop, order, "refund-2"), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in results) == ["Problem", "dict"]
    assert returned(shop) == 130992


@pytest.mark.parametrize("amount", [0, -1, 130993])
async def test_an_amount_that_cannot_be(shop: Paying, amount: int) -> None:
    order = await paid(shop)
    with pytest.raises(Problem) as refused:
        await refund(shop, order, amount=amount)
    assert refused.value.rule == "refund_exceeds_payment"


async def test_what_was_not_paid_is_not_refunded(shop: Paying) -> None:
    order = payable()
    with pytest.raises(Problem) as nothing:
        await refund(shop, order)
    assert nothing.value.status == 404
    await process.prepare(shop.services, order, cause())
    with pytest.raises(Problem) as unpaid:
        await refund(shop, order)
    assert (unpaid.value.status, unpaid.value.rule) == (409, "order_state_invalid")


@pytest.mark.parametrize("effect", ["reset_before", "reset_after"])
async def test_in_doubt_it_stays_requested_and_goes_on(shop: Paying, effect: str) -> None:
    order = await paid(shop)
    shop.stripe.faults.add(Fault(effect, on="refunds.create", times=2))
    shop.stripe.faults.add(Fault("reset_before", on="refunds.list", times=100))
    with pytest.raises(PartnerUnavailable):
        await refund(shop, order, amount=130000)
    held = await payment(shop, order)
    assert (held["refund_held"], held["refunded"], held["status"]) == (130000, 0, "succeeded")
    with pytest.raises(Problem):  # it counts already
        await refund(shop, order, "refund-2", amount=1000)
    shop.stripe.faults.clear()
    assert (await refund(shop, order, amount=130000))["status"] == "succeeded"
    assert returned(shop) == 130000
    assert await event_names(shop.services, order.order_id) == ["PaymentProcessed", "RefundProcessed"]


async def test_what_was_left_requested_is_reconciled(shop: Paying) -> None:
    order = await paid(shop)
    shop.stripe.faults.add(Fault("reset_before", on="refunds.create", times=2))
    shop.stripe.faults.add(Fault("reset_before", on="refunds.list", times=100))
    with pytest.raises(PartnerUnavailable):
        await refund(shop, order, amount=15000)
    shop.stripe.faults.clear()
    assert await reconcile(shop.services, "job-1") == 0  # it is young
    await shop.services.gateway.retrieve((await payment(shop, order))["id"])  # the breaker sees that Stripe is back
    shop.running.clock.advance(minutes=2)
    shop.stripe.faults.add(Fault("reset_before", times=100))
    assert await reconcile(shop.services, "job-2") == 0  # nobody to ask
    shop.stripe.faults.clear()
    assert await reconcile(shop.services, "job-3") == 1
    assert (await payment(shop, order))["refunded"] == 15000
    assert await reconcile(shop.services, "job-4") == 0


async def test_a_pending_refund_and_a_payment_in_the_works_are_reconciled(shop: Paying) -> None:
    order = await paid(shop, "pm_card_pendingRefund")
    pending = await refund(shop, order, amount=15000)
    assert pending["status"] == "pending"
    other = payable()
    intent_id = (await process.prepare(shop.services, other, cause())).payment["id"]
    await process.confirm(shop.services, other.order_id, intent_id, cause(), method_id="pm_card_authenticationRequired")
    shop.stripe.authenticate(intent_id, "processing")
    await process.confirm(shop.services, other.order_id, intent_id, cause())
    shop.stripe.authenticate(intent_id)
    shop.stripe.settle_refund(pending["stripe_id"], "succeeded")
    shop.running.clock.advance(minutes=2)
    assert await reconcile(shop.services, "job-1") == 2
    assert (await store.read(shop.services.store, order.order_id, "refund-1") or {})["status"] == "succeeded"
    assert (await payment(shop, other))["status"] == "succeeded"


async def test_a_refund_that_fails_at_the_bank_comes_back(shop: Paying) -> None:
    order = await paid(shop)
    made = await refund(shop, order, amount=130992)
    shop.stripe.settle_refund(made["stripe_id"], "failed")
    await refunds.sync(shop.services, await payment(shop, order), cause())
    after = await payment(shop, order)
    assert (after["status"], after["refunded"], after["refund_held"]) == ("succeeded", 0, 0)
    assert (await refund(shop, order, "refund-2", amount=130992))["status"] == "succeeded"


async def test_a_refund_made_at_stripes_own_pages_counts(shop: Paying) -> None:
    order = await paid(shop)
    intent_id = (await payment(shop, order))["id"]
    made = create_refund(shop.stripe.account, {"payment_intent": intent_id, "amount": "100000"})
    # We do not know of it yet, and Stripe refuses what goes beyond; nothing stays held.
    with pytest.raises(Problem) as over:
        await refund(shop, order, amount=130992)
    assert over.value.rule == "refund_exceeds_payment"
    assert (await payment(shop, order))["refund_held"] == 0
    for _ in range(2):
        await refunds.sync(shop.services, await payment(shop, order), cause())
    after = await payment(shop, order)
    assert (after["refunded"], after["refund_held"], after["status"]) == (100000, 100000, "partially_refunded")
    adopted = await store.read(shop.services.store, order.order_id, made["id"])
    assert adopted is not None
    assert (adopted["amount"], adopted["status"]) == (100000, "succeeded")


async def test_what_the_provider_does_not_refund(shop: Paying) -> None:
    order = await paid(shop)
    charge = shop.stripe.account.state.all("charge")[-1]
    shop.stripe.account.state.put(charge | {"paid": False})
    with pytest.raises(Problem) as refused:
        await refund(shop, order, amount=100)
    assert refused.value.rule == "order_state_invalid"
    failed = await store.read(shop.services.store, order.order_id, "refund-1")
    assert failed is not None
    assert failed["status"] == "failed"
    assert (await refund(shop, order, amount=100))["status"] == "failed"

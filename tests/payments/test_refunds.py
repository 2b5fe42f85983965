"""Returning money: part, rest, too much, at once, twice, in doubt, failed at the bank."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from handlers import worker
from handlers.orders.watchdog import Watchdog
from handlers.partners.breaker import PartnerUnavailable
from handlers.payments import process, refunds, store
from handlers.payments import reconcile as reconciling
from handlers.payments.reconcile import Rounds, reconcile
from handlers.payments.rules import Payable, RefundRequest
from handlers.platform.errors import Problem
from handlers.platform.jobs import LeasedJob
from handlers.platform.store.port import Delete, Patch
from infra.local.stripe.faults import Fault
from infra.local.stripe.intents import confirm_intent
from infra.local.stripe.refunds import create_refund
from tests.support.app import running_app
from tests.support.paying import Paying, cause, event_names, events_of, payable, saved
from tests.support.wait import eventually


async def paid(till: Paying, token: str = "pm_card_visa", **changes: Any) -> Payable:
    order = payable(**changes)
    result = await process.charge(till.services, order, *await saved(till, token), cause())
    assert result.paid
    return order


def request(order: Payable, refund_id: str = "refund-1", **more: Any) -> RefundRequest:
    return RefundRequest(**{"refund_id": refund_id, "order_id": order.order_id, "reason": "goodwill", **more})


async def refund(till: Paying, order: Payable, refund_id: str = "refund-1", **more: Any) -> dict[str, Any]:
    return await refunds.refund(till.services, request(order, refund_id, **more), cause())


async def payment(till: Paying, order: Payable) -> dict[str, Any]:
    found = await store.payment_of(till.services.store, order.order_id)
    assert found is not None
    return found


def returned(till: Paying) -> int:
    return sum(each["amount"] for each in till.stripe.account.state.all("refund") if each["status"] != "failed")


async def test_a_part_and_then_the_rest(till: Paying) -> None:
    order = await paid(till)
    part = await refund(till, order, "refund-1", amount=15000, note="Dent.", created_by="staff-1")
    assert (part["status"], part["amount"], part["note"], part["created_by"]) == (
        "succeeded",
        15000,
        "Dent.",
        "staff-1",
    )
    assert (await payment(till, order))["status"] == "partially_refunded"
    rest = await refund(till, order, "refund-2", reason="return", return_id="return-1")
    assert rest["amount"] == 130992 - 15000
    after = await payment(till, order)
    assert (after["status"], after["refunded"], after["refund_held"]) == ("refunded", 130992, 130992)
    events = [each["data"] for each in await events_of(till.services, order.order_id)][1:]
    assert [(each["refund_id"], each["fully_refunded"]) for each in events] == [("refund-1", False), ("refund-2", True)]
    assert events[1]["return_id"] == "return-1"


async def test_the_same_refund_is_made_once(till: Paying) -> None:
    order = await paid(till)
    made = await asyncio.gather(*(refund(till, order, amount=15000) for _ in range(4)))
    again = await refund(till, order, amount=15000)
    assert {each["id"] for each in (*made, again)} == {"refund-1"}
    assert returned(till) == 15000
    assert (await payment(till, order))["refunded"] == 15000
    assert await event_names(till.services, order.order_id) == ["PaymentProcessed", "RefundProcessed"]


async def test_refunds_at_once_never_exceed_what_was_paid(till: Paying) -> None:
    order = await paid(till, amount=1000)
    results = await asyncio.gather(
        *(refund(till, order, f"refund-{number}", amount=300) for number in range(10)), return_exceptions=True
    )
    made = [each for each in results if isinstance(each, dict)]
    refused = [each for each in results if isinstance(each, Problem)]
    assert (len(made), len(refused)) == (3, 7)
    assert {each.rule for each in refused} == {"refund_exceeds_payment"}
    assert all(each.details["refundable"] in (1.0, 4.0, 7.0) for each in refused)
    assert returned(till) == (await payment(till, order))["refunded"] == 900


async def test_all_that_is_left_asked_for_twice_at_once(till: Paying) -> None:
    order = await paid(till)
    results = await asyncio.gather(
        refund(till, order, "refund-1"), refund(till, order, "refund-2"), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in results) == ["Problem", "dict"]
    assert returned(till) == 130992


@pytest.mark.parametrize("amount", [0, -1, 130993])
async def test_an_amount_that_cannot_be(till: Paying, amount: int) -> None:
    order = await paid(till)
    with pytest.raises(Problem) as refused:
        await refund(till, order, amount=amount)
    assert refused.value.rule == "refund_exceeds_payment"


async def test_what_was_not_paid_is_not_refunded(till: Paying) -> None:
    order = payable()
    with pytest.raises(Problem) as nothing:
        await refund(till, order)
    assert nothing.value.status == 404
    await process.prepare(till.services, order, cause())
    with pytest.raises(Problem) as unpaid:
        await refund(till, order)
    assert (unpaid.value.status, unpaid.value.rule) == (409, "order_state_invalid")


@pytest.mark.parametrize("effect", ["reset_before", "reset_after"])
async def test_in_doubt_it_stays_requested_and_goes_on(till: Paying, effect: str) -> None:
    order = await paid(till)
    till.stripe.faults.add(Fault(effect, on="refunds.create", times=2))
    till.stripe.faults.add(Fault("reset_before", on="refunds.list", times=100))
    with pytest.raises(PartnerUnavailable):
        await refund(till, order, amount=130000)
    held = await payment(till, order)
    assert (held["refund_held"], held["refunded"], held["status"]) == (130000, 0, "succeeded")
    with pytest.raises(Problem):  # it counts already
        await refund(till, order, "refund-2", amount=1000)
    till.stripe.faults.clear()
    assert (await refund(till, order, amount=130000))["status"] == "succeeded"
    assert returned(till) == 130000
    assert await event_names(till.services, order.order_id) == ["PaymentProcessed", "RefundProcessed"]


async def test_what_was_left_requested_is_reconciled(till: Paying) -> None:
    order = await paid(till)
    till.stripe.faults.add(Fault("reset_before", on="refunds.create", times=2))
    till.stripe.faults.add(Fault("reset_before", on="refunds.list", times=100))
    with pytest.raises(PartnerUnavailable):
        await refund(till, order, amount=15000)
    till.stripe.faults.clear()
    assert await reconcile(till.services, "job-1") == 0  # it is young
    await till.services.gateway.retrieve((await payment(till, order))["id"])  # the breaker sees that Stripe is back
    till.running.clock.advance(minutes=2)
    till.stripe.faults.add(Fault("reset_before", times=100))
    assert await reconcile(till.services, "job-2") == 0  # nobody to ask
    till.stripe.faults.clear()
    assert await reconcile(till.services, "job-3") == 1
    assert (await payment(till, order))["refunded"] == 15000
    assert await reconcile(till.services, "job-4") == 0


async def test_the_worker_reconciles_by_itself(till: Paying, monkeypatch: pytest.MonkeyPatch) -> None:
    order = await paid(till, "pm_card_pendingRefund")
    pending = await refund(till, order, amount=15000)
    till.stripe.settle_refund(pending["stripe_id"], "succeeded")
    till.running.clock.advance(minutes=2)
    # As if the process that had the lease were gone.
    await till.services.store.write("leases", Delete("payments"), partition="jobs")
    monkeypatch.setattr(worker, "RECONCILE_SECONDS", 0.05)
    jobs = worker.jobs_of(till.services, {})
    for job in jobs:
        job.start()

    async def settled() -> bool:
        return bool((await store.read(till.services.store, order.order_id, "refund-1") or {})["status"] == "succeeded")

    await eventually(settled)
    for job in jobs:
        await job.stop()


async def test_without_partners_nothing_is_asked_of_them(tmp_path: Path, redis_url: str) -> None:
    async with running_app(tmp_path, redis_url) as running:
        running.services.carriers = None
        assert [type(job) for job in worker.jobs_of(running.services, {})] == [Watchdog, LeasedJob]


async def test_a_pending_refund_and_a_payment_in_the_works_are_reconciled(till: Paying) -> None:
    order = await paid(till, "pm_card_pendingRefund")
    pending = await refund(till, order, amount=15000)
    assert pending["status"] == "pending"
    other = payable()
    intent_id = (await process.prepare(till.services, other, cause())).payment["id"]
    await process.confirm(till.services, other.order_id, intent_id, cause(), method_id="pm_card_authenticationRequired")
    till.stripe.authenticate(intent_id, "processing")
    await process.confirm(till.services, other.order_id, intent_id, cause())
    till.stripe.authenticate(intent_id)
    till.stripe.settle_refund(pending["stripe_id"], "succeeded")
    till.running.clock.advance(minutes=2)
    assert await reconcile(till.services, "job-1") == 2
    assert (await store.read(till.services.store, order.order_id, "refund-1") or {})["status"] == "succeeded"
    assert (await payment(till, other))["status"] == "succeeded"


async def test_paid_in_the_browser_and_never_told(till: Paying) -> None:
    """The webhook is lost: the payment seems to wait for the customer, and is asked about all the same."""
    orders = [payable(), payable()]
    for order, method in zip(orders, ("pm_card_visa", "pm_card_authenticationRequired"), strict=True):
        intent_id = (await process.prepare(till.services, order, cause())).payment["id"]
        if method == "pm_card_authenticationRequired":
            await process.confirm(till.services, order.order_id, intent_id, cause(), method_id=method)
            till.stripe.authenticate(intent_id)
        else:
            confirm_intent(till.stripe.account, {"payment_method": method, "return_url": "http://127.0.0.1"}, intent_id)
    assert [(await payment(till, order))["status"] for order in orders] == ["created", "requires_action"]
    till.running.clock.advance(minutes=2)
    assert await reconcile(till.services, "job-1") == 2
    for order in orders:
        assert (await payment(till, order))["status"] == "succeeded"
        assert await event_names(till.services, order.order_id) == ["PaymentProcessed"]
    assert await reconcile(till.services, "job-2") == 0


async def test_what_cannot_be_reconciled_stops_no_turn(till: Paying) -> None:
    """A refund that breaks the code, as KWD did at Stripe's rounding: those after it have their turn."""
    orders = [await paid(till, "pm_card_pendingRefund") for _ in range(3)]
    made = [await refund(till, order, f"refund-{at}", amount=15000) for at, order in enumerate(orders)]
    broken = Patch("refund-0", sets={"status": "requested", "currency": "KWD", "amount": 15001})
    await till.services.store.write(store.CONTAINER, broken, partition=orders[0].order_id)
    till.stripe.account.state.forget("refund", made[0]["stripe_id"])
    nameless = Patch("refund-1", removes=("correlation_id",))
    await till.services.store.write(store.CONTAINER, nameless, partition=orders[1].order_id)
    till.stripe.settle_refund(made[2]["stripe_id"], "succeeded")
    till.running.clock.advance(minutes=2)
    before = till.services.room(Rounds).failed
    assert await reconcile(till.services, "job-1") == 1
    assert till.services.room(Rounds).failed == before + 2
    assert (await store.read(till.services.store, orders[2].order_id, "refund-2") or {})["status"] == "succeeded"
    for at in (0, 1):  # out of the way of the other tests
        gone = Patch(f"refund-{at}", sets={"status": "failed"})
        await till.services.store.write(store.CONTAINER, gone, partition=orders[at].order_id)


async def test_what_hangs_for_days_does_not_hold_up_the_others(till: Paying, monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn asks about one: two refunds whose bank takes its time, one whose payment Stripe does not know any more."""
    monkeypatch.setattr(reconciling, "LIMIT", 1)
    orders = [await paid(till, "pm_card_pendingRefund") for _ in range(4)]
    made = [await refund(till, order, f"refund-{at}", amount=15000) for at, order in enumerate(orders)]
    lost = await payment(till, orders[2])
    till.stripe.account.state.forget("payment_intent", lost["id"])
    await till.services.store.write(
        store.CONTAINER, Patch(lost["id"], sets={"status": "processing"}), partition=orders[2].order_id
    )
    till.stripe.settle_refund(made[3]["stripe_id"], "succeeded")
    till.running.clock.advance(minutes=2)
    for turn in range(4):
        await reconcile(till.services, f"job-{turn}")
    last = await store.read(till.services.store, orders[3].order_id, "refund-3")
    assert last is not None
    assert last["status"] == "succeeded"
    # After the youngest it begins anew.
    till.stripe.settle_refund(made[0]["stripe_id"], "succeeded")
    for turn in range(4):
        await reconcile(till.services, f"job-again-{turn}")
    first = await store.read(till.services.store, orders[0].order_id, "refund-0")
    assert first is not None
    assert first["status"] == "succeeded"


async def test_a_refund_that_fails_at_the_bank_comes_back(till: Paying) -> None:
    order = await paid(till)
    made = await refund(till, order, amount=130992)
    till.stripe.settle_refund(made["stripe_id"], "failed")
    await refunds.sync(till.services, await payment(till, order), cause())
    after = await payment(till, order)
    assert (after["status"], after["refunded"], after["refund_held"]) == ("succeeded", 0, 0)
    assert (await refund(till, order, "refund-2", amount=130992))["status"] == "succeeded"


async def test_a_refund_made_at_stripes_own_pages_counts(till: Paying) -> None:
    order = await paid(till)
    intent_id = (await payment(till, order))["id"]
    made = create_refund(till.stripe.account, {"payment_intent": intent_id, "amount": "100000"})
    # We do not know of it yet, and Stripe refuses what goes beyond; from now on we do, and nothing else stays held.
    with pytest.raises(Problem) as over:
        await refund(till, order, amount=130992)
    assert over.value.rule == "refund_exceeds_payment"
    assert (await payment(till, order))["refund_held"] == 100000
    for _ in range(2):
        await refunds.sync(till.services, await payment(till, order), cause())
    after = await payment(till, order)
    assert (after["refunded"], after["refund_held"], after["status"]) == (100000, 100000, "partially_refunded")
    adopted = await store.read(till.services.store, order.order_id, made["id"])
    assert adopted is not None
    assert (adopted["amount"], adopted["status"]) == (100000, "succeeded")


async def test_what_the_provider_does_not_refund(till: Paying) -> None:
    order = await paid(till)
    charge = till.stripe.account.state.all("charge")[-1]
    till.stripe.account.state.put(charge | {"paid": False})
    with pytest.raises(Problem) as refused:
        await refund(till, order, amount=100)
    assert refused.value.rule == "order_state_invalid"
    failed = await store.read(till.services.store, order.order_id, "refund-1")
    assert failed is not None
    assert failed["status"] == "failed"
    assert (await refund(till, order, amount=100))["status"] == "failed"

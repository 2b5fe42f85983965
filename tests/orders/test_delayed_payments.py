"""Payments that are settled after days: the order waits for them, is paid or may be paid otherwise, and never both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from handlers.orders.saga import PAYMENT_PENDING
from handlers.orders.watchdog import Watchdog
from handlers.payments.check_overdue import check_overdue
from handlers.payments.reconcile import reconcile
from handlers.platform.clock import moment
from infra.local.stripe.faults import Fault
from tests.orders.tales import BOUGHT, Story, story
from tests.orders.test_process import document
from tests.payments.test_operations import confirm, prepared
from tests.support.app import time_passes
from tests.support.shop import Shop
from tests.support.wait import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]


@pytest_asyncio.fixture(loop_scope="session")
async def dog(market: Shop) -> AsyncIterator[Watchdog]:
    """A watchdog that looks when the test says so, beside the application's own."""
    yield Watchdog(market.services, check_payment=check_overdue)


async def looked_at(market: Shop, dog: Watchdog, tale: Story) -> Json:
    """The order after the watchdog has looked at it."""
    order = tale.order
    user_id = (await document(market, order))["user_id"]
    await dog.look({"order_id": order["order_id"], "user_id": user_id, "promo_code": None})
    return await document(market, order)


async def debited(market: Shop, token: str) -> tuple[Story, Json]:
    """An order that is paid by a bank debit in the browser; and its intent."""
    tale = await story(market)
    await tale.reaches("awaiting_payment")
    intent = await prepared(tale.shopper, tale.order)
    await tale.pays_in_browser(intent, token)
    return tale, intent


async def is_pending(tale: Story) -> bool:
    """Whether the order knows that its payment is under way."""
    return bool((await tale.seen())["payment_status"] == "processing")


async def test_a_bank_debit_is_waited_for_and_pays(market: Shop, dog: Watchdog) -> None:
    tale, intent = await debited(market, "pm_usBankAccount_success")
    await eventually(lambda: is_pending(tale))
    seen = await tale.seen()
    assert seen["status"] == "awaiting_payment"
    assert "payment_due_at" not in seen
    assert await tale.told("PaymentPending") == 1
    # Half an hour and some days later it is still waited for, and its stock is held.
    before = market.running.clock.shift
    try:
        for wait in ({"minutes": 31}, {"days": 6}, {"days": 10}):
            time_passes(market.running, **wait)
            assert (await looked_at(market, dog, tale))["status"] == "awaiting_payment"
        # Beyond what any method takes the provider is asked, and the order waits on.
        time_passes(market.running, days=6)
        later = await looked_at(market, dog, tale)
        assert later["status"] == "awaiting_payment"
        assert moment(later["deadline_at"]) - market.running.clock.now() > PAYMENT_PENDING - timedelta(minutes=5)
        await tale.books(sold=0, held=BOUGHT, taken=0, used=True)
    finally:
        market.running.clock.shift = before
    market.stripe.authenticate(intent["payment_intent_id"])
    await tale.reaches("processing")
    await tale.books(sold=BOUGHT, taken=tale.total, used=True)
    assert await tale.told("PaymentPending") == 1


async def test_a_bank_debit_that_fails_leaves_the_usual_time_for_another_method(market: Shop) -> None:
    tale, intent = await debited(market, "pm_usBankAccount_insufficientFunds")
    await eventually(lambda: is_pending(tale))
    market.stripe.authenticate(intent["payment_intent_id"])

    async def refused() -> bool:
        return bool((await tale.seen())["payment_status"] == "failed")

    await eventually(refused)
    seen = await tale.seen()
    assert seen["status"] == "awaiting_payment"
    assert moment(seen["payment_due_at"]) - market.running.clock.now() <= timedelta(minutes=30)
    assert (await confirm(tale.shopper, intent)).status_code == 200
    await tale.reaches("processing")
    await tale.books(sold=BOUGHT, taken=tale.total, used=True)


async def test_a_debit_nobody_told_of_is_found_at_the_deadline(market: Shop, dog: Watchdog) -> None:
    """The webhook is lost: the provider is asked before the order ends, and holds the payment."""
    market.stripe.webhooks.faults.add(Fault("lost", on="payment_intent.processing"))
    tale, intent = await debited(market, "pm_usBankAccount_success")
    before = market.running.clock.shift
    try:
        time_passes(market.running, minutes=31)
        found = await looked_at(market, dog, tale)
    finally:
        market.running.clock.shift = before
    assert (found["status"], found["payment_status"]) == ("awaiting_payment", "processing")
    # And while it lasts, reconciliation asks again.
    market.stripe.webhooks.faults.add(Fault("lost", on="payment_intent.succeeded"))
    market.stripe.authenticate(intent["payment_intent_id"])
    market.running.clock.advance(minutes=2)
    await reconcile(market.services, "job-1")
    await tale.reaches("processing")
    await tale.books(sold=BOUGHT, taken=tale.total, used=True)


async def test_cancelled_while_the_debit_is_under_way(market: Shop) -> None:
    """The customer cancels; what the bank sends all the same goes back."""
    tale, intent = await debited(market, "pm_usBankAccount_success")
    await eventually(lambda: is_pending(tale))
    assert (await tale.cancel()).status_code == 200
    await tale.reaches("cancelled")
    market.stripe.authenticate(intent["payment_intent_id"])
    await market.stripe.webhooks.idle()
    await tale.books(sold=0, taken=0, used=False)

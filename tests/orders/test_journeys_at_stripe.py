"""Journeys that end or turn at Stripe, by its own rules or in its dashboard, and the books after each."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.platform.store.port import Eq, Query, Sort
from infra.local.stripe.faults import Fault
from tests.orders.tales import BOUGHT, Story, story
from tests.orders.test_process import sent
from tests.payments.test_operations import confirm, prepare, prepared, refund
from tests.shipments.test_operations import moved
from tests.support.people import rule_of
from tests.support.shop import Shop
from tests.support.wait import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]


# --- ended at Stripe, by its own rules or in its dashboard
@pytest.mark.parametrize("effect", ["none", "late", "duplicate"])
@pytest.mark.parametrize("declined", [False, True])
async def test_the_payment_ends_at_stripe(market: Shop, effect: str, declined: bool) -> None:
    if effect != "none":
        market.stripe.webhooks.faults.add(Fault(effect, on="payment_intent.canceled", seconds=0.2))
    tale = await story(market)
    intent = await prepared(tale.shopper, tale.order)
    if declined:
        assert (await confirm(tale.shopper, intent, "pm_card_visa_chargeDeclined")).status_code == 422
    market.stripe.end_intent(intent["payment_intent_id"])
    ended = await tale.reaches("cancelled")
    assert (ended["cancellation"]["reason"], ended["cancellation"]["cancelled_by"]) == ("payment_cancelled", "system")
    assert ended["payment_status"] == "cancelled"
    await market.stripe.webhooks.idle()
    await tale.books(sold=0, taken=0, used=False)
    refused = await confirm(tale.shopper, intent)
    assert (refused.status_code, rule_of(refused)) == (409, "order_state_invalid")
    assert await tale.told("PaymentFailed") == 1
    assert [each["event_type"] for each in await sent(market, tale.order)].count("OrderCancelled") == 1


@pytest.mark.parametrize("ask", ["confirm", "prepare"])
async def test_the_payment_ended_at_stripe_and_nobody_told(market: Shop, ask: str) -> None:
    """The webhook is lost: whoever asks for the payment next finds out."""
    market.stripe.webhooks.faults.add(Fault("lost", on="payment_intent.canceled"))
    tale = await story(market)
    intent = await prepared(tale.shopper, tale.order)
    market.stripe.end_intent(intent["payment_intent_id"], "requested_by_customer")
    asked = await (confirm(tale.shopper, intent) if ask == "confirm" else prepare(tale.shopper, tale.order))
    assert (asked.status_code, rule_of(asked)) == (409, "order_state_invalid")
    assert (await tale.reaches("cancelled"))["cancellation"]["reason"] == "payment_cancelled"
    await tale.books(sold=0, taken=0, used=False)


async def test_the_customer_cancels_while_the_payment_ends_at_stripe(market: Shop) -> None:
    market.stripe.webhooks.faults.add(Fault("late", on="payment_intent.canceled", seconds=0.3))
    tale = await story(market)
    intent = await prepared(tale.shopper, tale.order)
    market.stripe.end_intent(intent["payment_intent_id"])
    assert (await tale.cancel()).status_code == 200
    await market.stripe.webhooks.idle()
    await tale.books(sold=0, taken=0, used=False)
    assert (await tale.seen())["cancellation"]["reason"] == "customer_request"


# --- refunded in Stripe's dashboard
async def intent_of(tale: Story) -> str:
    """The payment intent of a paid order."""
    return str((await tale.reaches("processing"))["payment"]["payment_intent_id"])


async def told_people(tale: Story, action: str) -> list[Json]:
    """What the audit log says of the payment to administrators."""
    found: list[Json] = []
    entity = (await tale.seen())["payment"]["payment_intent_id"]
    query = Query("audit_logs", where=Eq("entity_id", entity), sort=(Sort("timestamp"),), purpose="admin_audit")

    async def there() -> bool:
        nonlocal found
        entries = (await tale.shop.services.store.query(query)).items
        found = [each.data for each in entries if each.data["action"] == action]
        return bool(found)

    await eventually(there)
    return found


async def test_a_part_is_returned_in_the_dashboard_and_comes_back(market: Shop) -> None:
    tale = await story(market, card="pm_card_visa")
    made = market.stripe.refund_in_dashboard(await intent_of(tale), 1000)
    await tale.books(sold=BOUGHT, taken=tale.total - 1000, used=True)

    async def noted() -> bool:
        return bool((await tale.seen())["payment_status"] == "partially_refunded")

    await eventually(noted)
    over = await refund(market, tale.order, amount=tale.total / 100)
    assert (over.status_code, rule_of(over)) == (422, "refund_exceeds_payment")
    # The customer's bank does not take it. Stripe's message names no order, for it was not made by us.
    market.stripe.settle_refund(made["id"], "failed")
    await market.stripe.webhooks.idle()
    await tale.books(sold=BOUGHT, taken=tale.total, used=True)
    (entry,) = await told_people(tale, "refund_failed")
    assert (entry["actor_type"], entry["changes"]["status"]["after"]) == ("system", "failed")
    await paid_again(tale, "paid")
    assert (await tale.seen())["status"] == "processing"


async def paid_again(tale: Story, payment_status: str) -> None:
    """Waits until the order says so of its payment."""

    async def there() -> bool:
        return bool((await tale.seen())["payment_status"] == payment_status)

    await eventually(there)


async def test_the_refund_of_a_cancelled_order_comes_back(market: Shop) -> None:
    tale = await story(market, card="pm_card_visa")
    intent = await intent_of(tale)
    assert (await tale.cancel()).status_code == 200
    await paid_again(tale, "refunded")
    (made,) = market.stripe.account.state.all("refund", payment_intent=intent)
    market.stripe.settle_refund(made["id"], "failed")
    # It is owed still, and the order says so until staff have returned it.
    await paid_again(tale, "refund_pending")
    await tale.books(sold=0, taken=tale.total, used=False)
    assert (await refund(market, tale.order)).status_code == 201
    await paid_again(tale, "refunded")
    await tale.books(sold=0, taken=0, used=False)


async def test_of_two_refunds_one_comes_back(market: Shop) -> None:
    tale = await story(market, card="pm_card_visa")
    parcel = await tale.parcel()
    intent = await intent_of(tale)
    for status in ("picked_up", "delivered"):
        await moved(market, parcel, status)
    await tale.reaches("completed")
    for amount in (10.0, 20.0):
        assert (await refund(market, tale.order, amount=amount)).status_code == 201
    await tale.books(sold=BOUGHT, taken=tale.total - 3000, used=True)
    made = {each["amount"]: each["id"] for each in market.stripe.account.state.all("refund", payment_intent=intent)}
    market.stripe.settle_refund(made[1000], "failed")
    await tale.books(sold=BOUGHT, taken=tale.total - 2000, used=True)
    await paid_again(tale, "partially_refunded")
    # The rest goes too, and of that some comes back: the goods are with the customer, some money is owed.
    assert (await refund(market, tale.order)).status_code == 201
    await tale.reaches("refunded")
    market.stripe.settle_refund(made[2000], "failed")
    await paid_again(tale, "refund_pending")
    assert (await tale.seen())["status"] == "refunded"
    assert (await refund(market, tale.order)).status_code == 201
    await paid_again(tale, "refunded")
    await tale.books(sold=BOUGHT, taken=0, used=True)


async def test_everything_is_returned_in_the_dashboard(market: Shop) -> None:
    market.stripe.webhooks.faults.add(Fault("duplicate", on="charge.refunded"))
    tale = await story(market, card="pm_card_visa")
    market.stripe.refund_in_dashboard(await intent_of(tale))
    ended = await tale.reaches("cancelled")
    assert (ended["payment_status"], ended["cancellation"]["cancelled_by"]) == ("refunded", "system")
    await market.stripe.webhooks.idle()
    assert await tale.told("RefundProcessed") == 1
    await tale.books(sold=0, taken=0, used=False)


@pytest.mark.parametrize("cents", [1000, None])
async def test_cancelled_after_the_dashboard_has_returned_and_nobody_told(market: Shop, cents: int | None) -> None:
    tale = await story(market, card="pm_card_visa")
    intent = await intent_of(tale)
    for kind in ("charge.refunded", "refund.created"):
        market.stripe.webhooks.faults.add(Fault("lost", on=kind))
    market.stripe.refund_in_dashboard(intent, cents)
    assert (await tale.cancel()).json()["payment_status"] == "refund_pending"

    async def returned() -> bool:
        return bool((await tale.seen())["payment_status"] == "refunded")

    await eventually(returned)
    await tale.books(sold=0, taken=0, used=False)
    market.stripe.webhooks.faults.clear()


async def test_staff_return_more_than_the_dashboard_has_left(market: Shop) -> None:
    tale = await story(market, card="pm_card_visa")
    intent = await intent_of(tale)
    for kind in ("charge.refunded", "refund.created"):
        market.stripe.webhooks.faults.add(Fault("lost", on=kind))
    market.stripe.refund_in_dashboard(intent, 1000)
    over = await refund(market, tale.order, amount=tale.total / 100)
    assert (over.status_code, rule_of(over)) == (422, "refund_exceeds_payment")
    assert over.json()["error"]["details"]["refundable"] == (tale.total - 1000) / 100
    market.stripe.webhooks.faults.clear()
    assert (await tale.seen())["status"] in ("paid", "processing")  # what was refused has ended nothing
    rest = await refund(market, tale.order)
    assert rest.status_code == 201, rest.text
    await tale.reaches("cancelled")
    await tale.books(sold=0, taken=0, used=False)


async def test_a_payment_is_disputed(market: Shop) -> None:
    market.stripe.webhooks.faults.add(Fault("duplicate", on="charge.dispute.created"))
    tale = await story(market, card="pm_card_visa")
    dispute = market.stripe.dispute(await intent_of(tale))
    await market.stripe.webhooks.idle()
    (entry,) = await told_people(tale, "payment_disputed")
    assert entry["changes"]["dispute_id"]["after"] == dispute["id"]
    assert entry["changes"]["order_id"]["after"] == tale.order["order_id"]
    assert (await tale.seen())["payment_status"] == "paid"
    refused = await refund(market, tale.order)
    assert (refused.status_code, rule_of(refused)) == (409, "order_state_invalid")
    await tale.books(sold=BOUGHT, taken=tale.total, used=True)

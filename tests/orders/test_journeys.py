"""Whole journeys of shoppers, and the books at the end of each: stock, money and the use of the promo code agree with
what became of the order. Stripe's webhooks arrive over a socket.

The journeys that wait for a deadline come last: they move the clock of their shop, and never back.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from handlers.inventory import reservations
from handlers.payments import process
from handlers.payments.events import payable_of
from handlers.payments.rules import Cause
from handlers.pricing.shipping import ShippingTable
from infra.local.stripe.faults import Fault
from infra.local.stripe.wire import Refusal
from tests.flows.test_journey import saved
from tests.orders.tales import BOUGHT, ON_HAND, Story, story
from tests.orders.test_orders import ordered
from tests.orders.test_process import document, sent, until
from tests.payments.test_operations import confirm, prepare, prepared, refund
from tests.shipments.test_operations import moved
from tests.support.app import time_passes
from tests.support.people import rule_of
from tests.support.shop import Shop
from tests.support.shopper import Shopper, customer, guest, promotion
from tests.support.wait import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]


# --- paid
async def test_a_guest_buys_with_a_new_card_and_gets_the_goods(market: Shop) -> None:
    tale = await story(market, shopper=await guest(market))
    intent = await prepared(tale.shopper, tale.order)
    assert (await confirm(tale.shopper, intent)).json()["status"] == "succeeded"
    parcel = await tale.parcel()
    stranger = Shopper(market)
    path = f"/api/orders/{tale.order['order_id']}"
    assert (await stranger.call("GET", path)).status_code == 404
    assert (await stranger.call("GET", f"{path}?email={tale.email}")).json()["status"] == "processing"
    for status in ("picked_up", "out_for_delivery", "delivered"):
        await moved(market, parcel, status)
    ended = await tale.reaches("completed")
    assert (ended["payment_status"], ended["fulfillment_status"]) == ("paid", "delivered")
    await tale.books(sold=BOUGHT, taken=tale.total, used=True)


async def test_the_bank_wants_authentication(market: Shop) -> None:
    tale = await story(market)
    intent = await prepared(tale.shopper, tale.order)
    asked = await confirm(tale.shopper, intent, "pm_card_authenticationRequired")
    assert (asked.status_code, rule_of(asked)) == (422, "payment_authentication_required")
    assert (await tale.seen())["status"] == "awaiting_payment"
    await tale.books(sold=0, held=BOUGHT, taken=0, used=True)
    market.stripe.authenticate(intent["payment_intent_id"])
    assert (await confirm(tale.shopper, intent, None)).json()["status"] == "succeeded"
    await tale.reaches("processing")
    await tale.books(sold=BOUGHT, taken=tale.total, used=True)


async def test_the_webhook_comes_before_the_confirmation(market: Shop) -> None:
    tale = await story(market)
    intent = await prepared(tale.shopper, tale.order)
    await tale.pays_in_browser(intent)
    await tale.reaches("processing")
    late = await confirm(tale.shopper, intent, None)
    assert (late.status_code, late.json()["status"]) == (200, "succeeded")
    assert await tale.told("PaymentProcessed") == 1
    await tale.books(sold=BOUGHT, taken=tale.total, used=True)


@pytest.mark.parametrize("effect", ["late", "duplicate", "reordered", "lost"])
async def test_the_confirmation_comes_before_the_webhook(market: Shop, effect: str) -> None:
    market.stripe.webhooks.faults.add(Fault(effect, on="payment_intent.succeeded", seconds=0.3))
    tale = await story(market)
    assert (await confirm(tale.shopper, await prepared(tale.shopper, tale.order))).status_code == 200
    await tale.reaches("processing")
    await market.stripe.webhooks.idle()
    assert (await tale.seen())["status"] == "processing"
    assert await tale.told("PaymentProcessed") == 1
    await tale.books(sold=BOUGHT, taken=tale.total, used=True)


# --- not paid
async def declined_story(market: Shop) -> Story:
    """An order whose saved card was declined."""
    tale = await story(market, card="pm_card_chargeCustomerFail")

    async def declined() -> bool:
        return bool((await tale.seen())["payment_status"] == "failed")

    await eventually(declined)
    return tale


async def test_a_declined_saved_card_loses_nothing(market: Shop) -> None:
    """Neither the order nor its goods nor its code: a new card pays the same intent."""
    tale = await declined_story(market)
    seen = await tale.reaches("awaiting_payment")
    assert seen["payment"]["failure_message"]
    assert seen["payment_due_at"]
    await tale.books(sold=0, held=BOUGHT, taken=0, used=True)
    intent = await prepared(tale.shopper, tale.order)
    assert intent["payment_intent_id"] == seen["payment"]["payment_intent_id"]
    assert (await confirm(tale.shopper, intent, "pm_card_visa")).status_code == 200
    paid = await tale.reaches("processing")
    assert (paid["payment_status"], "failure_message" in paid["payment"]) == ("paid", False)
    await tale.books(sold=BOUGHT, taken=tale.total, used=True)


async def test_another_saved_card_pays_after_a_declined_one(market: Shop) -> None:
    tale = await declined_story(market)
    intent = await prepared(tale.shopper, tale.order)
    other = (await saved(tale.shopper, "pm_card_mastercard"))["payment_method_id"]
    body = {"payment_intent_id": intent["payment_intent_id"], "payment_method_id": other}
    for not_theirs in (body | {"payment_method_id": "pm-nobodys"}, body | {"payment_method": "pm_card_visa"}):
        refused = await tale.shopper.call("POST", "/api/payments/confirm", not_theirs)
        assert (refused.status_code, rule_of(refused)) == (422, "payment_method_invalid")
    paid = await tale.shopper.call("POST", "/api/payments/confirm", body)
    assert (paid.status_code, paid.json()["brand"]) == (200, "Mastercard")
    await tale.reaches("processing")
    await tale.books(sold=BOUGHT, taken=tale.total, used=True)


async def test_a_saved_card_that_was_removed_meanwhile_loses_nothing(
    market: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock = asyncio.Event()
    reserve = reservations.reserve

    async def later(*given: Any) -> None:
        await stock.wait()
        await reserve(*given)

    monkeypatch.setattr(reservations, "reserve", later)
    tale = await story(market, card="pm_card_visa")
    for each in (await tale.shopper.call("GET", "/api/users/me/payment-methods")).json()["items"]:
        gone = await tale.shopper.call("DELETE", f"/api/users/me/payment-methods/{each['payment_method_id']}")
        assert gone.status_code == 204
    stock.set()

    async def declined() -> bool:
        seen = await tale.seen()
        return (seen["status"], seen["payment_status"]) == ("awaiting_payment", "failed")

    await eventually(declined)
    assert (await confirm(tale.shopper, await prepared(tale.shopper, tale.order))).status_code == 200
    await tale.reaches("processing")
    await tale.books(sold=BOUGHT, taken=tale.total, used=True)


async def test_ten_failed_attempts_end_an_order(market: Shop) -> None:
    tale = await declined_story(market)
    intent = await prepared(tale.shopper, tale.order)
    for left in range(8, -1, -1):
        declined = await confirm(tale.shopper, intent, "pm_card_visa_chargeDeclined")
        assert (declined.status_code, rule_of(declined)) == (422, "payment_declined")
        assert declined.json()["error"]["details"]["attempts_left"] == left
    refused = await confirm(tale.shopper, intent, "pm_card_visa")
    assert (refused.status_code, rule_of(refused)) == (422, "payment_attempts_exceeded")
    await tale.reaches("payment_failed")
    late = await prepare(tale.shopper, tale.order)
    assert (late.status_code, rule_of(late)) == (422, "payment_attempts_exceeded")
    await tale.books(sold=0, taken=0, used=False)


async def test_a_new_card_is_declined_and_another_pays(market: Shop) -> None:
    tale = await story(market)
    intent = await prepared(tale.shopper, tale.order)
    declined = await confirm(tale.shopper, intent, "pm_card_visa_chargeDeclined")
    assert (declined.status_code, rule_of(declined)) == (422, "payment_declined")
    await tale.books(sold=0, held=BOUGHT, taken=0, used=True)
    with pytest.raises(Refusal):
        await tale.pays_in_browser(intent, "pm_card_visa_chargeDeclined")
    assert (await confirm(tale.shopper, intent, "pm_card_mastercard")).status_code == 200
    await tale.reaches("processing")
    await tale.books(sold=BOUGHT, taken=tale.total, used=True)


async def test_the_browser_names_another_amount(market: Shop) -> None:
    tale = await story(market)
    refused = await prepare(tale.shopper, tale.order, amount=1.0)
    assert (refused.status_code, rule_of(refused)) == (422, "amount_mismatch")
    await tale.books(sold=0, held=BOUGHT, taken=0, used=True)


async def test_two_want_the_last_units(market: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    both_ordered = asyncio.Event()
    reserve = reservations.reserve

    async def later(*given: Any) -> None:
        await both_ordered.wait()
        await reserve(*given)

    monkeypatch.setattr(reservations, "reserve", later)
    first = await story(market, quantity=ON_HAND - 1)
    rival = await customer(market)
    await rival.has(first.product, BOUGHT)
    code = await promotion(market, "percentage", 10, once_per_customer=True)
    answer = await ordered(rival, promo_code=code)
    assert answer.status_code == 201, answer.text
    second = Story(market, rival, first.product, code, answer.json(), "")
    both_ordered.set()
    orders = [first, second]

    async def decided() -> bool:
        return all([(await document(market, each.order))["status"] != "pending" for each in orders])

    await eventually(decided)
    outcomes = {(await each.seen())["status"]: each for each in orders}
    assert set(outcomes) == {"awaiting_payment", "cancelled"}
    loser, winner = outcomes["cancelled"], outcomes["awaiting_payment"]
    assert (await loser.seen())["cancellation"]["reason"] == "out_of_stock"
    held = ON_HAND - 1 if winner is first else BOUGHT
    await winner.books(sold=0, held=held, taken=0, used=True)
    await loser.books(sold=0, held=held, taken=0, used=False)
    assert rule_of(await prepare(loser.shopper, loser.order)) == "order_state_invalid"


async def test_the_order_is_young_when_a_card_is_declined(market: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stripe tells of the decline before the stock has spoken: the order waits for it, and then for another card."""
    stock = asyncio.Event()
    reserve = reservations.reserve

    async def later(*given: Any) -> None:
        await stock.wait()
        await reserve(*given)

    monkeypatch.setattr(reservations, "reserve", later)
    tale = await story(market)
    payable = payable_of(await document(market, tale.order))
    made = await process.prepare(market.services, payable, Cause("request-of-a-test"))
    intent = {"payment_intent_id": made.payment["id"]}
    with pytest.raises(Refusal):
        await tale.pays_in_browser(intent, "pm_card_visa_chargeDeclined")
    await market.stripe.webhooks.idle()
    assert (await tale.seen())["status"] == "pending"
    stock.set()
    await tale.reaches("awaiting_payment")
    assert (await confirm(tale.shopper, intent, "pm_card_visa")).status_code == 200
    await tale.reaches("processing")
    assert await tale.told("PaymentFailed") == 0
    await tale.books(sold=BOUGHT, taken=tale.total, used=True)


# --- paid, and no parcel
async def test_no_carrier_takes_what_was_paid(market: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables have changed since the order: what a carrier took then, none takes now."""
    monkeypatch.setattr(ShippingTable, "choose_carrier", lambda *_: "too_heavy")
    tale = await story(market, card="pm_card_visa")
    ended = await tale.reaches("cancelled")
    assert ended["cancellation"]["reason"] == "no_carrier"
    await tale.books(sold=0, taken=0, used=False)

    async def returned() -> bool:
        return bool((await tale.seen())["payment_status"] == "refunded")

    await eventually(returned)


# --- cancelled
async def test_cancelled_before_it_is_paid(market: Shop) -> None:
    tale = await story(market)
    await tale.reaches("awaiting_payment")
    intent = await prepared(tale.shopper, tale.order)
    assert (await tale.cancel()).json()["payment_status"] == "cancelled"
    await tale.books(sold=0, taken=0, used=False)

    async def closed() -> bool:
        found = market.stripe.account.state.get("payment_intent", intent["payment_intent_id"])
        return bool(found["status"] == "canceled")

    await eventually(closed)
    assert (await confirm(tale.shopper, intent)).status_code == 409
    # Stripe tells of the end that we have made ourselves; it is no other end.
    await market.stripe.webhooks.idle()
    assert await tale.told("PaymentFailed") == 0


async def test_cancelled_while_the_money_is_on_its_way(market: Shop) -> None:
    """The browser has paid, nobody has told the shop yet, and the customer cancels: the money goes back."""
    market.stripe.webhooks.faults.add(Fault("late", on="payment_intent.succeeded", seconds=0.5))
    tale = await story(market)
    await tale.reaches("awaiting_payment")
    await tale.pays_in_browser(await prepared(tale.shopper, tale.order))
    assert (await tale.cancel()).status_code == 200
    await market.stripe.webhooks.idle()
    await tale.books(sold=0, taken=0, used=False)
    assert (await tale.seen())["status"] == "cancelled"


async def test_cancelled_after_it_is_paid(market: Shop) -> None:
    tale = await story(market, card="pm_card_visa")
    await tale.reaches("processing")
    await tale.books(sold=BOUGHT, taken=tale.total, used=True)
    assert (await tale.cancel()).json()["payment_status"] == "refund_pending"
    await tale.books(sold=0, taken=0, used=False)
    assert rule_of(await tale.cancel()) == "order_not_cancellable"
    assert (await sent(market, tale.order))[-1]["event_type"] in ("OrderCancelled", "OrderUpdated")


async def test_cancelled_too_late(market: Shop) -> None:
    tale = await story(market, card="pm_card_visa")
    await moved(market, await tale.parcel(), "picked_up")
    await tale.reaches("shipped")
    refused = await tale.cancel()
    assert (refused.status_code, rule_of(refused)) == (409, "order_not_cancellable")
    await tale.books(sold=BOUGHT, taken=tale.total, used=True)


# --- refunded
async def test_a_part_comes_back_then_the_rest_and_never_more(market: Shop) -> None:
    tale = await story(market, card="pm_card_visa")
    parcel = await tale.parcel()
    for status in ("picked_up", "delivered"):
        await moved(market, parcel, status)
    await tale.reaches("completed")
    assert (await refund(market, tale.order, amount=10.0)).status_code == 201
    await tale.books(sold=BOUGHT, taken=tale.total - 1000, used=True)
    over = await refund(market, tale.order, amount=tale.total / 100)
    assert (over.status_code, rule_of(over)) == (422, "refund_exceeds_payment")

    async def noted() -> bool:
        return bool((await tale.seen())["payment_status"] == "partially_refunded")

    await eventually(noted)
    assert (await refund(market, tale.order)).status_code == 201
    await tale.reaches("refunded")
    # The goods stay with the customer: what comes back by post is a return.
    await tale.books(sold=BOUGHT, taken=0, used=True)
    assert rule_of(await refund(market, tale.order)) == "refund_exceeds_payment"


async def test_everything_comes_back_before_the_parcel_leaves(market: Shop) -> None:
    tale = await story(market, card="pm_card_visa")
    await tale.reaches("processing")
    assert (await refund(market, tale.order)).status_code == 201
    await tale.reaches("cancelled")

    async def returned() -> bool:
        return bool((await tale.seen())["payment_status"] == "refunded")

    await eventually(returned)
    await tale.books(sold=0, taken=0, used=False)


# --- deadlines: the clock moves on from here
async def later(shop: Shop, **by: float) -> None:
    """So much later: the watchdog of the application finds what is due by itself.

    No webhooks any more: Stripe's clock has not moved, and what is signed too long ago is refused.
    """
    await shop.stripe.webhooks.idle()
    shop.stripe.webhooks.endpoint = None
    time_passes(shop.running, **by)
    await shop.sign_in()


async def test_nobody_pays_in_time(market: Shop) -> None:
    tale = await story(market)
    await tale.reaches("awaiting_payment")
    intent = await prepared(tale.shopper, tale.order)
    assert (await confirm(tale.shopper, intent, "pm_card_visa_chargeDeclined")).status_code == 422
    await later(market, minutes=31)
    ended = await document(market, tale.order) | await until(market, tale.order, "cancelled")
    assert (ended["cancellation"]["reason"], ended["cancellation"]["cancelled_by"]) == ("payment_timeout", "system")
    await tale.books(sold=0, taken=0, used=False)


async def test_paid_in_the_last_moment_but_not_told(market: Shop) -> None:
    """The webhook is lost, the deadline passes: Stripe is asked before the order ends, and the order goes on."""
    market.stripe.webhooks.faults.add(Fault("lost", on="payment_intent.succeeded"))
    tale = await story(market)
    await tale.reaches("awaiting_payment")
    await tale.pays_in_browser(await prepared(tale.shopper, tale.order))
    await later(market, minutes=31)
    await tale.reaches("processing")
    await tale.books(sold=BOUGHT, taken=tale.total, used=True)


async def test_the_stock_is_silent(market: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    answered = asyncio.Event()
    reserve = reservations.reserve

    async def much_later(*given: Any) -> None:
        await answered.wait()
        await reserve(*given)

    monkeypatch.setattr(reservations, "reserve", much_later)
    tale = await story(market)
    await later(market, minutes=6)
    ended = await until(market, tale.order, "cancelled")
    assert ended["cancellation"]["reason"] == "process_timeout"
    # When it speaks after all, it holds nothing.
    answered.set()
    await tale.books(sold=0, taken=0, used=False)
    assert (await document(market, tale.order))["status"] == "cancelled"

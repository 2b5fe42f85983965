"""Whole journeys of shoppers, and the books at the end of each: stock, money and the use of the promo code agree with
what became of the order. Stripe's webhooks arrive over a socket.

The journeys that wait for a deadline come last: they move the clock of their shop, and never back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from handlers.inventory import reservations
from handlers.orders import watchdog
from handlers.payments import process
from handlers.payments import store as payments
from handlers.payments.events import payable_of
from handlers.payments.rules import Cause
from handlers.payments.states import is_paid
from handlers.platform.money import minor_units
from handlers.platform.store.port import Eq, Query, Sort
from handlers.pricing import promotions
from infra.local.stripe.faults import Fault
from infra.local.stripe.intents import confirm_intent
from infra.local.stripe.wire import Refusal
from tests.flows.test_journey import saved
from tests.orders.test_orders import ordered
from tests.orders.test_process import document, levels, sent, until
from tests.payments.test_operations import confirm, prepare, prepared, refund
from tests.shipments.test_operations import moved
from tests.support.paying import Paying, listening
from tests.support.people import rule_of
from tests.support.shop import Shop, running_shop
from tests.support.shopper import Shopper, customer, guest, priced, promotion
from tests.support.wait import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]
ON_HAND = 10
BOUGHT = 2


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def market(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> AsyncIterator[Shop]:
    """A shop of these journeys alone, which Stripe's stand-in sends its webhooks to; its watchdog looks often."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watchdog, "EVERY", 0.1)
        async with (
            running_shop(tmp_path_factory.mktemp("market"), redis_url) as shop,
            listening(Paying(shop.running, shop.stripe)),
        ):
            yield shop


@dataclass
class Story:
    """One order of two units of a product, with a promo code that works once."""

    shop: Shop
    shopper: Shopper
    product: Json
    code: str
    order: Json
    email: str

    @property
    def total(self) -> int:
        """What the order costs, in cents."""
        return minor_units(self.order["totals"]["total"], "USD")

    async def seen(self) -> Json:
        """The order as its owner sees it."""
        answer = await self.shopper.call("GET", f"/api/orders/{self.order['order_id']}")
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def reaches(self, status: str) -> Json:
        """The order, once it has a status."""
        await until(self.shop, self.order, status)
        return await self.seen()

    async def cancel(self) -> httpx.Response:
        """Asks for the end of the order."""
        return await self.shopper.call("POST", f"/api/orders/{self.order['order_id']}/cancel")

    async def pays_in_browser(self, intent: Json, method: str = "pm_card_visa") -> None:
        """What Stripe.js does with the client secret: the shop hears of it by webhook only."""
        form = {"payment_method": method, "return_url": "http://127.0.0.1"}
        confirm_intent(self.shop.stripe.account, form, intent["payment_intent_id"])
        await asyncio.sleep(0)

    async def told(self, name: str) -> int:
        """How often the payment has told of something."""
        rows = await self.shop.services.store.query(
            Query(payments.CONTAINER, partition=self.order["order_id"], kind="outbox", limit=100)
        )
        return sum(row.data.get("envelope", {}).get("event_type") == name for row in rows.items)

    async def parcel(self) -> str:
        """The id of the parcel, once there is one."""
        return str((await self.reaches("processing"))["shipping"]["shipment_id"])

    async def books(self, *, sold: int, taken: int, used: bool, held: int = 0) -> None:
        """Waits until the books say: units sold and held, cents taken by Stripe and by us, whether the code is used."""
        wanted = ((ON_HAND - sold, held), taken, taken, int(used))
        found: Any = None

        async def agree() -> bool:
            nonlocal found
            found = (await levels(self.shop, self.product), self._taken(), await self._noted(), await self._uses())
            return bool(found == wanted)

        try:
            await eventually(agree)
        except TimeoutError:
            pytest.fail(f"the books say {found}, not {wanted}")

    async def _noted(self) -> int:
        payment = await payments.payment_of(self.shop.services.store, self.order["order_id"])
        if payment is None or not is_paid(payment["status"]):
            return 0
        assert payment["refund_held"] >= payment["refunded"]
        return int(payment["amount"] - payment["refunded"])

    def _taken(self) -> int:
        state = self.shop.stripe.account.state
        own = [
            each for each in state.all("payment_intent") if each["metadata"].get("order_id") == self.order["order_id"]
        ]
        back = [each for intent in own for each in state.all("refund", payment_intent=intent["id"])]
        received = sum(intent["amount_received"] for intent in own)
        return int(received - sum(each["amount"] for each in back if each["status"] == "succeeded"))

    async def _uses(self) -> int:
        found = await promotions.read(self.shop.services.store, self.code)
        assert found is not None
        return int(found.data["redeemed"])


async def story(shop: Shop, *, shopper: Shopper | None = None, card: str | None = None, **changes: Any) -> Story:
    """A shopper orders; pays with a saved card where one is named. `product`: changes of the product."""
    shopper = shopper or await customer(shop)
    product = await priced(shop, 50.0, on_hand=ON_HAND, **changes.pop("product", {}))
    code = await promotion(shop, "percentage", 10, once_per_customer=True)
    await shopper.has(product, changes.pop("quantity", BOUGHT))
    if card is not None:
        changes["payment_method"] = await saved(shopper, card)
    email = f"dana-{uuid4().hex[:8]}@example.com"
    answer = await ordered(shopper, promo_code=code, email=email, **changes)
    assert answer.status_code == 201, answer.text
    return Story(shop, shopper, product, code, answer.json(), email)


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
async def test_a_saved_card_is_declined(market: Shop) -> None:
    tale = await story(market, card="pm_card_chargeCustomerFail")
    ended = await tale.reaches("payment_failed")
    assert ended["payment"]["failure_message"]
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


# --- paid, and no parcel
async def test_no_carrier_takes_what_was_paid(market: Shop) -> None:
    heavy = [{"sku": f"HEAVY-{uuid4().hex[:10].upper()}", "on_hand": ON_HAND, "weight_grams": 600_000}]
    tale = await story(market, card="pm_card_visa", product={"variants": heavy})
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
    assert (await tale.reaches("cancelled"))["payment_status"] == "refunded"
    await tale.books(sold=0, taken=0, used=False)


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
    over = await refund(market, tale.order)
    assert (over.status_code, rule_of(over)) == (422, "refund_exceeds_payment")
    assert over.json()["error"]["details"]["refundable"] == (tale.total - 1000) / 100
    market.stripe.webhooks.faults.clear()
    assert (await refund(market, tale.order)).status_code == 201
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


# --- deadlines: the clock moves on from here
async def later(shop: Shop, **by: float) -> None:
    """So much later: the watchdog of the application finds what is due by itself.

    No webhooks any more: Stripe's clock has not moved, and what is signed too long ago is refused.
    """
    await shop.stripe.webhooks.idle()
    shop.stripe.webhooks.endpoint = None
    shop.running.clock.advance(**by)
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
    """The webhook is lost, the deadline passes: Stripe is asked before the payment ends, and the money goes back."""
    market.stripe.webhooks.faults.add(Fault("lost", on="payment_intent.succeeded"))
    tale = await story(market)
    await tale.reaches("awaiting_payment")
    await tale.pays_in_browser(await prepared(tale.shopper, tale.order))
    await later(market, minutes=31)
    await until(market, tale.order, "cancelled")
    await tale.books(sold=0, taken=0, used=False)


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

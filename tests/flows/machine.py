"""The machine behind `test_model.py`: what may happen to a small shop, and what has to hold each time."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

import httpx
import orjson
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from handlers.orders import store as orders
from handlers.orders.saga import CANCELLABLE, DEADLINES, FINAL, IN_HANDS, Trigger
from handlers.orders.watchdog import Watchdog, event_lag
from handlers.payments import store as payments
from handlers.payments.check_overdue import check_overdue
from handlers.platform.money import minor_units
from handlers.platform.patience import Transient
from handlers.platform.store.port import Query, StoreError
from handlers.shipments import states
from handlers.shipments import store as shipments
from infra.local.stripe.intents import confirm_intent
from infra.local.stripe.webhooks import signature
from infra.local.stripe.wire import Refusal
from tests.flows.model import Calm, Delivery, Model, Stage
from tests.flows.test_journey import saved
from tests.orders.test_orders import ordered
from tests.support.paying import WEBHOOK_SECRET
from tests.support.people import signed_in, signed_up
from tests.support.shopper import Shopper, guest, priced, promotion

Json = dict[str, Any]
UNITS: Final = 3
TRIES: Final = 60


class Process(RuleBasedStateMachine):
    """One life of a small shop: one product, few units, a handful of orders."""

    stage: Stage

    def __init__(self) -> None:
        super().__init__()
        self.models: dict[str, Model] = {}
        self.pending: list[Delivery] = []
        self.past: list[Delivery] = []
        self.hooks: list[Json] = []

    @initialize(seed=st.integers(0, 2**16))
    def open(self, seed: int) -> None:
        stage = self.stage
        stage.faulty._chance.seed(seed)
        stage.faulty.rate = 0.0
        stage.run(stage.shop.sign_in())
        self.dog = Watchdog(stage.services, check_payment=check_overdue)
        self.product = stage.run(priced(stage.shop, 20.0, on_hand=UNITS))
        self.code = stage.run(promotion(stage.shop, "percentage", 10))
        stage.run(stage.new_rows())
        self.hooks_seen = {each["id"] for each in stage.stripe.account.state.all("event")}

    # --- what people do
    @precondition(lambda self: len(self.models) < 4)
    @rule(kind=st.sampled_from(["guest", "pm_card_visa", "pm_card_chargeCustomerFail"]), promo=st.booleans())
    def place(self, kind: str, promo: bool) -> None:
        self.stage.run(self._place(kind, promo))

    async def _place(self, kind: str, promo: bool) -> None:
        shop, person = self.stage.shop, None
        more: Json = {"promo_code": self.code} if promo else {}
        with self._calm():
            if kind == "guest":
                shopper = await guest(shop)
                more["email"] = f"guest-{uuid4().hex[:8]}@example.com"
            else:
                person = await signed_in(shop.running, await signed_up(shop.running))
                shopper = Shopper(shop, person.bearer, person.user_id)
                more["payment_method"] = await saved(shopper, kind)
            added = await shopper.add(self.product)
            if added.status_code == 200 and kind != "guest":
                promo_code = {"promo_code": self.code} if promo else {}
                more["expected_total"] = await shopper.total(**promo_code)
        if added.status_code != 200:
            return  # sold out, and said so
        key = f"key-{uuid4().hex}"
        answer = await self._answered(lambda: ordered(shopper, key=key, **more))
        if answer.status_code == 201:
            self.models[answer.json()["order_id"]] = Model(answer.json(), shopper, person)
        else:
            assert answer.status_code in (409, 422), answer.text
        await self._collect()

    @precondition(lambda self: self.models)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        model = self._one(data)
        handed_over = self.stage.run(self._handed_over(model))
        allowed = model.status in CANCELLABLE and not handed_over
        answer = self.stage.run(self._cancelled(model))
        assert answer.status_code == (200 if allowed else 409), (model.status, answer.text)
        if allowed:
            model.hear("cancel", handed_over=handed_over)
        self.stage.run(self._collect())

    async def _cancelled(self, model: Model) -> httpx.Response:
        # A lost answer here leaves the caller in doubt, which the kill points look at; the table is the matter here.
        with self._calm():
            await self._sign_in_again(model)
            return await model.shopper.call("POST", f"/api/orders/{model.order['order_id']}/cancel")

    @precondition(lambda self: self.models)
    @rule(data=st.data(), card=st.sampled_from(["pm_card_visa", "pm_card_visa_chargeDeclined"]))
    def pay_in_the_browser(self, data: st.DataObject, card: str) -> None:
        self.stage.run(self._pay(self._one(data), card))

    @precondition(lambda self: self._waiting())
    @rule(data=st.data(), times=st.sampled_from([2, 10]))
    def try_stolen_cards(self, data: st.DataObject, times: int) -> None:
        """An order that waits for its payment is declined again and again; ten times are too often."""
        model = data.draw(st.sampled_from(self._waiting()), label="order")
        self.stage.run(self._pay(model, "pm_card_visa_chargeDeclined", times))

    def _waiting(self) -> list[Model]:
        return [each for each in self.models.values() if each.status == "awaiting_payment"]

    async def _pay(self, model: Model, card: str, times: int = 1) -> None:
        with self._calm():
            await self._sign_in_again(model)
            asked = {"order_id": model.order["order_id"], "amount": model.order["totals"]["total"]}
            answer = await model.shopper.call("POST", "/api/payments/create-intent", asked)
        if answer.status_code == 201:
            form = {"payment_method": card, "return_url": "http://127.0.0.1"}
            for _ in range(times):
                try:
                    confirm_intent(self.stage.stripe.account, form, answer.json()["payment_intent_id"])
                except Refusal:
                    self.stage.seen["refused in the browser"] += 1
        else:
            assert answer.status_code in (409, 422), answer.text
        await self._collect()

    @precondition(lambda self: self.models)
    @rule(data=st.data(), share=st.sampled_from([0.5, 1.0, 2.0]))
    def refund(self, data: st.DataObject, share: float) -> None:
        model = self._one(data)
        amount = round(model.order["totals"]["total"] * share, 2)
        body = {"order_id": model.order["order_id"], "amount": amount, "reason": "goodwill"}
        answer = self.stage.run(self._as_staff("POST", "/api/payments/refund", body))
        assert answer.status_code in (201, 404, 409, 422), answer.text
        self.stage.run(self._collect())

    @precondition(lambda self: any(each.fulfillment in ("scheduled", "shipped") for each in self.models.values()))
    @rule(data=st.data(), status=st.sampled_from(["picked_up", "exception", "delivered", "returned"]))
    def move_a_parcel(self, data: st.DataObject, status: str) -> None:
        self.stage.run(self._move(self._one(data), status))

    async def _move(self, model: Model, status: str) -> None:
        found = await orders.find(self.stage.store, model.order["order_id"])
        shipment = found.data["shipping"].get("shipment_id") if found is not None else None
        if shipment is None:
            return
        answer = await self._as_staff("PUT", f"/api/staff/shipments/{shipment}/status", {"new_status": status})
        assert answer.status_code in (200, 404, 409, 422), answer.text
        await self._collect()

    # --- what happens by itself
    @precondition(lambda self: self.pending)
    @rule(data=st.data(), rate=st.sampled_from([0.0, 0.0, 0.15]))
    def deliver(self, data: st.DataObject, rate: float) -> None:
        heads = self._heads()
        chosen = heads[data.draw(st.integers(0, len(heads) - 1), label="which")]
        self.stage.faulty.rate = rate
        self.stage.run(self._deliver(chosen))

    @precondition(lambda self: self.pending)
    @rule()
    def everything_arrives(self) -> None:
        self.stage.run(self._drain())

    @precondition(lambda self: self.past)
    @rule(data=st.data())
    def deliver_again(self, data: st.DataObject) -> None:
        self.stage.run(self._handle(self.past[data.draw(st.integers(0, len(self.past) - 1), label="which")]))
        self.stage.run(self._collect())

    @precondition(lambda self: self.hooks)
    @rule(data=st.data(), twice=st.booleans())
    def webhook(self, data: st.DataObject, twice: bool) -> None:
        hook = self.hooks.pop(data.draw(st.integers(0, len(self.hooks) - 1), label="which"))
        for _ in range(2 if twice else 1):
            self.stage.run(self._hook(hook))

    @rule(seconds=st.sampled_from([60, 400, 1900]))
    def time_passes(self, seconds: int) -> None:
        self.stage.clock.advance(seconds=seconds)
        self.stage.run(self._look())

    # --- always
    @invariant()
    def each_order_is_where_the_table_says(self) -> None:
        for order_id, model in self.models.items():
            found = self.stage.run(orders.find(self.stage.store, order_id))
            assert found is not None, order_id
            order = found.data
            states = (order["status"], order["payment_status"], order["fulfillment_status"])
            assert states == (model.status, model.payment, model.fulfillment)
            assert (order["deadline_at"] is not None) == (model.status in DEADLINES)
            assert self.stage.run(self._told(order)) == model.told

    def teardown(self) -> None:
        if hasattr(self, "product"):
            self.stage.faulty.rate = 0.0
            self.stage.run(self._end())

    async def _end(self) -> None:
        """All that is on its way arrives, every deadline passes; then the books are looked at."""
        for _ in range(3):
            await self._drain()
            self.stage.clock.advance(minutes=31)
            await self._look()
        await self._drain()
        held = sold = 0
        page = await self.stage.store.query(
            Query("inventory", partition=self.product["product_id"], kind="hold", limit=200)
        )
        for row in (each.data for each in page.items):
            held += row.get("quantity", 0) if row["state"] == "held" else 0
            # A complete order leaves its end only, and orders are of one unit.
            sold += row.get("quantity", 0) if row["state"] == "taken" else row["state"] == "ended"
        variant = self.product["variants"][0]["variant_id"]
        stock = await self.stage.store.read("inventory", self.product["product_id"], variant)
        assert stock is not None
        assert (stock.data["on_hand"] + sold, stock.data["reserved"]) == (UNITS, held)
        gone = sum(
            each.fulfillment in ("scheduled", "shipped", "delivered", "returned") for each in self.models.values()
        )
        assert (held, sold) == (0, gone)
        for order_id, model in self.models.items():
            self.stage.seen[f"ended {model.status}"] += 1
            assert model.status in FINAL | IN_HANDS
            self._check_money(order_id, model)

    def _check_money(self, order_id: str, model: Model) -> None:
        state = self.stage.stripe.account.state
        own = [each for each in state.all("payment_intent") if each["metadata"].get("order_id") == order_id]
        taken = sum(each["amount_received"] for each in own)
        refunds = [each for one in own for each in state.all("refund", payment_intent=one["id"])]
        back = sum(each["amount"] for each in refunds if each["status"] == "succeeded")
        total = minor_units(model.order["totals"]["total"], "USD")
        assert taken in (0, total)
        if model.payment == "paid":
            assert (taken, back) == (total, 0)
        elif model.payment == "partially_refunded":
            assert 0 < back < taken
        elif model.payment == "refund_pending":
            # Only what the customer's bank did not take is still owed.
            assert back < taken
            assert any(each["status"] == "failed" for each in refunds), model
        else:
            assert back == taken, model

    # --- helpers
    def _one(self, data: st.DataObject) -> Model:
        return self.models[data.draw(st.sampled_from(sorted(self.models)), label="order")]

    def _heads(self) -> list[Delivery]:
        """What a bus may deliver next: within a group, topic and key in order, else as it likes."""
        seen: set[tuple[str, str, str]] = set()
        heads: list[Delivery] = []
        for each in self.pending:
            lane = (each.group, each.row["topic"], each.row["partition_key"])
            if lane not in seen:
                seen.add(lane)
                heads.append(each)
        return heads

    async def _deliver(self, chosen: Delivery) -> None:
        self.pending.remove(chosen)
        await self._handle(chosen)
        self.past.append(chosen)
        model = self.models.get(chosen.row["envelope"]["data"].get("order_id", ""))
        if model is not None and chosen.trigger is not None:
            model.hear(chosen.trigger, handed_over=await self._handed_over(model))
        await self._collect()

    async def _handle(self, delivery: Delivery) -> None:
        """As the consumer does: again, while something is away."""
        handler = self.stage.handlers[delivery.group][delivery.row["envelope"]["event_type"]]
        for _ in range(TRIES):
            try:
                await handler(delivery.event, self.stage.services)
            except (StoreError, Transient):
                self.stage.seen["deliveries in vain"] += 1
            else:
                self.stage.faulty.rate = 0.0
                return
        pytest.fail(f"{delivery.row['envelope']['event_type']} cannot be handled")

    async def _hook(self, hook: Json) -> None:
        body = orjson.dumps(hook)
        signed = signature(WEBHOOK_SECRET, body, int(self.stage.clock.now().timestamp()))
        answer = await self.stage.shop.client.post(
            "/api/webhooks/stripe",
            content=body,
            headers={"Stripe-Signature": signed, "Content-Type": "application/json"},
        )
        assert answer.status_code == 200, answer.text
        await self._collect()

    async def _look(self) -> None:
        """What the watchdog does when a row is due."""
        now = self.stage.clock.now()
        for order_id, model in self.models.items():
            found = await orders.find(self.stage.store, order_id)
            assert found is not None
            due = found.data["deadline_at"]
            expected = await self._overdue(order_id, model)
            row = {"order_id": order_id, "user_id": found.data["user_id"], "promo_code": found.data.get("promo_code")}
            await self.dog.look(row)
            if due is not None and self.dog._judged_from(found.data) <= now:
                model.hear(expected, handed_over=await self._handed_over(model))
        await self._collect()

    async def _handed_over(self, model: Model) -> bool:
        """Whether the carrier has the parcel, although the order may not have heard of it."""
        found = await shipments.of_order(self.stage.store, model.order["order_id"])
        return found is not None and shipments.is_shipment(found) and states.is_handed_over(found.data)

    async def _overdue(self, order_id: str, model: Model) -> Trigger:
        """What a deadline comes to: who has paid, and has not been heard, is found out."""
        trigger = DEADLINES[model.status].trigger if model.status in DEADLINES else "payment_overdue"
        if model.status != "awaiting_payment":
            return trigger
        payment = await payments.payment_of(self.stage.store, order_id)
        if payment is not None and payment["status"] == "refunded":
            return "refunded_in_full"
        intents = self.stage.stripe.account.state.all("payment_intent")
        paid = [e for e in intents if e["status"] == "succeeded" and e["metadata"].get("order_id") == order_id]
        return "payment_received" if paid else trigger

    async def _drain(self) -> None:
        while self.pending or self.hooks:
            while self.hooks:
                await self._hook(self.hooks.pop(0))
            for each in self._heads():
                await self._deliver(each)

    async def _collect(self) -> None:
        """New events, for whoever reads them; new messages of Stripe."""
        # One request may write to several containers, whose feeds come in the order of ids that nobody chose.
        for row in sorted(await self.stage.new_rows(), key=lambda row: str(row.get("topic", ""))):
            envelope = row.get("envelope") or {}
            if envelope.get("data", {}).get("order_id") in self.models:
                name = envelope["event_type"]
                self.pending += [Delivery(group, row) for group, own in self.stage.handlers.items() if name in own]
        for each in self.stage.stripe.account.state.all("event"):
            if each["id"] not in self.hooks_seen:
                self.hooks_seen.add(each["id"])
                self.hooks.append(each)

    async def _answered(self, request: Any) -> httpx.Response:
        """A request that is repeated while the store is away."""
        self.stage.faulty.rate = 0.03
        for _ in range(TRIES):
            answer: httpx.Response = await request()
            if answer.status_code < 500 and "idempotency_in_progress" not in answer.text:
                break
            self.stage.seen["requests in vain"] += 1
            if "idempotency_in_progress" in answer.text:
                self.stage.clock.advance(seconds=91)
        self.stage.faulty.rate = 0.0
        return answer

    async def _as_staff(self, method: str, path: str, body: Json) -> httpx.Response:
        with self._calm():
            await self.stage.shop.sign_in()
            return await self.stage.shop.as_admin(method, path, body, Idempotency_Key=f"key-{uuid4().hex}")

    async def _sign_in_again(self, model: Model) -> None:
        if model.person is not None:
            model.shopper.bearer = (await signed_in(self.stage.shop.running, model.person)).bearer

    async def _told(self, order: Json) -> list[str]:
        page = await self.stage.store.query(Query("orders", partition=order["user_id"], kind="outbox", limit=200))
        rows = sorted((each.data for each in page.items), key=lambda row: int(row["sequence"]))
        return [row["envelope"]["event_type"] for row in rows if row["partition_key"] == order["order_id"]]

    def _calm(self) -> Any:
        return Calm(self.stage.faulty)


class ProcessWithOutages(Process):
    """And the event side is away at times, for up to an hour."""

    @rule(minutes=st.sampled_from([6, 31, 60]))
    def outage(self, minutes: int) -> None:
        """Nothing is heard and nobody looks, for longer than the deadlines: at the restart no order ends for that."""
        self.stage.clock.advance(minutes=minutes)
        lag = self.stage.services.room(event_lag)
        self.stage.run(lag.measure(None))
        assert lag.behind_at is not None
        before = [model.status for model in self.models.values()]
        self.stage.run(self._look())
        assert [model.status for model in self.models.values()] == before
        self.stage.seen["outages"] += 1


class ProcessAtStripe(Process):
    """The same shop, while somebody acts at Stripe who is none of its people."""

    @precondition(lambda self: self._intents())
    @rule(data=st.data(), what=st.sampled_from(["ends", "returns half", "returns all", "refund fails"]))
    def somebody_acts_at_stripe(self, data: st.DataObject, what: str) -> None:
        """In its dashboard, or Stripe by itself, or the customer's bank: nothing that we have asked for."""
        stripe = self.stage.stripe
        intent = data.draw(st.sampled_from(self._intents()), label="intent")
        refunds = stripe.account.state.all("refund", payment_intent=intent["id"])
        if what == "refund fails" and not refunds:
            return
        try:
            if what == "ends":
                stripe.end_intent(intent["id"])
            elif what == "refund fails":
                for each in refunds:
                    stripe.settle_refund(each["id"], "failed")
            else:
                stripe.refund_in_dashboard(intent["id"], intent["amount"] // 2 if what == "returns half" else None)
        except Refusal:
            self.stage.seen["refused at Stripe"] += 1
        else:
            self.stage.seen[f"at Stripe: {what}"] += 1
        self.stage.run(self._collect())

    def _intents(self) -> list[Json]:
        """The payments of the orders, as Stripe knows them."""
        found = self.stage.stripe.account.state.all("payment_intent")
        return [each for each in found if each["metadata"].get("order_id") in self.models]

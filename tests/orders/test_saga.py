"""The order process as a table: total, published, and consistent in stock, money and promotion whatever comes when."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

import pytest
import yaml
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from handlers.orders import saga
from handlers.orders.saga import (
    CANCELLABLE,
    DEADLINES,
    FINAL,
    IN_HANDS,
    STATUSES,
    TABLE,
    TRIGGERS,
    PaymentStatus,
    Status,
    Trigger,
)
from handlers.platform.errors import DocumentNewer

SCHEMAS = Path("openapi/components/schemas")


def test_every_status_has_a_row_for_every_trigger() -> None:
    assert set(TABLE) == {(status, trigger) for status in STATUSES for trigger in TRIGGERS}


def test_a_status_that_only_a_newer_process_knows_is_refused_and_not_guessed() -> None:
    for trigger in TRIGGERS:
        with pytest.raises(DocumentNewer):
            saga.step("in_review", "paid", trigger)  # type: ignore[arg-type]  # what a newer process has written


def test_the_contract_publishes_the_table() -> None:
    for name, literal in {
        "OrderStatus": saga.Status,
        "PaymentStatus": saga.PaymentStatus,
        "FulfillmentStatus": saga.FulfillmentStatus,
    }.items():
        document = yaml.safe_load((SCHEMAS / f"{name}.yaml").read_text())
        assert document["enum"] == list(get_args(literal))
    published = yaml.safe_load((SCHEMAS / "OrderStatus.yaml").read_text())["x-transitions"]
    assert published == saga.transitions()


def test_every_status_ends_or_has_a_deadline_or_people() -> None:
    assert FINAL | IN_HANDS | set(DEADLINES) == set(STATUSES)
    assert not FINAL & (IN_HANDS | set(DEADLINES))
    for status, deadline in DEADLINES.items():
        found = TABLE[status, deadline.trigger]
        assert found.status == "cancelled" or (found.attention is not None and found.recount)


def test_silence_ends_no_order_that_is_paid() -> None:
    for trigger in (deadline.trigger for deadline in DEADLINES.values()):
        for status in ("paid", "processing", "shipped"):
            found = TABLE[status, trigger]
            assert found.status == status
            assert "return_money" not in found.undo


def test_an_order_that_costs_nothing_returns_no_money() -> None:
    for found in TABLE.values():
        after = saga.step_without_money(found)
        assert after.payment != "refund_pending"
        assert "RefundRequested" not in after.emits
        assert "return_money" not in after.undo
        assert (after.status, after.fulfillment, after.reason) == (found.status, found.fulfillment, found.reason)


def test_what_can_be_cancelled() -> None:
    assert {status for status in STATUSES if TABLE[status, "cancel"].status != status} == CANCELLABLE


def test_a_final_order_leaves_its_status_only_for_a_refund() -> None:
    for status in FINAL:
        goes = saga.transitions()[status]
        assert goes in ({}, {"refunded_in_full": "refunded"})


def test_ends_say_what_they_undo() -> None:
    for (status, trigger), found in TABLE.items():
        if found.status == status:
            continue
        assert ("OrderCancelled" in found.emits) == (found.status == "cancelled")
        assert (found.reason is not None) == (found.status == "cancelled")
        if found.status in ("cancelled", "payment_failed"):
            assert {"release_stock", "free_promo"} <= found.undo, (status, trigger)
        assert len(found.emits) == 1


@pytest.mark.parametrize("payment", ["refund_pending", "refunded"])
def test_money_that_went_back_is_not_asked_back_again(payment: PaymentStatus) -> None:
    again = saga.step("cancelled", payment, "payment_received")
    assert not saga.changes("cancelled", replace(again, undo=frozenset()))
    assert saga.step("cancelled", "cancelled", "payment_received").emits == ("RefundRequested",)
    assert saga.step("cancelled", "refund_pending", "refunded_in_full").payment == "refunded"
    assert saga.step("cancelled", "refunded", "refunded_in_part").payment is None
    assert saga.step("shipped", "partially_refunded", "parcel_arrived").payment is None
    assert saga.step("paid", "partially_refunded", "cancel").payment == "refund_pending"


class Process(RuleBasedStateMachine):
    """An order among participants that answer when they like: each says a thing once, in any order among each other."""

    def __init__(self) -> None:
        super().__init__()
        self.status: Status = "pending"
        self.payment: PaymentStatus = "pending"
        self.stock: Literal["none", "held", "gone"] = "none"
        self.money: Literal["none", "taken", "returned"] = "none"
        self.parcel: Literal["none", "booked", "moving", "arrived"] = "none"
        self.promo = True
        self.asked_back = False
        self.released = False
        self.unheard: list[Trigger] = []

    def feel(self, trigger: Trigger) -> None:
        found = saga.step(self.status, self.payment, trigger)
        self.status = found.status
        self.payment = found.payment or self.payment
        self.released |= "release_stock" in found.undo
        self.asked_back |= "return_money" in found.undo
        if "free_promo" in found.undo:
            self.promo = False

    # participants
    @precondition(lambda self: self.stock == "none" and not self.released)
    @rule()
    def reserve(self) -> None:
        self.stock = "held"
        self.unheard.append("stock_reserved")

    @precondition(lambda self: self.stock == "held" and self.money == "none" and "payment_failed" not in self.unheard)
    @rule()
    def pay(self) -> None:
        self.money = "taken"
        self.unheard.append("payment_received")

    @precondition(lambda self: self.stock == "held" and self.money == "none" and self.status != "payment_failed")
    @rule()
    def decline(self) -> None:
        self.money = "none"
        if "payment_failed" not in self.unheard:
            self.unheard.append("payment_failed")

    @precondition(lambda self: self.money == "taken" and self.parcel == "none" and not self.released)
    @rule()
    def book(self) -> None:
        self.parcel, self.stock = "booked", "gone"
        self.unheard.append("shipment_scheduled")

    @precondition(lambda self: self.money == "taken" and self.parcel == "none" and not self.released)
    @rule()
    def refuse_to_carry(self) -> None:
        if "shipment_refused" not in self.unheard:
            self.unheard.append("shipment_refused")

    # Who hands a parcel over looks at the order first: one that has ended stays.
    @precondition(lambda self: self.parcel == "booked" and self.status == "processing")
    @rule()
    def collect(self) -> None:
        self.parcel = "moving"
        self.feel("parcel_moving")

    @precondition(lambda self: self.parcel == "moving")
    @rule()
    def deliver(self) -> None:
        self.parcel = "arrived"
        self.unheard += ["parcel_arrived", "delivery_completed"]

    @precondition(lambda self: self.released and self.stock != "none")
    @rule()
    def release(self) -> None:
        self.stock = "none"

    @precondition(lambda self: self.asked_back and self.money == "taken")
    @rule()
    def give_back(self) -> None:
        self.money = "returned"
        self.unheard.append("refunded_in_full")

    # the world
    @precondition(lambda self: self.unheard)
    @rule()
    def hear(self) -> None:
        self.feel(self.unheard.pop(0))

    @precondition(lambda self: self.unheard)
    @rule()
    def hear_the_last(self) -> None:
        self.feel(self.unheard.pop())

    @rule()
    def cancel(self) -> None:
        if self.status in CANCELLABLE:
            self.feel("cancel")

    @rule()
    def deadline(self) -> None:
        due = DEADLINES.get(self.status)
        if due is not None:
            self.feel(due.trigger)

    @invariant()
    def consistent(self) -> None:
        if self.status in ("cancelled", "payment_failed"):
            assert self.released
            assert not self.promo
            heard = "payment_received" not in self.unheard
            # Money that was taken comes back: it is asked for, or its news is still on the way.
            assert self.money != "taken" or self.asked_back or not heard
        else:
            assert not self.released
            assert self.promo
        if self.status in ("shipped", "delivered", "completed"):
            assert self.money == "taken"
            assert self.parcel in ("moving", "arrived")
        if self.payment == "refunded":
            assert self.money == "returned"

    def teardown(self) -> None:
        """Everything is heard at last, what was asked is done: the order ends, or waits with a deadline or people."""
        while self.unheard:
            self.feel(self.unheard.pop(0))
        if self.asked_back and self.money == "taken":
            self.money = "returned"
            self.feel("refunded_in_full")
        self.consistent()
        assert self.status in FINAL | IN_HANDS | set(DEADLINES)
        if self.status in ("cancelled", "payment_failed"):
            assert self.money != "taken"


TestProcess = Process.TestCase
TestProcess.settings = settings(max_examples=300, stateful_step_count=30, deadline=None)

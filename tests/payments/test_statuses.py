"""Every status of a payment intent at Stripe has a decided meaning, up to the order's deadline; unknown ones too."""

from __future__ import annotations

import re
from typing import Any, Final, get_args

import pytest
import stripe

from handlers.orders import saga
from handlers.orders.saga import PAYMENT_PENDING, PaymentStatus, Trigger
from handlers.partners.payments import outcome_of
from handlers.partners.stripe_reading import intent_of, refund_of
from handlers.payments.states import TABLE, State, happened, is_open

# Stripe's API reference, The PaymentIntent object, `status`: what it means here, the event, and what the order does.
MEANINGS: Final[dict[str, tuple[str | None, str | None, Trigger | None]]] = {
    "requires_payment_method": (None, None, None),
    "requires_confirmation": (None, None, None),
    "requires_action": ("action_required", None, None),
    "processing": ("processing", "PaymentPending", "payment_pending"),
    "requires_capture": ("processing", "PaymentPending", "payment_pending"),
    "canceled": ("cancelled", None, None),
    "succeeded": ("succeeded", "PaymentProcessed", "payment_received"),
    "a_status_of_next_year": ("processing", "PaymentPending", "payment_pending"),
}
OPEN: Final[tuple[State, ...]] = tuple(state for state in get_args(State) if is_open(state))


def intent(status: str, **more: Any) -> dict[str, Any]:
    """A payment intent as Stripe sends it."""
    return {
        "id": "pi_1",
        "status": status,
        "amount": 100,
        "currency": "usd",
        "metadata": {},
        "client_secret": "secret",
        **more,
    }


def test_no_status_of_the_provider_is_missing() -> None:
    """By the types of the vendor's own library, so that a new version with a new status fails here."""
    known = re.findall(r"['\"](\w+)['\"]", str(stripe.PaymentIntent.__annotations__["status"]).split("Literal", 1)[1])
    assert set(known) == set(MEANINGS) - {"a_status_of_next_year"}


@pytest.mark.parametrize("status", MEANINGS)
def test_each_status_has_a_row(status: str) -> None:
    meaning, event, trigger = MEANINGS[status]
    found = happened(outcome_of(intent_of(intent(status))))
    assert found == meaning
    if found is None:
        return
    for state in OPEN:
        row = TABLE[state, found]
        assert row.event == (event if state != row.state else None), state
    if trigger is not None:
        step = saga.step("awaiting_payment", "pending", trigger)
        assert saga.changes("awaiting_payment", step)


def test_a_payment_that_ended_elsewhere_and_one_that_was_declined_are_told_of() -> None:
    for state in OPEN:
        assert TABLE[state, "stopped"].event == "PaymentFailed"
        assert TABLE[state, "declined"].event == "PaymentAttemptFailed"


@pytest.mark.parametrize("payment", get_args(PaymentStatus))
def test_only_a_payment_under_way_stops_the_deadline(payment: PaymentStatus) -> None:
    wait = saga.wait_of("awaiting_payment", payment)
    assert wait == (PAYMENT_PENDING if payment == "processing" else saga.DEADLINES["awaiting_payment"].after)


def test_a_status_that_is_new_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    assert intent_of(intent("a_status_of_next_year")).status == "processing"
    assert "a payment intent has a status that is not known here" in caplog.messages


def test_a_refund_of_a_new_status_is_under_way() -> None:
    found = {"id": "re_1", "currency": "usd", "amount": 5, "status": "a_status_of_next_year"}
    assert refund_of(found).status == "pending"

"""The table of a payment's states, refunds as sums, and views: no I/O."""

from __future__ import annotations

from typing import get_args

import pytest

from handlers.partners.payments import (
    Cancelled,
    Decline,
    Declined,
    Intent,
    IntentStatus,
    Open,
    PaymentRefused,
    Processing,
    RequiresAction,
    Succeeded,
    outcome_of,
)
from handlers.payments import rules, views
from handlers.payments.states import (
    TABLE,
    Happening,
    State,
    Step,
    happened,
    is_open,
    is_paid,
    refunds_happened,
    shown,
    step,
)
from handlers.platform.errors import DocumentNewer, Problem
from tests.support.paying import cause, payable

STATES: tuple[State, ...] = get_args(State)
HAPPENINGS: tuple[Happening, ...] = get_args(Happening)
NOW = "2026-01-25T10:46:30.000Z"


def intent(status: IntentStatus, decline: Decline | None = None) -> Intent:
    return Intent("pi_1", status, 100, "USD", {"order_id": "order-1"}, "secret", decline)


# --- the table
def test_a_state_that_only_a_newer_process_knows_is_refused_and_not_taken_for_late_news() -> None:
    for happening in get_args(Happening):
        with pytest.raises(DocumentNewer):
            step("disputed", happening)  # type: ignore[arg-type]  # what a newer process has written


def test_the_table_knows_its_states_and_happenings_only() -> None:
    for (state, happening), found in TABLE.items():
        assert state in STATES
        assert found.state in STATES
        assert happening in HAPPENINGS


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("happening", HAPPENINGS)
def test_money_that_came_stays_until_it_is_refunded(state: State, happening: Happening) -> None:
    found = step(state, happening)
    if found is None:
        return
    if is_paid(state):
        assert is_paid(found.state)
        assert found.event is None
    if found.event == "PaymentProcessed":
        assert found.state == "succeeded"
    assert (found.event == "PaymentFailed") == (found.state == "failed")


@pytest.mark.parametrize("happening", HAPPENINGS)
def test_each_happening_twice_tells_once(happening: Happening) -> None:
    """But a decline, of which there may be several: `attempts` tells them apart."""
    if happening == "declined":
        return
    for state in STATES:
        first = step(state, happening)
        if first is None or first.event is None:
            continue
        second = step(first.state, happening)
        assert second is None or second.event is None


def test_late_news_changes_nothing() -> None:
    assert step("succeeded", "declined") is None
    assert step("refunded", "succeeded") is None
    assert step("cancelled", "action_required") is None
    assert step("created", "refunds_all") is None


def test_money_for_an_order_that_ended_is_told_of() -> None:
    assert step("failed", "succeeded") == Step("succeeded", "PaymentProcessed")
    assert step("cancelled", "succeeded") == Step("succeeded", "PaymentProcessed")


def test_open_and_paid_do_not_overlap_and_everything_is_shown() -> None:
    for state in STATES:
        assert not (is_open(state) and is_paid(state))
        assert shown(state) in get_args(IntentStatus)


@pytest.mark.parametrize(
    ("status", "kind", "happening"),
    [
        ("succeeded", Succeeded, "succeeded"),
        ("processing", Processing, "processing"),
        ("requires_action", RequiresAction, "action_required"),
        ("cancelled", Cancelled, "cancelled"),
        ("requires_confirmation", Open, None),
        ("requires_payment_method", Open, None),
    ],
)
def test_what_an_outcome_means(status: IntentStatus, kind: type, happening: Happening | None) -> None:
    outcome = outcome_of(intent(status))
    assert isinstance(outcome, kind)
    assert happened(outcome) == happening


def test_a_decline_is_an_outcome_while_nothing_else_is() -> None:
    decline = Decline("expired_card", "Your card has expired.")
    outcome = outcome_of(intent("requires_payment_method", decline))
    assert outcome == Declined(intent("requires_payment_method", decline), decline)
    assert happened(outcome) == "declined"
    assert isinstance(outcome_of(intent("succeeded", decline)), Succeeded)


@pytest.mark.parametrize(
    ("paid", "refunded", "happening"),
    [(100, 0, "refunds_none"), (100, 1, "refunds_some"), (100, 99, "refunds_some"), (100, 100, "refunds_all")],
)
def test_refunds_are_sums(paid: int, refunded: int, happening: Happening) -> None:
    assert refunds_happened(paid, refunded) == happening


def test_a_payment_without_a_told_method_keeps_none() -> None:
    payment = rules.new_payment(payable(), "pi_1", cause(), NOW)
    rules.paid_with(payment, intent("succeeded"))
    assert payment["method"] is None


# --- refusals
def test_what_cannot_be_paid() -> None:
    assert rules.not_payable({"status": "refunded", "attempts": 10}).rule == "payment_already_made"
    assert rules.not_payable({"status": "cancelled", "attempts": 9}).rule == "order_state_invalid"
    assert rules.not_payable({"status": "failed", "attempts": 10}).rule == "payment_attempts_exceeded"
    with pytest.raises(Problem, match="is paid"):
        rules.check_payable("shipped")
    with pytest.raises(Problem, match="cannot be paid"):
        rules.check_payable("pending")
    with pytest.raises(Problem, match="Too many attempts"):
        rules.check_payable("payment_failed")
    rules.check_payable("awaiting_payment")


def test_what_a_confirmation_is_answered_with() -> None:
    for status in ("succeeded", "created"):
        rules.check_result({"status": status, "attempts": 0}, decline=None, in_doubt=False)
    with pytest.raises(Problem) as doubt:
        rules.check_result({"status": "created", "attempts": 0}, decline=None, in_doubt=True)
    assert doubt.value.status == 503
    decline = Decline("insufficient_funds", "Your card has insufficient funds.")
    with pytest.raises(Problem) as declined:
        rules.check_result({"status": "created", "attempts": 4}, decline=decline, in_doubt=False)
    assert (declined.value.rule, declined.value.details["attempts_left"]) == ("payment_declined", 6)


def test_totals_that_only_the_provider_refuses() -> None:
    small = rules.refused_by_provider(PaymentRefused("invalid", "amount_too_small", "Too small."))
    assert (small.status, small.rule) == (422, "total_too_small")
    large = rules.refused_by_provider(PaymentRefused("invalid", "amount_too_large", "Too large."))
    assert large.rule == "total_too_large"
    other = PaymentRefused("state", "payment_intent_unexpected_state", "No.")
    with pytest.raises(PaymentRefused) as refused:
        rules.refused_by_provider(other)
    assert refused.value is other


def test_what_costs_nothing_needs_no_provider() -> None:
    rules.check_costs(1)
    with pytest.raises(Problem) as refused:
        rules.check_costs(0)
    assert (refused.value.status, refused.value.rule) == (409, "payment_already_made")


# --- answers
def test_views() -> None:
    payment = rules.new_payment(payable(), "pi_1", cause(), NOW)
    assert "expires_at" not in views.intent_view(payment, "secret")
    view = views.intent_view(payment, "secret", NOW)
    assert (view["status"], view["amount"], view["expires_at"]) == ("requires_payment_method", 1309.92, NOW)
    request = rules.RefundRequest(refund_id="refund-1", order_id="order-1", reason="goodwill", note="Dent.")
    refund = rules.new_refund(request, payment, 15000, cause(), NOW)
    shown_refund = views.refund_view(refund)
    assert (shown_refund["status"], shown_refund["note"], shown_refund["amount"]) == ("pending", "Dent.", 150.0)
    assert "created_by" not in shown_refund
    assert views.refund_view(refund | {"status": "failed"})["status"] == "failed"
    assert rules.provider_away().status == 503

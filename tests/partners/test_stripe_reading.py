"""What is read and written of Stripe's objects, where the stand-in never says it."""

from __future__ import annotations

import pytest

from handlers.partners.payments import IntentOrder, PaymentRefused, RefundOrder
from handlers.partners.stripe_reading import decline_of, intent_of, our_amount, refund_of, saved_method, stripe_amount
from handlers.partners.stripe_writing import intent_params, refund_params

INTENT = {
    "id": "pi_1",
    "status": "succeeded",
    "amount": 1999,
    "currency": "usd",
    "metadata": {},
    "client_secret": None,
    "latest_charge": None,
}


def test_a_kind_of_method_that_we_do_not_take() -> None:
    with pytest.raises(PaymentRefused) as refused:
        saved_method({"id": "pm_1", "type": "us_bank_account"})
    assert refused.value.reason == "invalid"


def test_paid_with_something_else() -> None:
    charge = {"paid": True, "payment_method_details": {"type": "klarna", "klarna": {}}}
    assert intent_of({**INTENT, "latest_charge": charge}).method is None
    assert intent_of({**INTENT, "latest_charge": {"paid": True}}).method is None
    card = {"brand": "new", "last4": "0000", "funding": "debit"}
    charge = {"paid": True, "payment_method_details": {"type": "card", "card": card}}
    method = intent_of({**INTENT, "latest_charge": charge}).method
    assert method is not None
    assert (method.type, method.brand) == ("debit_card", "Card")


def test_a_decline_without_words() -> None:
    assert (decline_of({}).code, decline_of({}).message) == ("card_declined", "Your payment was declined.")
    assert decline_of({"code": "expired_card"}).code == "expired_card"


def test_a_capture_is_waited_for() -> None:
    assert intent_of({**INTENT, "status": "requires_capture"}).status == "processing"


@pytest.mark.parametrize(
    ("theirs", "ours"), [(None, "pending"), ("requires_action", "pending"), ("canceled", "failed")]
)
def test_states_of_a_refund(theirs: str | None, ours: str) -> None:
    found = {"id": "re_1", "amount": 5, "currency": "usd", "status": theirs, "metadata": None}
    assert refund_of(found).status == ours


@pytest.mark.parametrize("currency", ["USD", "JPY", "ISK", "KWD"])
def test_amounts_there_and_back(currency: str) -> None:
    assert our_amount(stripe_amount(1230, currency), currency) == 1230


def test_the_least_that_is_sent() -> None:
    params = intent_params(IntentOrder(order_id="o", order_number="N° 1*", amount=100, currency="USD"))
    assert not {"receipt_email", "customer", "shipping"} & set(params)
    assert params["statement_descriptor_suffix"] == "N 1"


@pytest.mark.parametrize(("reason", "sent"), [("duplicate", "duplicate"), ("goodwill", "requested_by_customer")])
def test_stripe_knows_three_reasons(reason: str, sent: str) -> None:
    order = RefundOrder(refund_id="r", order_id="o", intent_id="pi_1", amount=5, currency="USD", reason=reason)
    params = refund_params(order)
    assert (params["reason"], params["metadata"]) == (sent, {"refund_id": "r", "order_id": "o", "reason": reason})

"""The data of the events that payments send: they fit the contract with and without what is optional."""

from __future__ import annotations

from handlers.payments import messages, rules
from handlers.platform.events import EventContract
from tests.support.paying import cause, payable

NOW = "2026-01-25T10:46:30.000Z"
CONTRACT = EventContract.load()


def check(event_type: str, data: object) -> None:
    envelope = {
        "event_id": "event-1",
        "event_type": event_type,
        "event_version": "1.0",
        "timestamp": NOW,
        "source": "crud-service",
        "data": data,
        "correlation_id": "request-1",
        "causation_id": "request-1",
    }
    CONTRACT.check(envelope)


def test_processed_with_and_without_what_is_optional() -> None:
    payment = rules.new_payment(payable(), "pi_1", cause(), NOW)
    assert "method" not in messages.processed(payment, NOW)
    payment["method"] = "debit_card"
    data = messages.processed(payment, NOW)
    check("PaymentProcessed", data)
    assert (data["amount"], data["method"], data["weight"]) == (1309.92, "debit_card", {"value": 2.7, "unit": "lbs"})
    assert "name" not in data["shipping_address"]
    bare = messages.processed(rules.new_payment(payable(weight=None), "pi_1", cause(), NOW), NOW)
    check("PaymentProcessed", bare)
    assert "weight" not in bare


def test_failed_with_and_without_what_is_optional() -> None:
    payment = rules.new_payment(payable(), "pi_1", cause(), NOW)
    assert messages.failed(payment, NOW)["failure_code"] == "abandoned"
    payment["failure"] = {"code": "insufficient_funds", "message": "x" * 400, "tried": None}
    data = messages.failed(payment, NOW)
    check("PaymentFailed", data)
    assert (data["failure_code"], len(data["failure_message"])) == ("insufficient_funds", 300)
    payment |= {"payment_intent_id": None, "failure": {"code": "lost_card", "message": "", "tried": None}}
    bare = messages.failed(payment, NOW)
    check("PaymentFailed", bare)
    assert bare["failure_code"] == "card_declined"
    assert not {"payment_intent_id", "failure_message"} & set(bare)


def test_refund_with_and_without_its_return() -> None:
    payment = rules.new_payment(payable(currency="JPY", amount=5000), "pi_1", cause(), NOW) | {"refunded": 5000}
    request = rules.RefundRequest(
        refund_id="refund-1", order_id=payment["order_id"], reason="return", return_id="return-1"
    )
    refund = rules.new_refund(request, payment, 5000, cause(), NOW)
    data = messages.refund_processed(payment, refund, NOW)
    check("RefundProcessed", data)
    assert (data["amount"], data["fully_refunded"], data["return_id"]) == (5000.0, True, "return-1")
    bare = messages.refund_processed(payment | {"refunded": 4999}, refund | {"return_id": None}, NOW)
    assert not bare["fully_refunded"]
    assert "return_id" not in bare

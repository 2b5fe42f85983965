"""Who is told what and how, and what it says: no I/O."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.notifications import rules, templates
from handlers.notifications.templates import Notice
from handlers.partners.mail import MailRefused, Message

Json = dict[str, Any]
RECEIPT, PROGRESS = Notice("paid", "Paid", ("paid.",)), Notice("shipped", "Shipped", ("gone.",), is_progress=True)


def account(phone: str | None = "+14155550132", **wants: bool) -> Json:
    notifications = {"email_orders": True, "sms_shipping": False, **wants}
    return {"phone": phone, "profile": {"preferences": {"notifications": notifications}}}


def order(**more: Any) -> Json:
    return {
        "order_id": "order-1",
        "order_number": "HPH-2026-000001",
        "shipping_address": {"name": "Dana <Whitfield>"},
        "items": [{"quantity": 2, "name": "Lamp"}],
        "totals": {"total": 24.5, "currency": "USD"},
        **more,
    }


@pytest.mark.parametrize(
    ("notice", "known", "is_guest", "wanted"),
    [
        (RECEIPT, account(email_orders=False), False, True),
        (RECEIPT, None, False, True),
        (PROGRESS, account(), False, True),
        (PROGRESS, account(email_orders=False), False, False),
        (PROGRESS, None, False, False),
        (PROGRESS, None, True, True),
    ],
)
def test_progress_may_be_switched_off_and_receipts_may_not(
    notice: Notice, known: Json | None, is_guest: bool, wanted: bool
) -> None:
    assert rules.wants_mail(notice, known, is_guest=is_guest) is wanted


@pytest.mark.parametrize(
    ("notice", "known", "phone"),
    [
        (PROGRESS, account(sms_shipping=True), "+14155550132"),
        (PROGRESS, account(None, sms_shipping=True), None),
        (PROGRESS, account(), None),
        (PROGRESS, None, None),
        (RECEIPT, account(sms_shipping=True), None),
    ],
)
def test_text_messages_are_for_progress_and_for_who_asks(notice: Notice, known: Json | None, phone: str | None) -> None:
    assert rules.phone_for(notice, known) == phone


def test_a_mail_carries_the_same_id_each_time_and_no_markup_of_others() -> None:
    notice = templates.refunded("refund-1", 5.0, "USD")
    message_id = rules.message_id(notice, "order-1")
    made = templates.mail("d@example.com", order(), notice, public_url="https://shop.example/", message_id=message_id)
    assert made.message_id == "<refunded.refund-1.order-1@notifications.invalid>"
    assert "https://shop.example/orders/order-1" in made.text
    assert "5.00 USD" in made.text
    assert "<Whitfield>" not in made.html
    assert "d@example.com" not in made.text
    with pytest.raises(MailRefused, match="message id"):
        Message("d@example.com", "Subject", "text", "html", "<x@y>\r\nBcc: z@example.com")


def test_what_notices_say() -> None:
    assert "2 × Lamp" in templates.confirmed(order()).sentences
    assert "1234 JPY" in templates.paid(order(totals={"total": 1234.0, "currency": "JPY"})).sentences[0]
    declined = templates.attempt_failed("Your card was declined.", "2026-01-25T11:15:00.000Z")
    assert "2026-01-25 11:15 UTC" in declined.sentences[-1]
    assert len(templates.attempt_failed(None, None).sentences) == 2
    assert "sold out" in templates.cancelled("out_of_stock", was_paid=False, returned=True).sentences[0]
    assert "goes back" in templates.cancelled("customer_request", was_paid=True, returned=False).sentences[1]
    assert "has been returned" in templates.cancelled("staff_request", was_paid=True, returned=True).sentences[1]
    assert "Nothing was charged" in templates.cancelled("payment_timeout", was_paid=False, returned=True).sentences[1]
    assert templates.delivered().is_progress
    assert not templates.unpaid(order()).is_progress
    assert "UPS 1Z9" in templates.text(order(), templates.shipped("UPS", "1Z9"))

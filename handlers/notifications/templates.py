"""What customers are told of their orders. Pure. Links carry the order's id alone: no address, no token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from handlers.partners.mail import Message
from handlers.platform.money import decimals
from handlers.users.mails import SHOP, greeting

Json = Mapping[str, Any]

_ENDS: Final[dict[str, str]] = {
    "out_of_stock": "what you ordered is sold out. We are sorry.",
    "payment_timeout": "it was not paid in time.",
    "payment_cancelled": "its payment was ended.",
    "no_carrier": "no carrier takes it to your address. We are sorry.",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that a customer is told of an order, once.

    `id`: what it is sent once for, within the order. `is_progress`: customers may do without it
    (`NotificationPreferences`); confirmations and receipts are sent in any case.
    """

    id: str
    subject: str
    sentences: tuple[str, ...]
    is_progress: bool = False


def confirmed(order: Json) -> Notice:
    """The order has arrived."""
    goods = tuple(f"{item['quantity']} × {item['name']}" for item in order["items"])
    return Notice("confirmed", "We have your order", ("thank you for your order.", *goods, f"Total: {_total(order)}"))


def paid(order: Json) -> Notice:
    """The receipt."""
    return Notice("paid", "We have received your payment", (f"we have received your payment of {_total(order)}.",))


def attempt_failed(message: str | None, due: str | None) -> Notice:
    """A saved method was declined while nobody was looking; the order waits."""
    until = f" until {due[:16].replace('T', ' ')} UTC" if due is not None else ""
    said = (message,) if message is not None else ()
    ask = f"Your order is kept{until}: open it and pay with another card."
    return Notice("payment_declined", "Your payment did not go through", ("your payment was declined.", *said, ask))


def unpaid(order: Json) -> Notice:
    """The order has ended: it was declined too often."""
    return Notice(
        "payment_failed",
        "Your order could not be paid",
        ("every attempt to pay your order was declined, and it has ended. Nothing was charged.",),
    )


def shipped(carrier: str, tracking_number: str) -> Notice:
    """The parcel is with the carrier."""
    sentences = ("your parcel is on its way.", f"{carrier} {tracking_number}")
    return Notice("shipped", "Your order is on its way", sentences, is_progress=True)


def delivered() -> Notice:
    """The parcel has arrived."""
    return Notice("delivered", "Your parcel has arrived", ("your parcel was delivered.",), is_progress=True)


def cancelled(reason: str, *, was_paid: bool, returned: bool) -> Notice:
    """The order has ended. `returned`: all that was paid has gone back already."""
    why = f"your order was cancelled: {_ENDS[reason]}" if reason in _ENDS else "your order was cancelled."
    if not was_paid:
        money = "Nothing was charged."
    elif returned:
        money = "What you have paid has been returned."
    else:
        money = "What you have paid goes back the way it came."
    return Notice("cancelled", "Your order was cancelled", (why, money))


def refunded(refund_id: str, amount: float, currency: str) -> Notice:
    """Money goes back; one notice for each refund."""
    sentence = f"{_money(amount, currency)} goes back the way it came. Banks take up to ten days."
    return Notice(f"refunded|{refund_id}", "Your money is on its way", (sentence,))


def mail(to: str, order: Json, notice: Notice, *, public_url: str, message_id: str) -> Message:
    """The mail of a notice; the same `message_id` each time it is sent."""
    link = f"{public_url.rstrip('/')}/orders/{order['order_id']}"
    lines = [
        greeting(order["shipping_address"]["name"]),
        *notice.sentences,
        f"Order {order['order_number']}",
        link,
        SHOP,
    ]
    paragraphs = [escape(line) for line in lines]
    paragraphs[-2] = f'<a href="{escape(link)}">Your order</a>'
    body = "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    html = f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<body>\n{body}\n</body>\n</html>\n'
    return Message(to, f"{notice.subject} - {SHOP}", "\n\n".join(lines) + "\n", html, message_id)


def text(order: Json, notice: Notice) -> str:
    """The text message of a notice."""
    return f"{SHOP}, order {order['order_number']}: {' '.join(notice.sentences)}"


def _total(order: Json) -> str:
    return _money(order["totals"]["total"], order["totals"]["currency"])


def _money(amount: float, currency: str) -> str:
    return f"{amount:.{decimals(currency)}f} {currency}"

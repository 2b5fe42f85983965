"""What customers are told about a parcel, as mail and as text message. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Final, Literal

from handlers.orders.rules import PARCEL_WORDS
from handlers.partners.carriers import tracking_url
from handlers.partners.mail import Message
from handlers.partners.sms import TextMessage

Kind = Literal["shipped", "status_update", "out_for_delivery", "delayed", "delivered"]

SHOP: Final = "Holiday Peak Hub"
_SAYS: Final[dict[Kind, tuple[str, str]]] = {
    "shipped": ("Your order is on its way", "your parcel has left our warehouse."),
    "status_update": ("News of your parcel", "here is where your parcel stands: {status}."),
    "out_for_delivery": ("Your parcel arrives today", "your parcel is out for delivery."),
    "delayed": ("Your parcel is late", "your parcel is late. We are sorry, and keep an eye on it."),
    "delivered": ("Your parcel has arrived", "your parcel was delivered."),
}


def mail(to: str, shipment: Mapping[str, Any], kind: Kind, message: str | None) -> Message:
    """The mail about a parcel; `message` is a sentence of staff."""
    subject, _ = _SAYS[kind]
    lines = [f"Hello {shipment['destination']['name']},", _says(shipment, kind), *([message] if message else [])]
    lines += [f"Order {shipment['order_number']}, {shipment['carrier']} {shipment['tracking_number']}", _url(shipment)]
    body = "\n".join(f"<p>{escape(line)}</p>" for line in (*lines, SHOP))
    html = f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<body>\n{body}\n</body>\n</html>\n'
    return Message(to, f"{subject} - {SHOP}", "\n\n".join((*lines, SHOP)) + "\n", html)


def text(to: str, shipment: Mapping[str, Any], kind: Kind, message: str | None) -> TextMessage:
    """The text message about a parcel; `message` is a sentence of staff."""
    parts = [f"{SHOP}, order {shipment['order_number']}:", _says(shipment, kind), message, _url(shipment)]
    return TextMessage(to, " ".join(part for part in parts if part))


def masked_mail(address: str) -> str:
    """An address of which only the first letter and the domain are seen."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}{'•' * 7}@{domain}"


def masked_phone(number: str) -> str:
    """A number of which only the last two digits are seen."""
    return f"{'•' * 7}{number[-2:]}"


def _says(shipment: Mapping[str, Any], kind: Kind) -> str:
    status: Any = shipment["status"]
    return _SAYS[kind][1].format(status=PARCEL_WORDS[status].lower())


def _url(shipment: Mapping[str, Any]) -> str:
    return tracking_url(shipment["carrier"], shipment["tracking_number"])

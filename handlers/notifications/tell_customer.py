"""A customer is told something of an order, once for each order and notice (decision 40).

Sent first, noted then: a process that dies in between sends once more, with the same Message-ID. The other way round a
message could be lost, which nobody would notice.
"""

from __future__ import annotations

from typing import Any

from handlers.contract.services import EventServices
from handlers.notifications import rules, store, templates
from handlers.notifications.templates import Notice
from handlers.partners.sms import TextMessage
from handlers.platform.access import is_guest_id
from handlers.platform.clock import timestamp
from handlers.users import store as users

Json = dict[str, Any]


async def tell_customer(services: EventServices, order: Json, notice: Notice) -> None:
    """Writes to the customer of an order, as its preferences say; to nobody where the person was taken out of it.

    Raises what the partners raise: the event waits while they are away.
    """
    if order.get("anonymised_at") is not None:
        return
    is_guest = is_guest_id(order["user_id"])
    account = None
    if notice.is_progress and not is_guest:
        found = await users.read(services.store, order["user_id"])
        account = found.data if found is not None else None
    if rules.wants_mail(notice, account, is_guest=is_guest):
        await _mail(services, order, notice)
    phone = rules.phone_for(notice, account)
    if phone is not None:
        await _text(services, order, notice, phone)


async def _mail(services: EventServices, order: Json, notice: Notice) -> None:
    order_id = order["order_id"]
    if await store.was_sent(services.store, order_id, notice.id, "email"):
        return
    message = templates.mail(
        order["email"],
        order,
        notice,
        public_url=services.settings.public_url,
        message_id=rules.message_id(notice, order_id),
    )
    await services.mailer.send(message)
    await store.note_sent(services.store, order_id, notice.id, "email", timestamp(services.clock.now()))


async def _text(services: EventServices, order: Json, notice: Notice, phone: str) -> None:
    order_id = order["order_id"]
    if services.texter is None or await store.was_sent(services.store, order_id, notice.id, "sms"):
        return
    await services.texter.send(TextMessage(phone, templates.text(order, notice)))
    await store.note_sent(services.store, order_id, notice.id, "sms", timestamp(services.clock.now()))

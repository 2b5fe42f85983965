"""What customers were told: container `notifications`, partition `/order_id`, one row for each notice and channel."""

from __future__ import annotations

from contextlib import suppress
from typing import Final, Literal

from handlers.platform.store.port import Create, DocumentExists, DocumentStore

CONTAINER: Final = "notifications"
Channel = Literal["email", "sms"]


async def was_sent(store: DocumentStore, order_id: str, notice_id: str, channel: Channel) -> bool:
    """Whether a notice went out. One point read."""
    return await store.read(CONTAINER, order_id, _row_id(notice_id, channel)) is not None


async def note_sent(store: DocumentStore, order_id: str, notice_id: str, channel: Channel, now: str) -> None:
    """Notes that a notice went out. May be done twice."""
    row = {"id": _row_id(notice_id, channel), "order_id": order_id, "channel": channel, "sent_at": now}
    with suppress(DocumentExists):
        await store.write(CONTAINER, Create(row))


def _row_id(notice_id: str, channel: Channel) -> str:
    return f"{notice_id}|{channel}"

"""What customers were told: container `notifications`, partition `/subject` (id of an order or account)."""

from __future__ import annotations

from contextlib import suppress
from typing import Final, Literal

from handlers.platform.store.port import Create, Delete, DocumentExists, DocumentMissing, DocumentStore

CONTAINER: Final = "notifications"
Channel = Literal["email", "sms"]


async def was_sent(store: DocumentStore, subject: str, notice_id: str, channel: Channel) -> bool:
    """Whether a notice went out. One point read."""
    return await store.read(CONTAINER, subject, _row_id(notice_id, channel)) is not None


async def note_sent(store: DocumentStore, subject: str, notice_id: str, channel: Channel, now: str) -> None:
    """Notes that a notice went out. May be done twice."""
    row = {"id": _row_id(notice_id, channel), "subject": subject, "channel": channel, "sent_at": now}
    with suppress(DocumentExists):
        await store.write(CONTAINER, Create(row))


async def forget(store: DocumentStore, subject: str, notice_id: str, channel: Channel) -> None:
    """Removes a note. Nothing happens where there is none."""
    with suppress(DocumentMissing):
        await store.write(CONTAINER, Delete(_row_id(notice_id, channel)), partition=subject)


def _row_id(notice_id: str, channel: Channel) -> str:
    return f"{notice_id}|{channel}"

"""Events that could not be applied: kept with the reason, listed, and sent again when an administrator says so.

`consumer` is the group that gave up, or `outbox-relay` for events too large to publish. A replay travels the same road
as the event did, as an outbox row that is meant for one group only, so it keeps its place behind what is under way for
the same aggregate.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from handlers.platform.clock import Clock, SystemClock, timestamp
from handlers.platform.ids import new_id
from handlers.platform.inbox import KIND as INBOX
from handlers.platform.inbox import row_id
from handlers.platform.logs import redact_text
from handlers.platform.outbox import COUNTER, WRITTEN
from handlers.platform.outbox import KIND as OUTBOX
from handlers.platform.outbox import TTL as OUTBOX_TTL
from handlers.platform.store.port import (
    And,
    Condition,
    Create,
    Document,
    DocumentExists,
    DocumentMissing,
    DocumentStore,
    Eq,
    Operation,
    Patch,
    Query,
    Replace,
    Sort,
    VersionConflict,
)

CONTAINER: Final = "dead_letters"
PURPOSE: Final = "admin_dead_letters"
RELAY: Final = "outbox-relay"
TTL: Final = 90 * 24 * 3600  # seconds
_ID: Final = re.compile(r"([a-z]+(?:-[a-z]+)*)\.([A-Za-z0-9_.-]+)\Z")

Reason = Literal["failed", "invalid", "unsupported_version", "too_large"]
Status = Literal["open", "replaying", "replayed"]


@dataclass(frozen=True, slots=True)
class Failure:
    """What could not be applied, and why. `envelope` is None when the body was not even JSON."""

    consumer: str
    event_id: str
    event_type: str
    topic: str
    key: str
    envelope: Mapping[str, Any] | None
    reason: Reason
    error: str
    attempts: int


class NotReplayable(Exception):
    """The dead letter is not one that can be sent again: it was, or is being, or never could be."""


class DeadLetters:
    """The dead letters of all consumers."""

    def __init__(self, store: DocumentStore, clock: Clock | None = None) -> None:
        self._store = store
        self._clock = clock or SystemClock()

    async def bury(self, failure: Failure) -> None:
        """Keeps the event, together with the row that makes a duplicate of it be passed over. Twice is once."""
        now = timestamp(self._clock.now())
        letter = {
            "id": letter_id(failure.consumer, failure.event_id),
            "consumer": failure.consumer,
            "status": "open",
            "reason": failure.reason,
            "error": redact_text(failure.error)[:500],
            "attempts": failure.attempts,
            "replays": 0,
            "failed_at": now,
            "event_id": failure.event_id,
            "event_type": failure.event_type,
            "topic": failure.topic,
            "partition_key": failure.key,
            "envelope": failure.envelope,
            "ttl": TTL,
        }
        row = {
            "id": row_id(failure.consumer, failure.event_id),
            "consumer": failure.consumer,
            "kind": INBOX,
            "event_id": failure.event_id,
            "event_type": failure.event_type,
            "applied_at": now,
        }
        try:
            await self._store.batch(CONTAINER, failure.consumer, [Create(row), Create(letter)])
        except DocumentExists:
            return

    async def holds(self, consumer: str, event_id: str) -> bool:
        """Whether the event is a dead letter of this consumer, sent again or not. One point read."""
        return await self._store.read(CONTAINER, consumer, row_id(consumer, event_id)) is not None

    async def ids(self, consumer: str, most: int) -> set[str]:
        """The events that are dead letters of this consumer, sent again or not: at most so many. One query."""
        page = await self._store.query(Query(CONTAINER, consumer, kind=INBOX, limit=most))
        return {row.data["event_id"] for row in page.items}

    async def find(self, dead_letter_id: str) -> Document | None:
        """A dead letter by its id."""
        match = _ID.match(dead_letter_id)
        return await self._store.read(CONTAINER, match[1], dead_letter_id) if match else None

    def query(self, consumer: str | None, status: str | None, limit: int, offset: int = 0) -> Query:
        """Dead letters, the latest first."""
        conditions: list[Condition] = [Eq("status", status)] if status else []
        sort = (Sort("failed_at", descending=True),)
        where = And(conditions) if conditions else None
        if consumer is not None:
            return Query(CONTAINER, consumer, where, sort, limit, offset=offset)
        return Query(CONTAINER, None, where, sort, limit, offset=offset, purpose=PURPOSE)

    async def replay(self, found: Document, *more: Operation) -> Document:
        """Sends the event again, to its consumer only; `more` goes into the same batch (the audit row).

        Raises `NotReplayable`, and `VersionConflict` when another was faster.
        """
        letter = found.data
        if letter["status"] != "open" or letter["envelope"] is None or letter["consumer"] == RELAY:
            raise NotReplayable(letter["status"])
        now = timestamp(self._clock.now())
        letter |= {"status": "replaying", "replays": letter["replays"] + 1, "replayed_at": now}
        letter[COUNTER] = letter.get(COUNTER, 0) + 1
        row = {
            "id": new_id("replay"),
            "consumer": letter["consumer"],
            "kind": OUTBOX,
            "ttl": OUTBOX_TTL,
            WRITTEN: now,
            "topic": letter["topic"],
            "partition_key": letter["partition_key"],
            "sequence": letter[COUNTER],
            "envelope": letter["envelope"],
            "replay_for": letter["consumer"],
        }
        operations = [Replace(letter, if_match=found.etag), Create(row), *more]
        written = await self._store.batch(CONTAINER, letter["consumer"], operations)
        assert written[0] is not None  # noqa: S101 - a replace answers the document
        return written[0]

    async def settle(self, consumer: str, event_id: str, error: Exception | None) -> None:
        """Notes how a replay went: without an error the letter is done with, else it is open again."""
        sets = (
            {"status": "replayed"}
            if error is None
            else {"status": "open", "error": describe(error), "failed_at": timestamp(self._clock.now())}
        )
        patch = Patch(letter_id(consumer, event_id), sets=sets, condition=Eq("status", "replaying"))
        try:
            await self._store.write(CONTAINER, patch, partition=consumer)
        except (DocumentMissing, VersionConflict):
            return  # a duplicate of the replay


def letter_id(consumer: str, event_id: str) -> str:
    """The id of the dead letter of a consumer and an event."""
    return f"{consumer}.{event_id}"


def describe(error: BaseException) -> str:
    """The error for a record that administrators read: its kind and its text without secrets and addresses."""
    return redact_text(f"{type(error).__name__}: {error}")[:500]

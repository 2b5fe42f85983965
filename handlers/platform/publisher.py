"""What becomes of outbox rows: messages on their topics, audit entries, or, when too large, a record and an alert."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from handlers.platform.bus.port import MAX_MESSAGE_BYTES, BusError, BusUnavailable, EventBus, Message
from handlers.platform.clock import moment
from handlers.platform.dead_letters import RELAY, DeadLetters, Failure
from handlers.platform.events import message_of
from handlers.platform.outbox import written_at
from handlers.platform.store.port import StoreError

log = logging.getLogger(__name__)

Row = Mapping[str, Any]
Sink = Callable[[Sequence[Row]], Awaitable[None]]

AUDIT: Final = "audit"  # the topic of audit rows, which stay inside: they hold addresses, and events hold none


class Publisher:
    """Publishes rows and counts. `sinks` take the rows of some topics instead of the bus."""

    def __init__(self, bus: EventBus, letters: DeadLetters, sinks: Mapping[str, Sink]) -> None:
        self.published = 0
        self.parked = 0
        self.delay = 0.0  # seconds from writing to acknowledgement, of the last row
        self._blocked: float | None = None
        self._bus = bus
        self._letters = letters
        self._sinks = sinks

    @property
    def age(self) -> float:
        """Seconds since the oldest row that could not be published yet was written; 0 while all goes well."""
        return max(0.0, time.time() - self._blocked) if self._blocked is not None else 0.0

    async def publish(self, rows: Sequence[Row]) -> list[Row]:
        """Publishes the rows, topics side by side, each key in order. Answers those that could not be, in their order.

        Of a key that is answered there is the rest and nothing that was published: so they may be given here again.
        """
        by_topic: dict[str, list[Row]] = {}
        for row in rows:
            by_topic.setdefault(row["topic"], []).append(row)
        self._blocked = self._blocked or _written(rows[0])
        sends = (self._publish(topic, own) for topic, own in by_topic.items())
        left = {row["id"] for rest in await asyncio.gather(*sends) for row in rest}
        published = [row for row in rows if row["id"] not in left]
        self.published += len(published)
        if published:
            self.delay = max(0.0, time.time() - _written(published[-1]))
        rest = [row for row in rows if row["id"] in left]
        self._blocked = _written(rest[0]) if rest else None
        return rest

    async def _publish(self, topic: str, rows: Sequence[Row]) -> Sequence[Row]:
        """What is left of a topic's rows."""
        sink = self._sinks.get(topic)
        try:
            if sink is not None:
                await sink(rows)
                return ()
            return await self._send(topic, rows)
        except (BusError, StoreError) as error:
            log.warning("the relay cannot publish to %s: %s", topic, error)
            return rows

    async def _send(self, topic: str, rows: Sequence[Row]) -> Sequence[Row]:
        messages: list[Message] = []
        sendable: list[Row] = []
        for row in rows:
            message = message_of(row)
            if message.size > MAX_MESSAGE_BYTES:
                await self._park(row, message)
            else:
                messages.append(message)
                sendable.append(row)
        if messages:
            try:
                await self._bus.publish(topic, messages)
            except BusUnavailable as error:
                log.warning("the relay cannot publish to %s: %s", topic, error)
                return [row for place, row in enumerate(sendable) if place not in error.published]
        return ()

    async def _park(self, row: Row, message: Message) -> None:
        """An event that no bus takes must not hold up the others; somebody has to look at it."""
        self.parked += 1
        log.critical("ALERT: event %s is too large to publish: %d bytes; parked", row["id"], message.size)
        failure = Failure(
            consumer=RELAY,
            event_id=row["envelope"]["event_id"],
            event_type=row["envelope"]["event_type"],
            topic=row["topic"],
            key=row["partition_key"],
            envelope=row["envelope"],
            reason="too_large",
            error=f"{message.size} bytes, at most {MAX_MESSAGE_BYTES}",
            attempts=1,
        )
        await self._letters.bury(failure)


def _written(row: Row) -> float:
    return moment(written_at(row)).timestamp()

"""What the tests of relay, consumers and dead letters work with: the chaos suite's small contract on real adapters."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from handlers.platform.bus.port import Batch, Consumption, Message, Received, Subscription
from handlers.platform.bus.sqlite import SqliteBus
from handlers.platform.dead_letters import DeadLetters
from handlers.platform.events import ID, REPLAY_FOR, TYPE, message_of
from handlers.platform.outbox import Outbox
from handlers.platform.store.port import Create, Json, Replace
from handlers.platform.store.sqlite import SqliteStore
from tests.platform.chaos.contract import EVENT, EVENTS, STORED, TOPIC, TOPICS, contract


class Parts:
    """A store, a bus, and an outbox on them."""

    def __init__(self, folder: Path) -> None:
        self.store = SqliteStore.open(folder / "documents.sqlite3", STORED)
        self.bus = SqliteBus.open(folder / "events.sqlite3", TOPICS, lease=0.5)
        self.letters = DeadLetters(self.store)
        self.outbox = Outbox(validate=contract().check, containers=STORED, events=EVENTS)
        self.got: list[Received] = []
        self.consumption: Consumption | None = None

    async def change(self, thing: Json, **data: Any) -> Create:
        """Changes a thing, with its event; answers the row."""
        found = await self.store.read("things", thing["id"], thing["id"])
        more = {"thing_id": thing["id"], "number": thing.get("event_sequence", 0) + 1, **data}
        row = self.outbox.row("things", thing, event_type=EVENT, data=more, correlation_id="request-1")
        write = Create(thing) if found is None else Replace(thing, if_match=found.etag)
        await self.store.batch("things", thing["id"], [write, row])
        return row

    async def listen(self) -> None:
        """Collects what is published."""

        async def deliver(batch: Batch) -> None:
            self.got += batch.messages
            batch.finish(len(batch.messages))

        self.consumption = await self.bus.consume([Subscription("listeners", (TOPIC,), deliver)])

    async def close(self) -> None:
        """Ends it all."""
        if self.consumption is not None:
            await self.consumption.stop()
        await self.bus.close()
        await self.store.close()


@asynccontextmanager
async def parts(folder: Path) -> AsyncIterator[Parts]:
    """Parts, closed at the end."""
    opened = Parts(folder)
    try:
        yield opened
    finally:
        await opened.close()


def thing(name: str = "thing-1") -> Json:
    """A new thing."""
    return {"id": name, "thing_id": name}


def envelope(event_id: str = "event-1", **more: Any) -> Json:
    """A valid envelope."""
    return {
        "event_id": event_id,
        "event_type": EVENT,
        "event_version": "1.0",
        "timestamp": "2026-01-25T10:45:00.000Z",
        "source": "crud-service",
        "data": {"thing_id": "thing-1", "number": 1},
        "correlation_id": "request-1",
        "causation_id": "request-1",
        **more,
    }


def received(
    body: Json | bytes, *, key: str = "thing-1", sequence: int = 1, version: int = 1, replay_for: str | None = None
) -> Received:
    """A message as the bus delivers it."""
    known: Json = body if isinstance(body, dict) else {}
    attributes = {
        ID: known.get("event_id", "event-1"),
        TYPE: f"com.holidaypeakhub.{known.get('event_type', EVENT)}.v{version}",
        **({REPLAY_FOR: replay_for} if replay_for else {}),
    }
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return Received(TOPIC, 0, sequence, key, raw, attributes, 0.0)


def messages_of(rows: Sequence[Create]) -> list[Message]:
    """What the relay makes of rows."""
    return [message_of(row.document) for row in rows]

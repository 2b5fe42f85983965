"""The adapters under the bus's conformance suite.

`eventhubs` is the adapter with its SDK on the stand-in, over sockets; `eventhubs-account` the same on the namespace or
emulator that EVENT_HUB_CONNECTION_STRING names (`infra/azure/test.sh` says what must be there).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from azure.eventhub.aio import EventHubProducerClient

from generated.containers import CONTAINERS
from generated.events import TopicSpec
from handlers.platform.bus.eventhubs import EventHubsBus
from handlers.platform.bus.eventhubs_clients import Namespace
from handlers.platform.bus.port import Batch, EventBus, Message, Received, Subscription
from handlers.platform.bus.sqlite import SqliteBus
from handlers.platform.store.port import Create
from handlers.platform.store.sqlite import SqliteStore
from infra.local.eventhubs.broker import Broker
from tests.support import wait

TOPICS: Final = {"a-events": TopicSpec(4, 168), "b-events": TopicSpec(2, 168)}
LEASE: Final = 0.5
READERS: Final = ("readers", "first", "second", "half", "all")  # the groups of the suite
NOTHING: Final = {"sequence": 0, "offset": "-1"}


Opener = Callable[[], EventBus]


@asynccontextmanager
async def _sqlite(folder: Path) -> AsyncIterator[Opener]:
    yield lambda: SqliteBus.open(folder / "events.sqlite3", TOPICS, lease=LEASE)


@asynccontextmanager
async def _stand_in(folder: Path) -> AsyncIterator[Opener]:
    broker = Broker.of({name: spec.partitions for name, spec in TOPICS.items()})
    await broker.start()
    async with _checkpoints(folder) as store:
        yield lambda: hubs_bus(broker.connection_string, store)
    await broker.stop()


@asynccontextmanager
async def _checkpoints(folder: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore.open(folder / "documents.sqlite3", CONTAINERS)
    yield store
    await store.close()


@asynccontextmanager
async def _account(folder: Path) -> AsyncIterator[Opener]:
    """What earlier tests have left in the hubs counts as read."""
    connection_string = os.environ["EVENT_HUB_CONNECTION_STRING"]
    async with _checkpoints(folder) as store:
        for topic in TOPICS:
            await _skip(connection_string, topic, store)
        yield lambda: hubs_bus(connection_string, store)


async def _skip(connection_string: str, topic: str, store: SqliteStore) -> None:
    async with EventHubProducerClient.from_connection_string(connection_string, eventhub_name=topic) as client:
        for number in await client.get_partition_ids():
            found = await client.get_partition_properties(number)
            end = {"sequence": found["last_enqueued_sequence_number"] + 1, "offset": found["last_enqueued_offset"]}
            first = {"owner": "", "epoch": int(time.time()), **(end if not found["is_empty"] else NOTHING)}
            for group in READERS:
                own = {"id": f"{topic}|{number}", "consumer_group": group, "topic": topic, "partition": int(number)}
                await store.write("checkpoints", Create({**own, **first}))


def hubs_bus(connection_string: str, store: SqliteStore) -> EventHubsBus:
    """The Event Hubs adapter, with a short lease."""
    return EventHubsBus(Namespace(connection_string=connection_string), store, TOPICS, lease=LEASE, save_seconds=0.05)


ADAPTERS: Final = {"sqlite": _sqlite, "eventhubs": _stand_in}
if os.environ.get("EVENT_HUB_CONNECTION_STRING"):
    ADAPTERS["eventhubs-account"] = _account


@pytest.fixture(params=ADAPTERS)
async def open_bus(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opener]:
    """Opens the same log again and again, as several processes would."""
    opened: list[EventBus] = []
    async with ADAPTERS[request.param](tmp_path) as open_one:

        def opener() -> EventBus:
            opened.append(open_one())
            return opened[-1]

        yield opener
        await asyncio.gather(*(bus.close() for bus in opened))


@pytest.fixture
def bus(open_bus: Opener) -> EventBus:
    """One bus."""
    return open_bus()


async def eventually(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Waits for what must come true. Long: a link takes half a second to open, and the machine may be busy."""
    await wait.eventually(condition, 40)


class Reader:
    """A group's receiver that keeps what it gets. `hold` keeps it from finishing."""

    def __init__(self, group: str = "readers") -> None:
        self.got: list[Received] = []
        self.batches: list[Batch] = []
        self.hold: asyncio.Event | None = None
        self.subscription = Subscription(group, ("a-events",), self._deliver)

    async def _deliver(self, batch: Batch) -> None:
        self.batches.append(batch)
        if self.hold is not None:
            await self.hold.wait()
        self.got += batch.messages
        batch.finish(len(batch.messages))

    @property
    def bodies(self) -> list[bytes]:
        """The bodies, in the order of arrival."""
        return [message.body for message in self.got]

    async def until(self, count: int) -> None:
        """Waits for so many messages."""
        await eventually(lambda: len(self.got) >= count)


def message(key: str, number: int) -> Message:
    """A message of a key."""
    return Message(key, f"{key}:{number}".encode(), {"cloudEvents:id": f"{key}-{number}"})

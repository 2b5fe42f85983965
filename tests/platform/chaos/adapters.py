"""The adapters under the suite. Another one is one more function."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from handlers.platform.bus.eventhubs import EventHubsBus
from handlers.platform.bus.eventhubs_clients import Namespace
from handlers.platform.bus.port import EventBus
from handlers.platform.bus.sqlite import SqliteBus
from handlers.platform.clock import SystemClock
from handlers.platform.store.port import DocumentStore
from handlers.platform.store.sqlite import SqliteStore
from infra.local.cosmos.server import Server
from infra.local.eventhubs.broker import Broker
from infra.local.eventhubs.faults import Effect, Fault
from tests.platform.chaos.contract import GROUPS, STORED, TOPIC, TOPICS
from tests.platform.chaos.plan import Adapters
from tests.platform.store.cosmos_adapters import DATABASE, stand_in, store_on

_SENDS: Final[dict[str, Effect]] = {
    "sends lost": "lost_before",
    "send acks lost": "lost_after",
    "sends unanswered": "silent",
    "sends throttled": "busy",
}
MOST_RANGES: Final = 4  # of a container; each is a feed with a lease of its own
_BREAKS: Final = (*_SENDS, "stolen links", "stolen links", "disconnects", "broker restarts in place")


def embedded(folder: Path) -> Adapters:
    """Both on SQLite."""
    return Adapters("sqlite", _sqlite_store(folder), _sqlite_bus(folder))


@asynccontextmanager
async def _embedded(folder: Path) -> AsyncIterator[Adapters]:
    yield embedded(folder)


@asynccontextmanager
async def _cosmos(folder: Path) -> AsyncIterator[Adapters]:
    """Documents on the Cosmos adapter and the stand-in, two ranges, events on SQLite.

    SDK and stand-in cost milliseconds of this one loop at each call, and whoever is late for a lease begins anew, which
    makes more work still: hence a longer lease and a slower pace, and fewer kills, for each waits for a lease to end.
    """
    server = _cosmos_server()

    async def trouble(chance: Random, seen: Counter[str]) -> None:
        _reshape(server, chance, seen)

    opening = partial(store_on, server, STORED)
    yield Adapters("cosmos", opening, _sqlite_bus(folder), lease=2.0, kills=4, pace=1.2, trouble=trouble)


@asynccontextmanager
async def _event_hubs(folder: Path) -> AsyncIterator[Adapters]:
    """Events on the Event Hubs adapter and its stand-in, over sockets; documents on SQLite."""
    async with _broker() as broker:
        yield _on(broker, "eventhubs", _sqlite_store(folder))


@asynccontextmanager
async def _azure(_: Path) -> AsyncIterator[Adapters]:
    """Both on the adapters of Azure and their stand-ins."""
    async with _broker() as broker:
        server = _cosmos_server()
        yield _on(broker, "eventhubs-cosmos", partial(store_on, server, STORED), server)


def _on(broker: Broker, name: str, open_store: Callable[[], DocumentStore], server: Server | None = None) -> Adapters:
    """A longer lease, for links take half a second to open; and fewer kills, for each waits for a lease to end."""

    def open_bus(lease: float, store: DocumentStore) -> EventBus:
        namespace = Namespace(connection_string=broker.connection_string)
        # Opening a link to a partition takes the SDK more than a second here.
        return EventHubsBus(namespace, store, TOPICS, lease=lease, save_seconds=0.1, send_seconds=4.0)

    async def trouble(chance: Random, seen: Counter[str]) -> None:
        await _break(broker, chance.choice(_BREAKS), chance, seen)
        if server is not None:
            _reshape(server, chance, seen)

    return Adapters(name, open_store, open_bus, lease=0.8, kills=4, pace=1.2, trouble=trouble)


async def _break(broker: Broker, what: str, chance: Random, seen: Counter[str]) -> None:
    seen[what] += 1
    if what in _SENDS:
        broker.faults.add(Fault(_SENDS[what]))
    elif what == "stolen links":
        broker.steal(TOPIC, chance.choice(GROUPS), chance.randrange(TOPICS[TOPIC].partitions))
    elif what == "disconnects":
        broker.disconnect()
    else:
        await broker.restart()


@asynccontextmanager
async def _broker() -> AsyncIterator[Broker]:
    broker = Broker.of({name: spec.partitions for name, spec in TOPICS.items()}, GROUPS)
    await broker.start()
    yield broker
    await broker.stop()


def _sqlite_store(folder: Path) -> Callable[[], DocumentStore]:
    return lambda: SqliteStore.open(folder / "documents.sqlite3", STORED)


def _cosmos_server() -> Server:
    return stand_in(STORED, SystemClock(), partitions=2)


def _reshape(server: Server, chance: Random, seen: Counter[str]) -> None:
    """Splits a range of a container, or merges two: outbox rows, effects, leases and checkpoints move with them."""
    found = server.collection(DATABASE, chance.choice([*STORED]))
    if len(found.partitions) < MOST_RANGES:
        seen["splits"] += 1
        found.split(chance.choice(found.partitions).id)
    else:
        seen["merges"] += 1
        at = chance.randrange(len(found.partitions) - 1)
        found.merge(found.partitions[at].id, found.partitions[at + 1].id)


def _sqlite_bus(folder: Path) -> Callable[[float, DocumentStore], EventBus]:
    return lambda lease, _: SqliteBus.open(folder / "events.sqlite3", TOPICS, lease=lease)


ADAPTERS: Final[dict[str, Callable[[Path], AbstractAsyncContextManager[Adapters]]]] = {
    "sqlite": _embedded,
    "cosmos": _cosmos,
    "eventhubs": _event_hubs,
    "eventhubs-cosmos": _azure,
}

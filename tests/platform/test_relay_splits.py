"""Relays in processes of their own, on hosts of their own, while the ranges they read are split under load."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from handlers.platform.bus.port import Batch, Subscription
from handlers.platform.bus.sqlite import SqliteBus
from handlers.platform.events import ID
from handlers.platform.outbox import Outbox
from handlers.platform.store.cosmos import CosmosStore
from handlers.platform.store.cosmos_connection import Account
from handlers.platform.store.cosmos_indexing import definition
from handlers.platform.store.port import Json, Upsert
from infra.local.cosmos.auth import WELL_KNOWN_KEY
from infra.local.cosmos.http import serving
from infra.local.cosmos.server import Server
from tests.platform.chaos.contract import EVENT, EVENTS, STORED, TOPIC, TOPICS, contract
from tests.platform.relay_child import LEASE
from tests.platform.store.cosmos_adapters import DATABASE
from tests.support.wait import eventually

# Splits; each time 8 things change twenty times. `make flows` asks for more.
SPLITS: Final = int(os.environ.get("RELAY_SPLITS", "1"))
THINGS: Final = 8
TURNS: Final = 20


class World:
    """The account, the log, and relays that come and go."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.log = folder / "events.sqlite3"
        self.bus = SqliteBus.open(self.log, TOPICS)
        self.store = CosmosStore(Account(server.url, DATABASE, WELL_KNOWN_KEY), STORED)
        self.written: list[str] = []
        self.published: list[tuple[str, str]] = []
        self.relays: list[Process] = []
        self._outbox = Outbox(validate=contract().check, containers=STORED, events=EVENTS)
        self._things: dict[str, Json] = {}
        self._hosts = 0

    async def listen(self) -> None:
        """Collects what is published: key and event."""

        async def deliver(batch: Batch) -> None:
            self.published += [(message.key, message.attributes[ID]) for message in batch.messages]
            batch.finish(len(batch.messages))

        await self.bus.consume([Subscription("listeners", (TOPIC,), deliver)])

    async def start_relay(self) -> None:
        """One more, on a host of its own."""
        self._hosts += 1
        arguments = ("tests.platform.relay_child", self.server.url, str(self.log), f"host-{self._hosts}")
        child = await asyncio.create_subprocess_exec(sys.executable, "-m", *arguments, stdout=PIPE)
        self.relays.append(child)
        assert child.stdout is not None
        assert await child.stdout.readline() == b"working\n"

    async def write(self) -> None:
        """Changes each thing twenty times, with an event each time."""
        for _ in range(TURNS):
            await asyncio.gather(*(self._change(f"thing-{number}") for number in range(THINGS)))

    async def _change(self, name: str) -> None:
        thing = self._things.setdefault(name, {"id": name, "thing_id": name})
        data = {"thing_id": name, "number": thing.get("event_sequence", 0) + 1}
        row = self._outbox.row("things", thing, event_type=EVENT, data=data, correlation_id="request-1")
        await self.store.batch("things", name, [Upsert(thing), row])
        self.written.append(str(row.document["id"]))

    def split_the_fullest(self) -> None:
        """The range with most things, under whoever reads it."""
        things = self.server.collection(DATABASE, "things")
        things.split(max(things.partitions, key=lambda part: len(part.items)).id)

    async def all_published(self) -> None:
        """Waits until every row has been published at least once."""
        await eventually(lambda: set(self.written) <= {event for _, event in self.published}, 30)

    async def kill(self) -> None:
        """Ends the relay that has been there for longest, in the middle of whatever it does."""
        victim = self.relays.pop(0)
        victim.kill()
        await victim.wait()

    async def close(self) -> None:
        """Ends it all."""
        while self.relays:
            await self.kill()
        await self.store.close()
        await self.bus.close()


@asynccontextmanager
async def world_in(folder: Path) -> AsyncIterator[World]:
    """A world with one range."""
    async with serving() as server:
        server.provide(DATABASE, [definition(container) for container in STORED.values()])
        world = World(server, folder)
        try:
            yield world
        finally:
            await world.close()


async def test_splits_under_load_lose_nothing_and_republish_nothing_of_before(tmp_path: Path) -> None:
    async with world_in(tmp_path) as world:
        await world.listen()
        for _ in range(2):
            await world.start_relay()
        await world.write()
        await world.all_published()
        for number in range(SPLITS):
            before = Counter(event for _, event in world.published)
            load = asyncio.create_task(world.write())
            await asyncio.sleep(0.1)
            world.split_the_fullest()
            await world.start_relay()  # it knows the new ranges only
            await load
            await world.all_published()
            again = Counter(event for _, event in world.published) - before
            assert not set(before) & set(again), f"split {number} published old rows again"
            assert set(again.values()) == {1}, f"split {number} published a row twice"


async def test_a_relay_that_is_killed_after_a_split_is_followed_from_where_it_was(tmp_path: Path) -> None:
    async with world_in(tmp_path) as world:
        await world.listen()
        await world.start_relay()
        await world.write()
        await world.all_published()
        await asyncio.sleep(LEASE)  # until its position is noted
        old = set(world.written)
        world.split_the_fullest()
        await world.kill()
        await world.start_relay()
        await world.write()
        await world.all_published()
        times = Counter(event for _, event in world.published)
        assert {times[event] for event in old} == {1}
        first: dict[str, list[str]] = {}
        for key, event in dict.fromkeys(world.published):
            first.setdefault(key, []).append(event)
        order = {event: place for place, event in enumerate(world.written)}
        assert all(events == sorted(events, key=order.__getitem__) for events in first.values())

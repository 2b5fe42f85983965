"""Ranges that are split and merged under running relays: nothing of before is published again, nothing is left out."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from handlers.platform.bus.port import BusUnavailable, Message
from handlers.platform.bus.sqlite import SqliteBus
from handlers.platform.dead_letters import DeadLetters
from handlers.platform.event_lag import EventLag
from handlers.platform.events import ID
from handlers.platform.feed_leases import POSITION, FeedLeases
from handlers.platform.leases import CONTAINER, Lease, has_been_ended
from handlers.platform.outbox import Outbox
from handlers.platform.relay import GROUP, Relay
from handlers.platform.store import cosmos_feed
from handlers.platform.store.port import Create, Json, Replace
from infra.local.cosmos.server import Server
from tests.platform.chaos.contract import EVENT, EVENTS, STORED, TOPICS, contract
from tests.platform.store.adapters import TestClock
from tests.platform.store.cosmos_adapters import DATABASE, stand_in, store_on
from tests.support.app import MovableClock
from tests.support.wait import eventually

THINGS = "things"


class Log:
    """A bus that only keeps what is published, in order."""

    def __init__(self) -> None:
        self.away = False
        self.messages: list[Message] = []

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Keeps, or is away."""
        await asyncio.sleep(0)
        if self.away:
            raise BusUnavailable("away")
        self.messages += messages

    def counts(self) -> Counter[str]:
        """How often each event was published."""
        return Counter(message.attributes[ID] for message in self.messages)


class World:
    """A server, a store, and what tests do on it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.store = store_on(server, STORED)
        self.outbox = Outbox(validate=contract().check, containers=STORED, events=EVENTS)
        self.bus = Log()
        self.written: list[str] = []
        self._things: dict[str, Json] = {}
        self._relays: list[Relay] = []

    @property
    def things(self) -> Any:
        """The container."""
        return self.server.collection(DATABASE, THINGS)

    async def write(self, turns: int, owners: int = 8) -> None:
        """Changes each thing so often, with an event each time."""
        for _ in range(turns):
            for number in range(owners):
                await self._change(f"thing-{number}")

    async def _change(self, name: str) -> None:
        thing = self._things.setdefault(name, {"id": name, "thing_id": name})
        found = await self.store.read(THINGS, name, name)
        data = {"thing_id": name, "number": thing.get("event_sequence", 0) + 1}
        row = self.outbox.row(THINGS, thing, event_type=EVENT, data=data, correlation_id="request-1")
        write = Create(thing) if found is None else Replace(thing, if_match=found.etag)
        await self.store.batch(THINGS, name, [write, row])
        self.written.append(str(row.document["id"]))

    async def relay(self) -> Relay:
        """One more relay, as quick as the machine."""
        bus: Any = self.bus
        relay = Relay(self.store, bus, DeadLetters(self.store), lease=2.0, relist=0.05)
        self._relays.append(relay)
        await relay.start()
        return relay

    def tended(self, relay: Relay) -> int:
        """How many feeds of things a relay attends to."""
        return sum(task.get_name().startswith(f"relay-{THINGS}") and not task.done() for task in relay.tasks())

    async def all_published(self) -> None:
        """Waits until every row has been, in order within each thing."""
        await eventually(lambda: set(self.written) <= self.bus.counts().keys())
        first: dict[str, int] = {}
        for message in self.bus.messages:
            number = int(message.attributes["cloudEvents:sequence"])
            assert number <= first.get(message.key, 0) + 1, "the order within a key is broken"
            first[message.key] = max(number, first.get(message.key, 0))

    async def feeds(self) -> list[str]:
        """Those of the container, in order."""
        return [feed for feed in await self.store.feeds(fresh=True) if feed.startswith(f"{THINGS}:")]

    async def lease_of(self, feed: str) -> Json:
        """The document."""
        found = await self.store.read(CONTAINER, GROUP, feed)
        assert found is not None
        return found.data

    async def close(self) -> None:
        """Ends it all."""
        for relay in self._relays:
            await relay.abandon()
        await self.store.close()


@pytest.fixture(autouse=True)
def always_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call asks the service."""
    monkeypatch.setattr(cosmos_feed, "LOOK", 0.0)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """With two ranges."""
    opened = World(stand_in(STORED, TestClock(), partitions=2))
    yield opened
    await opened.close()


async def test_a_new_relay_after_a_split_publishes_nothing_again(world: World) -> None:
    await world.write(5)
    first = await world.relay()
    await world.all_published()
    world.things.split("0")
    second = await world.relay()
    await world.write(5)
    await world.all_published()
    await eventually(lambda: world.tended(first) == 3)
    await first.stop()
    await world.write(2)
    await world.all_published()
    assert second.running()
    assert set(world.bus.counts().values()) == {1}


async def test_the_children_have_the_parents_position_and_the_parent_ends(world: World) -> None:
    parent, other = await world.feeds()
    await world.write(2)
    relay = await world.relay()
    await world.all_published()
    await relay.stop()
    noted = (await world.lease_of(parent))["note"][POSITION]
    world.things.split("0")
    feeds = await world.feeds()
    children = [feed for feed in feeds if feed != other]
    lease = await FeedLeases(world.store, GROUP, 2.0).claim(children[1])
    assert lease is not None
    assert lease.note == {POSITION: world.store.inherited(children[1], {parent: noted})}
    assert (await world.lease_of(children[0]))["note"] == {
        POSITION: world.store.inherited(children[0], {parent: noted})
    }
    assert has_been_ended(await world.lease_of(parent))
    assert not await Lease(world.store, GROUP, parent).acquire()


async def test_a_parent_that_is_read_still_keeps_its_children_waiting(world: World) -> None:
    parent, _ = await world.feeds()
    reading = Lease(world.store, GROUP, parent, seconds=30)
    assert await reading.acquire()
    world.things.split("0")
    children = [feed for feed in await world.feeds() if world.store.overlap(feed, parent)]
    leases = FeedLeases(world.store, GROUP, 2.0)
    assert [await leases.claim(child) for child in children] == [None, None]
    await reading.keep({POSITION: None})
    await reading.release()
    assert all([await leases.claim(child) is not None for child in children])


async def test_who_knows_only_old_ranges_does_not_bring_the_parent_back(world: World) -> None:
    parent, _ = await world.feeds()
    await world.write(2)
    relay = await world.relay()
    await world.all_published()
    await relay.stop()
    world.things.split("0")
    leases = FeedLeases(world.store, GROUP, 2.0)
    child = next(feed for feed in await world.feeds() if world.store.overlap(feed, parent))
    assert await leases.claim(child) is not None
    assert await leases.claim(parent) is None


async def test_ranges_that_are_merged_and_split_again_lose_and_repeat_nothing(world: World) -> None:
    relay = await world.relay()
    await world.write(3)
    await world.all_published()
    world.things.split("0")
    await world.write(3)
    await eventually(lambda: world.tended(relay) == 3)
    await world.all_published()
    low, high, _ = (part.id for part in world.things.partitions)
    world.things.merge(low, high)  # the bounds of the parent, which was ended
    await world.write(3)
    await world.store.feeds(fresh=True)
    await eventually(lambda: world.tended(relay) == 2)
    await world.write(3)
    await world.all_published()
    world.things.merge(*(part.id for part in world.things.partitions))
    await world.write(3)
    await world.store.feeds(fresh=True)
    await eventually(lambda: world.tended(relay) == 1)
    await world.all_published()
    assert set(world.bus.counts().values()) == {1}


async def test_a_split_while_the_bus_is_away_repeats_nothing(world: World) -> None:
    first = await world.relay()
    await world.write(3)
    await world.all_published()
    world.bus.away = True
    await world.write(2)
    world.things.split("0")
    world.things.split("1")
    second = await world.relay()
    await asyncio.sleep(0.2)
    world.bus.away = False
    await world.write(2)
    await world.all_published()
    assert first.running()
    assert second.running()
    assert set(world.bus.counts().values()) == {1}


async def test_a_split_before_the_first_row_was_read_is_read_from_the_beginning(world: World) -> None:
    await world.write(1)
    parent, _ = await world.feeds()
    lease = Lease(world.store, GROUP, parent, seconds=30)
    assert await lease.acquire()
    await lease.release()
    world.things.split("0")
    await world.relay()
    await world.all_published()
    assert set(world.bus.counts().values()) == {1}


async def test_a_split_alone_does_not_make_the_event_side_behind(world: World, tmp_path: Path) -> None:
    await world.write(2)
    relay = await world.relay()
    await world.all_published()
    await relay.stop()
    clock = MovableClock()
    clock.advance(hours=1)
    bus = SqliteBus.open(tmp_path / "events.sqlite3", TOPICS)
    world.things.split("0")
    await world.feeds()
    lag = EventLag(world.store, clock)
    for _ in range(2):  # at first nobody has looked for a while
        await lag.measure(bus)
        clock.advance(seconds=11)
    assert lag.behind_since is None
    await bus.close()


async def test_a_split_before_the_first_page_does_not_break_the_position(world: World) -> None:
    """The SDK writes a continuation then that it refuses to read (azure-cosmos 4.17)."""
    await world.write(3)
    feed, _ = await world.feeds()
    position = world.store.inherited(feed, {feed: None})
    parent, _ = world.things.partitions
    world.things.split(parent.id)
    rows: list[str] = []
    while (page := await world.store.changes(feed, position, 1)).items:
        rows += [item.data["id"] for item in page.items]
        position = page.next
    assert len(rows) == len(set(rows))
    places = [world.things.epk((f"thing-{number}",)) for number in range(8)]
    assert len(rows) == 3 * sum(parent.low <= place < parent.high for place in places) > 0

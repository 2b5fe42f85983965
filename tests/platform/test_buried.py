"""What a dead letter keeps from being applied, whoever has its partition, without a read for every event."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from handlers.platform import buried as buried_module
from handlers.platform.buried import Buried
from handlers.platform.bus.port import Batch, Consumption
from handlers.platform.bus.sqlite import SqliteBus
from handlers.platform.consumer import Consumer
from handlers.platform.dead_letters import DeadLetters, Failure
from handlers.platform.events import Event
from handlers.platform.patience import Patience
from handlers.platform.store import charges
from handlers.platform.store.port import Document, StoreUnavailable
from tests.platform.chaos.contract import EVENT, TOPIC, TOPICS, contract
from tests.platform.eventing import Parts, envelope, messages_of, parts, received, thing
from tests.support.wait import eventually

GROUP = "counters"
ONCE = Patience(attempts=1, first=0.001)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Parts]:
    """Store, bus, outbox."""
    async with parts(tmp_path) as opened:
        yield opened


class Member:
    """A process of the group: it fails at every event while `broken`, and notes those it has applied."""

    def __init__(self, world: Parts, folder: Path) -> None:
        self.bus = SqliteBus.open(folder / "events.sqlite3", TOPICS, lease=0.5)
        self.broken = True
        self.seen: list[str] = []
        self.applied: list[str] = []
        self.consumer = Consumer(GROUP, {EVENT: self._handle}, contract(), world.letters, patience=ONCE)
        self._consumption: Consumption | None = None

    async def _handle(self, event: Event[Any]) -> None:
        self.seen.append(event.id)
        if self.broken:
            raise ValueError("broken")
        self.applied.append(event.id)

    async def begin(self) -> None:
        """Takes its share."""
        self._consumption = await self.bus.consume([self.consumer.subscription((TOPIC,))])

    @property
    def owned(self) -> int:
        """How many partitions it has."""
        return len(self._consumption.progress()) if self._consumption is not None else 0

    async def die(self) -> None:
        """Saves nothing. What it has owned is free once its lease is over: to the others its process lives on."""
        assert self._consumption is not None
        await self._consumption.abandon()
        await self.bus.close()

    async def end(self) -> None:
        """Stops as it should."""
        assert self._consumption is not None
        await self._consumption.stop()
        await self.bus.close()


def failure(event_id: str, consumer: str = GROUP) -> Failure:
    """A failure at an event."""
    return Failure(consumer, event_id, EVENT, TOPIC, "thing-1", envelope(event_id), "failed", "no", 1)


async def letter(world: Parts, event_id: str) -> Document | None:
    """The dead letter of the group."""
    return await world.letters.find(f"{GROUP}.{event_id}")


async def test_events_cost_no_reads(world: Parts, tmp_path: Path) -> None:
    member = Member(world, tmp_path)
    member.broken = False
    await member.consumer.deliver(_batch("event-0"))
    counted = charges.begin()
    for number in range(1, 20):
        await member.consumer.deliver(_batch(f"event-{number}"))
    assert (len(member.applied), counted.operations) == (20, 0)
    member.consumer.subscription((TOPIC,)).taken()
    await member.consumer.deliver(_batch("event-20", "event-21"))
    assert (len(member.applied), counted.operations) == (22, 1)
    await member.bus.close()


async def test_an_event_buried_by_a_former_owner_is_not_applied_when_it_comes_again(
    world: Parts, tmp_path: Path
) -> None:
    """The successor lived before and had read the letters; the checkpoint behind the poison is lost in the crash."""
    former, successor = Member(world, tmp_path), Member(world, tmp_path)
    successor.broken = False
    await former.begin()
    await successor.begin()
    await eventually(lambda: (former.owned, successor.owned) == (2, 2))
    rows = [await world.change(thing(f"thing-{number}")) for number in range(8)]
    ids = [str(row.document["id"]) for row in rows]
    await world.bus.publish(TOPIC, messages_of(rows))
    await eventually(lambda: len(former.seen) + len(successor.seen) == 8)
    dead = {*former.seen}
    assert dead
    assert {*successor.applied} == {*ids} - dead
    for event_id in dead:
        await eventually(partial(_is_there, world, event_id))
    await former.die()
    await _forget_progress(successor)
    await eventually(lambda: successor.owned == 4)
    last = await world.change(thing("thing-8"))
    await world.bus.publish(TOPIC, messages_of([last]))
    await eventually(lambda: str(last.document["id"]) in successor.applied)
    await eventually(lambda: successor.consumer.counts.passed >= len(dead))
    assert not dead & {*successor.seen}
    await successor.end()


async def test_what_the_relay_publishes_twice_stays_buried(world: Parts, tmp_path: Path) -> None:
    """The second one comes at a place of its own, to the same owner and to the next."""
    row = await world.change(thing())
    event_id = str(row.document["id"])
    former = Member(world, tmp_path)
    await former.begin()
    await world.bus.publish(TOPIC, messages_of([row]))
    await eventually(lambda: _is_there(world, event_id))
    former.broken = False
    await world.bus.publish(TOPIC, messages_of([row]))
    await eventually(lambda: former.consumer.counts.passed == 1)
    await former.end()
    successor = Member(world, tmp_path)
    successor.broken = False
    await successor.begin()
    await world.bus.publish(TOPIC, messages_of([row]))
    await eventually(lambda: successor.consumer.counts.passed == 1)
    assert (former.seen, successor.seen) == ([event_id], [])
    await successor.end()


async def test_a_replay_is_applied_by_the_next_owner_and_the_event_itself_still_not(
    world: Parts, tmp_path: Path
) -> None:
    member = Member(world, tmp_path)
    await member.consumer.deliver(_batch("event-1"))
    found = await letter(world, "event-1")
    assert found is not None
    await world.letters.replay(found)
    successor = Member(world, tmp_path)
    successor.broken = False
    again = received(envelope("event-1"), replay_for=GROUP)
    await successor.consumer.deliver(Batch(GROUP, TOPIC, 0, [again], asyncio.Event()))
    assert successor.applied == ["event-1"]
    settled = await letter(world, "event-1")
    assert settled is not None
    assert settled.data["status"] == "replayed"
    await successor.consumer.deliver(_batch("event-1", "event-2"))
    assert successor.applied == ["event-1", "event-2"]
    await member.bus.close()
    await successor.bus.close()


async def test_letters_that_cannot_be_read_are_waited_for(
    world: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.letters.bury(failure("event-1"))
    ids, failures = world.letters.ids, [StoreUnavailable("away")] * 3

    async def failing(consumer: str, most: int) -> set[str]:
        if failures:
            raise failures.pop()
        return await ids(consumer, most)

    monkeypatch.setattr(world.letters, "ids", failing)
    member = Member(world, tmp_path)
    member.broken = False
    await member.consumer.deliver(_batch("event-1", "event-2"))
    assert (member.applied, member.consumer.counts.waited) == (["event-2"], 3)
    await member.bus.close()


async def test_too_many_letters_to_remember_are_asked_for(world: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buried_module, "MOST", 3)
    for number in range(5):
        await world.letters.bury(failure(f"event-{number}"))
    await world.letters.bury(failure("event-9", "mirrors"))
    buried = Buried(world.letters, GROUP)
    assert [await buried.holds(f"event-{number}") for number in (*range(5), 9)] == [True] * 5 + [False]
    fresh = Buried(DeadLetters(world.store), "mirrors")
    for number in range(10, 15):
        await world.letters.bury(failure(f"event-{number}", "mirrors"))
        fresh.add(f"event-{number}")
    assert [await fresh.holds(f"event-{number}") for number in range(8, 15)] == [False] + [True] * 6


async def test_what_is_taken_while_the_letters_are_read_is_read_again(world: Parts) -> None:
    class Slow(DeadLetters):
        """Its answer takes a while, as that of a distant store does."""

        async def ids(self, consumer: str, most: int) -> set[str]:
            found = await super().ids(consumer, most)
            reading.set()
            await asyncio.sleep(0.02)
            return found

    reading = asyncio.Event()
    buried = Buried(Slow(world.store), GROUP)
    asking = asyncio.create_task(buried.holds("event-1"))
    await reading.wait()
    await world.letters.bury(failure("event-1"))
    buried.taken()
    assert not await asking
    assert await buried.holds("event-1")


async def _is_there(world: Parts, event_id: str) -> bool:
    return await letter(world, event_id) is not None


async def _forget_progress(member: Member) -> None:
    """As if no checkpoint had been saved. Who owns a partition goes on where it is."""

    def forget(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE progress SET sequence = 0")

    await member.bus.submit(forget)


def _batch(*ids: str) -> Batch:
    messages = [received(envelope(event_id), sequence=place) for place, event_id in enumerate(ids, 1)]
    return Batch(GROUP, TOPIC, 0, messages, asyncio.Event())

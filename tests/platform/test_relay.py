"""The relay: soon, in order, at least once; what is too large is put apart; one at a time."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from generated.containers import CONTAINERS as _REAL
from handlers.platform.audit import Actor, AuditLog, audit_row
from handlers.platform.bus.port import MAX_MESSAGE_BYTES, BusUnavailable, Message
from handlers.platform.dead_letters import RELAY, NotReplayable
from handlers.platform.leases import Lease, LeaseLost
from handlers.platform.publisher import AUDIT
from handlers.platform.relay import GROUP, Relay
from handlers.platform.store.port import Create, Patch, StoreMisuse
from handlers.platform.store.sqlite import SqliteStore
from tests.platform.chaos.contract import TOPIC
from tests.platform.eventing import Parts, parts, thing
from tests.support.wait import eventually


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Parts]:
    """Store, bus, outbox."""
    async with parts(tmp_path) as opened:
        yield opened


async def until(world: Parts, count: int, seconds: float = 5.0) -> None:
    """Waits for so many published messages."""
    await eventually(lambda: len(world.got) >= count)


async def test_a_commit_is_published_within_100_milliseconds(world: Parts) -> None:
    await world.listen()
    relay = Relay(world.store, world.bus, world.letters)
    await relay.start()
    await asyncio.sleep(0.1)
    took, known = [], thing()
    for number in range(20):
        await world.change(known)
        started = time.perf_counter()
        await until(world, number + 1)
        took.append(time.perf_counter() - started)
        await asyncio.sleep(0.02)
    assert sorted(took)[10] < 0.1
    assert relay.running()
    assert relay.publisher.published == 20
    assert relay.publisher.age == 0
    assert 0 <= relay.publisher.delay < 5
    await relay.stop()


async def test_the_message_is_the_envelope_with_cloudevents_beside_it(world: Parts) -> None:
    await world.listen()
    row = (await world.change(thing())).document
    relay = Relay(world.store, world.bus, world.letters)
    await relay.start()
    await until(world, 1)
    [got] = world.got
    assert orjson.loads(got.body) == row["envelope"]
    assert got.key == "thing-1"
    assert dict(got.attributes) == {
        "cloudEvents:specversion": "1.0",
        "cloudEvents:id": row["id"],
        "cloudEvents:type": "com.holidaypeakhub.ThingChanged.v1",
        "cloudEvents:source": "/crud-service",
        "cloudEvents:time": row["envelope"]["timestamp"],
        "cloudEvents:subject": "thing-1",
        "cloudEvents:correlationid": "request-1",
        "cloudEvents:causationid": "request-1",
        "cloudEvents:sequence": "1",
    }
    await relay.stop()


async def test_what_was_written_before_is_published_in_order_and_once(world: Parts) -> None:
    await world.listen()
    known = [thing(f"thing-{n}") for n in range(5)]
    for _ in range(60):
        for each in known:
            await world.change(each)
    relay = Relay(world.store, world.bus, world.letters)
    await relay.start()
    await until(world, 300)
    await relay.stop()
    for each in known:
        own = [got.attributes["cloudEvents:sequence"] for got in world.got if got.key == each["id"]]
        assert own == [str(number) for number in range(1, 61)]
    again = Relay(world.store, world.bus, world.letters)
    await again.start()
    await world.change(known[0])
    await until(world, 301)
    await again.stop()
    assert len(world.got) == 301


async def test_only_one_relay_publishes_and_another_takes_over(world: Parts) -> None:
    await world.listen()
    first, second = (Relay(world.store, world.bus, world.letters, lease=0.4) for _ in range(2))
    await first.start()
    await asyncio.sleep(0.1)
    await second.start()
    known = thing()
    await world.change(known)
    await until(world, 1)
    assert (first.publisher.published, second.publisher.published) == (1, 0)
    await first.stop()
    await world.change(known)
    await until(world, 2)
    assert (first.publisher.published, second.publisher.published) == (1, 1)
    await second.abandon()
    third = Relay(world.store, world.bus, world.letters, lease=0.4)
    await third.start()
    await world.change(known)
    await eventually(lambda: world.got[-1].attributes["cloudEvents:sequence"] == "3")
    await third.stop()


async def test_an_event_that_is_too_large_is_put_apart_with_an_alert(
    world: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    await world.listen()
    known = thing()
    large = await world.change(known, text="x" * MAX_MESSAGE_BYTES)
    await world.change(known)
    relay = Relay(world.store, world.bus, world.letters)
    await relay.start()
    await until(world, 1)
    assert [got.attributes["cloudEvents:sequence"] for got in world.got] == ["2"]
    assert relay.publisher.parked == 1
    assert "ALERT" in caplog.text
    letter = await world.letters.find(f"{RELAY}.{large.document['id']}")
    assert letter is not None
    assert (letter.data["reason"], letter.data["status"]) == ("too_large", "open")
    with pytest.raises(NotReplayable):
        await world.letters.replay(letter)
    await relay.stop()


async def test_short_lives_in_a_row_do_not_publish_everything_again_and_again(world: Parts) -> None:
    await world.listen()
    known = thing()
    for _ in range(12):
        relay = Relay(world.store, world.bus, world.letters)
        await relay.start()
        for _ in range(10):
            await world.change(known)
            await asyncio.sleep(0.02)
        await relay.abandon()
        for feed in await world.store.feeds():  # as if its process had ended
            await world.store.write("leases", Patch(feed, sets={"until": 0}), partition=GROUP)
    relay = Relay(world.store, world.bus, world.letters)
    await relay.start()
    await eventually(lambda: world.got[-1].attributes["cloudEvents:sequence"] == "120")
    await relay.stop()
    times = Counter(got.attributes["cloudEvents:sequence"] for got in world.got)
    assert len(times) == 120
    assert max(times.values()) <= 3
    assert len(world.got) <= 2 * 120


class Unreachable:
    """A bus that is away until it is told otherwise."""

    def __init__(self, world: Parts) -> None:
        self.away = True
        self._bus = world.bus

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Refuses, or passes on."""
        if self.away:
            raise BusUnavailable("away")
        await self._bus.publish(topic, messages)


async def test_a_bus_that_is_away_is_waited_for(world: Parts) -> None:
    await world.listen()
    bus: Any = Unreachable(world)
    relay = Relay(world.store, bus, world.letters)
    await relay.start()
    known = thing()
    for _ in range(3):
        await world.change(known)
    await asyncio.sleep(0.3)
    assert world.got == []
    assert relay.publisher.age > 0.1
    bus.away = False
    await until(world, 3)
    assert [got.attributes["cloudEvents:sequence"] for got in world.got] == ["1", "2", "3"]
    bus.away = True
    await world.change(known)
    await asyncio.sleep(0.05)
    started = time.perf_counter()
    await relay.stop()
    assert time.perf_counter() - started < 3


async def test_audit_rows_become_audit_entries_and_never_messages(tmp_path: Path) -> None:
    async with parts(tmp_path) as world:
        store = SqliteStore.open(tmp_path / "real.sqlite3", _REAL)
        actor = Actor("admin", id="admin-1", email="admin@example.com", ip_address="203.0.113.50", user_agent="x" * 600)
        row = audit_row(
            "config",
            {"scope": "shop"},
            actor,
            entity_type="config",
            entity_id="currency",
            action="value_updated",
            changes={"value": ("USD", "EUR")},
        )
        await store.batch("config", "shop", [Create({"id": "currency", "scope": "shop"}), row])
        relay = Relay(store, world.bus, world.letters, sinks={AUDIT: AuditLog(store)})
        await world.listen()
        await relay.start()
        month = row.document["entry"]["timestamp"][:7]
        partition = ("config", month)

        async def written() -> bool:
            return await store.read("audit_logs", partition, str(row.document["id"])) is not None

        await eventually(written)
        await AuditLog(store)([row.document])
        await relay.stop()
        found = await store.read("audit_logs", partition, str(row.document["id"]))
        assert found is not None
        await store.close()
        assert found.data["changes"] == {"value": {"before": "USD", "after": "EUR"}}
        assert found.data["metadata"] == {"ip_address": "203.0.113.50", "user_agent": "x" * 512}
        assert world.got == []
        with pytest.raises(StoreMisuse):
            audit_row("lookups", {"key": "x"}, actor, entity_type="config", entity_id="x", action="x")


async def test_a_lease_has_one_holder_and_its_notes_stay(world: Parts) -> None:
    first, second = (Lease(world.store, "work", "it", seconds=0.2) for _ in range(2))
    assert await first.acquire()
    assert not await second.acquire()
    await first.keep({"position": 7})
    await first.release()
    await first.release()
    assert await second.acquire()
    assert second.note == {"position": 7}
    with pytest.raises(LeaseLost):
        await first.keep()
    await asyncio.sleep(0.25)
    third = Lease(world.store, "work", "it")
    assert await third.acquire()
    with pytest.raises(LeaseLost):
        await second.keep({"position": 8})
    await second.release()
    assert third.note == {"position": 7}
    found = await world.store.read("leases", "work", "it")
    assert found is not None
    assert found.data["epoch"] == 3


async def test_the_lease_of_a_process_that_ended_is_free(world: Parts) -> None:
    lease = Lease(world.store, GROUP, TOPIC)
    assert await lease.acquire()
    found = await world.store.read("leases", GROUP, TOPIC)
    assert found is not None
    host, namespace, pid, started, chance = found.data["owner"].split("~")
    dead = {**found.data, "owner": "~".join((host, namespace, pid, started + "1", chance))}
    await world.store.write("leases", Create({**dead, "id": "dead"}))
    assert await Lease(world.store, GROUP, "dead").acquire()

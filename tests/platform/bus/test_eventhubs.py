"""The Event Hubs adapter alone: the hub away, links stolen, answers lost, checkpoints of two owners."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from generated.containers import CONTAINERS
from handlers.parts import open_bus
from handlers.platform.bus.eventhubs import EventHubsBus
from handlers.platform.bus.eventhubs_clients import Clients, Namespace
from handlers.platform.bus.eventhubs_shares import EARLIEST, Place, Shares
from handlers.platform.bus.port import BusUnavailable, Message
from handlers.platform.clock import SystemClock
from handlers.platform.relay import Relay
from handlers.platform.store.sqlite import SqliteStore
from infra.local.eventhubs.broker import Broker
from infra.local.eventhubs.faults import Fault
from tests.platform.bus.conftest import LEASE, TOPICS, Reader, eventually, message
from tests.platform.chaos import contract
from tests.platform.eventing import Parts, parts, thing
from tests.support.app import settings_for

KEY = ("readers", "a-events", 0)


@asynccontextmanager
async def hub(folder: Path, send_seconds: float = 5.0) -> AsyncIterator[tuple[Broker, EventHubsBus]]:
    """A broker, and a bus on it."""
    store = SqliteStore.open(folder / "checkpoints.sqlite3", CONTAINERS)
    broker = Broker.of({**dict.fromkeys(TOPICS, 1), contract.TOPIC: 1})
    await broker.start()
    namespace = Namespace(connection_string=broker.connection_string)
    topics = {**TOPICS, **contract.TOPICS}
    bus = EventHubsBus(namespace, store, topics, lease=LEASE, save_seconds=0.05, send_seconds=send_seconds)
    yield broker, bus
    await bus.close()
    await broker.stop()
    await store.close()


async def test_while_event_hubs_is_away_the_outbox_keeps_and_the_relay_tries_again(tmp_path: Path) -> None:
    async with hub(tmp_path, send_seconds=1.0) as (broker, bus), parts(tmp_path) as world:
        reader = Reader()
        reader.subscription = type(reader.subscription)("readers", (contract.TOPIC,), reader.subscription.deliver)
        consumption = await bus.consume([reader.subscription])
        relay = Relay(world.store, bus, world.letters, lease=LEASE)
        await relay.start()
        await changed(world, 1)
        await reader.until(1)
        await broker.stop()
        with pytest.raises(BusUnavailable):  # what makes a worker unready; whoever answers requests goes on
            await bus.ping()
        await changed(world, 2, 3)  # requests are served all the same
        await eventually(lambda: relay.publisher.age > 0)
        assert relay.running()
        await broker.start()
        await eventually(lambda: len({got.attributes["cloudEvents:id"] for got in reader.got}) == 3)
        assert relay.publisher.parked == 0
        await bus.ping()
        await relay.stop()
        await consumption.stop()


async def changed(world: Parts, *numbers: int) -> None:
    """Things change, each with its event."""
    for number in numbers:
        await world.change(thing(f"thing-{number}"))


async def test_a_stolen_link_and_a_restart_repeat_nothing_to_the_receiver(tmp_path: Path) -> None:
    async with hub(tmp_path) as (broker, bus):
        reader = Reader()
        consumption = await bus.consume([reader.subscription])
        await bus.publish("a-events", [message("k", 1)])
        await reader.until(1)
        assert broker.steal("a-events", "readers", 0) == 1
        await bus.publish("a-events", [message("k", 2)])
        await eventually(lambda: len(reader.got) == 2)
        await broker.restart()
        await bus.publish("a-events", [message("k", 3)])
        await eventually(lambda: len(reader.got) == 3)
        assert reader.bodies == [b"k:1", b"k:2", b"k:3"]
        await consumption.stop()


async def test_a_send_that_nobody_answers_fails_in_time_and_the_next_one_works(tmp_path: Path) -> None:
    async with hub(tmp_path, send_seconds=3.0) as (broker, bus):
        broker.faults.add(Fault("silent"))
        with pytest.raises(BusUnavailable):
            await bus.publish("a-events", [message("k", 1)])
        await bus.publish("a-events", [message("k", 1)])
        assert len(broker.hubs["a-events"].partitions[0].log) == 2  # the first had arrived: at least once


async def test_many_large_messages_of_a_key_go_in_several_batches_in_order(tmp_path: Path) -> None:
    async with hub(tmp_path) as (broker, bus):
        reader = Reader()
        consumption = await bus.consume([reader.subscription])
        bodies = [bytes([65 + number]) * 400_000 for number in range(5)]
        await bus.publish("a-events", [Message("k", body, {}) for body in bodies])
        await reader.until(5)
        assert reader.bodies == bodies
        assert broker.sends == 3
        await consumption.stop()


async def test_messages_that_went_by_age_are_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with hub(tmp_path) as (broker, bus):
        reader = Reader()
        consumption = await bus.consume([reader.subscription])
        await bus.publish("a-events", [message("k", 1)])
        await reader.until(1)
        await consumption.stop()
        await bus.publish("a-events", [message("k", 2), message("k", 3)])
        broker.hubs["a-events"].partitions[0].forget(2)
        again = Reader()
        consumption = await bus.consume([again.subscription])
        await again.until(1)
        assert again.bodies == [b"k:3"]
        assert "removed by age" in caplog.text
        await consumption.stop()


async def test_a_checkpoint_never_goes_back_and_a_former_owner_has_none(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "documents.sqlite3", CONTAINERS)
    wanted = {"readers": [KEY]}
    first, second = Shares(store, "first", 0.05, wanted), Shares(store, "second", 30.0, wanted)
    assert (await first.balance()).owned == {KEY: Place(1, 0, EARLIEST)}
    assert await first.save(KEY, Place(1, 7, "seven"))
    assert await first.save(KEY, Place(1, 5, "five"))  # it has been saved already, and more

    async def taken() -> bool:
        return (await second.balance()).owned == {KEY: Place(2, 7, "seven")}

    await eventually(taken)
    assert not await first.save(KEY, Place(1, 9, "nine"))
    await first.leave()  # hands back what it has no more
    assert await second.save(KEY, Place(2, 8, "eight"))
    await store.close()


async def test_a_namespace_is_reached_by_name_and_entra_id(tmp_path: Path) -> None:
    for name in ("holiday-peak-events", "holiday-peak-events.servicebus.windows.net"):
        assert Namespace(name).host == "holiday-peak-events.servicebus.windows.net"
    clients = Clients(Namespace("holiday-peak-events"))  # nothing is connected yet
    await clients.producer("a-events").close()
    await clients.consumer("a-events", "readers").close()
    await clients.close()
    store = SqliteStore.open(tmp_path / "documents.sqlite3", CONTAINERS)
    bus = open_bus(settings_for(tmp_path, None, EVENT_HUB_NAMESPACE="holiday-peak-events"), store, SystemClock())
    assert isinstance(bus, EventHubsBus)
    await bus.close()
    await store.close()


def test_its_library_is_loaded_only_when_it_is_chosen() -> None:
    code = "import sys, handlers.app, handlers.worker; sys.exit('azure.eventhub' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

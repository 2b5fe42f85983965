"""Publishing to Event Hubs at a distance: keys side by side, each in order, and nothing twice that was acknowledged."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from generated.containers import CONTAINERS
from handlers.platform.bus.eventhubs import EventHubsBus
from handlers.platform.bus.eventhubs_clients import Namespace
from handlers.platform.bus.eventhubs_sending import place_of
from handlers.platform.bus.port import BusUnavailable
from handlers.platform.relay import Relay
from handlers.platform.store.sqlite import SqliteStore
from infra.local.eventhubs.broker import Broker
from infra.local.eventhubs.faults import Fault
from tests.platform.bus.conftest import eventually, message
from tests.platform.chaos import contract
from tests.platform.eventing import parts, thing

NAMES = [str(number) for number in range(8)]


@pytest.fixture
async def far_hub(tmp_path: Path) -> AsyncIterator[tuple[Broker, EventHubsBus]]:
    """A broker with eight partitions, 10 ms away."""
    store = SqliteStore.open(tmp_path / "checkpoints.sqlite3", CONTAINERS)
    broker = Broker.of({contract.TOPIC: 8})
    broker.latency = 0.01
    await broker.start()
    bus = EventHubsBus(Namespace(connection_string=broker.connection_string), store, contract.TOPICS)
    yield broker, bus
    await bus.close()
    await broker.stop()
    await store.close()


async def test_many_keys_are_published_side_by_side(tmp_path: Path, far_hub: tuple[Broker, EventHubsBus]) -> None:
    """2,000 events of 200 keys in a few round trips a partition; one key at a time would take one for each event."""
    broker, bus = far_hub
    async with parts(tmp_path) as world:
        things = [thing(f"thing-{number}") for number in range(200)]
        await asyncio.gather(*map(world.change, things))
        relay = Relay(world.store, bus, world.letters)
        await relay.start()
        await eventually(lambda: relay.publisher.published == 200)  # the links are open
        await relay.stop()
        for _ in range(10):
            await asyncio.gather(*map(world.change, things))
        sends = broker.sends
        relay = Relay(world.store, bus, world.letters)
        await relay.start()
        await eventually(lambda: relay.publisher.published == 2000)
        await relay.stop()
        # At 10 ms a round trip, and partitions side by side, that is 0.1 s of waiting for 2,000 events.
        assert broker.sends - sends <= 8 * (2000 / 256 + 1)
    for thing_id in (each["id"] for each in things):
        assert stored(broker, thing_id, rb'"number":(\d+)') == [*range(1, 12)]


async def test_what_was_acknowledged_is_not_sent_again_when_a_partition_fails(
    tmp_path: Path, far_hub: tuple[Broker, EventHubsBus]
) -> None:
    broker, bus = far_hub
    messages = [message(f"k{number % 16}", number) for number in range(160)]
    await bus.publish(contract.TOPIC, messages[:16])  # the links are open
    failing = place_of("k3", NAMES)
    broker.faults.add(Fault("busy", times=1000, partition=int(failing)))
    with pytest.raises(BusUnavailable) as failed:
        await bus.publish(contract.TOPIC, messages[16:])
    left = [one for place, one in enumerate(messages[16:]) if place not in failed.value.published]
    broker.faults.clear()
    assert left == [one for one in messages[16:] if place_of(one.key, NAMES) == failing]
    assert 0 < len(left) < 144
    await bus.publish(contract.TOPIC, left)
    assert sum(len(partition.log) for partition in broker.hubs[contract.TOPIC].partitions) == 160
    for key in range(16):
        assert stored(broker, f"k{key}", rb"k\d+:(\d+)") == [*range(key, 160, 16)]


def test_keys_go_where_the_sdks_buffered_producer_sends_them() -> None:
    """Another mapping after an upgrade of the SDK would break the order within keys for a moment."""
    assert [place_of(f"order-{number}", NAMES) for number in range(12)] == [*"773327562457"]


def stored(broker: Broker, key: str, number: bytes) -> list[int]:
    """The numbers in a key's messages, in the order of its partition."""
    logs = (partition.log for partition in broker.hubs[contract.TOPIC].partitions)
    return [int(re.findall(number, one.rest)[0]) for log in logs for one in log if one.key == key]

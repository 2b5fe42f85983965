"""The stand-in under the real SDK: sending, reading, tokens, epochs, faults."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.eventhub import EventData
from azure.eventhub.aio import EventHubProducerClient
from azure.eventhub.exceptions import AuthenticationError, EventHubError

from infra.local.eventhubs.broker import Broker
from infra.local.eventhubs.faults import Fault
from tests.infra.eventhubs.conftest import HUB, QUICK, listening, producer, send
from tests.support.wait import eventually


async def test_events_arrive_with_key_properties_and_place(broker: Broker) -> None:
    async with producer(broker) as client, listening(broker) as listener:
        event = EventData(b'{"a": 1}')
        event.properties = {"cloudEvents:type": "x", "count": 3}
        event.content_type, event.message_id = "application/json", "event-1"
        batch = await client.create_batch(partition_key="order-1")
        batch.add(event)
        await client.send_batch(batch)
        await listener.until(1)
    [got] = listener.got
    assert (got.body_as_str(), got.partition_key, got.sequence_number) == ('{"a": 1}', b"order-1", 0)
    assert got.properties == {b"cloudEvents:type": b"x", b"count": 3}
    assert (got.content_type, got.message_id) == ("application/json", "event-1")
    assert got.offset == "7"
    assert got.enqueued_time is not None
    assert abs(got.enqueued_time - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_key_keeps_its_partition_and_order_others_go_in_turn(broker: Broker) -> None:
    async with producer(broker) as client, listening(broker) as listener:
        for number in range(0, 30, 3):
            await send(client, "k", *(f"k{number + i}" for i in range(3)))
        await listener.until(30)
        assert listener.bodies == [f"k{number}" for number in range(30)]
        assert len({*listener.partitions}) == 1
        for _ in range(8):
            await send(client, None, "any")
        await listener.until(38)
        assert {*listener.partitions} == {"0", "1", "2", "3"}
        await send(client, None, "there", partition="2")
        await listener.until(39)
        assert (listener.bodies[-1], listener.partitions[-1]) == ("there", "2")


async def test_hub_and_partitions_tell_of_themselves(broker: Broker) -> None:
    async with producer(broker) as client:
        assert await client.get_partition_ids() == ["0", "1", "2", "3"]
        empty = await client.get_partition_properties("1")
        assert (empty["is_empty"], empty["last_enqueued_sequence_number"]) == (True, -1)
        await send(client, None, "a", "b", partition="1")
        full = await client.get_partition_properties("1")
        assert (full["is_empty"], full["last_enqueued_sequence_number"]) == (False, 1)


POSITIONS: list[tuple[dict[str, Any], list[str]]] = [
    ({"starting_position": "-1"}, ["a", "b", "c"]),
    ({"starting_position": 0}, ["b", "c"]),
    ({"starting_position": 1, "starting_position_inclusive": True}, ["b", "c"]),
    ({"starting_position": "1007"}, ["c"]),
    ({"starting_position": datetime(2020, 1, 1, tzinfo=UTC)}, ["a", "b", "c"]),
    ({"starting_position": "@latest"}, []),
]


async def test_reading_starts_where_it_is_asked_to(broker: Broker) -> None:
    readers = broker.hubs[HUB].partitions[0].readers
    async with producer(broker) as client, AsyncExitStack() as stack:
        await send(client, None, "a", "b", "c", partition="0")
        listeners = [
            await stack.enter_async_context(listening(broker, partition_id="0", **options)) for options, _ in POSITIONS
        ]
        await eventually(lambda: len(readers.get("readers", [])) == len(POSITIONS), 30)
        await send(client, None, "last", partition="0")
        for listener, (options, wanted) in zip(listeners, POSITIONS, strict=True):
            await listener.until(len(wanted) + 1)
            assert listener.bodies == [*wanted, "last"], options


async def test_large_events_and_many_of_them(broker: Broker) -> None:
    async with producer(broker) as client, listening(broker) as listener:
        await send(client, "k", "x" * 900_000)
        with pytest.raises(ValueError, match="size limit"):
            await send(client, "k", "x" * 1_100_000)
        for start in range(0, 2000, 200):
            await send(client, "k", *(str(start + i) for i in range(200)))
        await listener.until(2001)
    assert len(listener.bodies[0]) == 900_000
    assert listener.bodies[1:] == [str(number) for number in range(2000)]


async def test_wrong_keys_hubs_and_groups_are_refused(broker: Broker) -> None:
    wrong = EventHubProducerClient.from_connection_string(
        broker.connection_string_with("wrong"), eventhub_name=HUB, **QUICK
    )
    async with wrong as client:
        with pytest.raises(AuthenticationError):
            await send(client, "k", "a")
        with pytest.raises(EventHubError):
            await client.get_partition_ids()
    async with producer(broker, "no-events") as client:
        with pytest.raises(EventHubError, match="could not be found"):
            await send(client, "k", "a")
    async with listening(broker, "strangers", partition_id="0"):  # the SDK says nothing and tries again
        await eventually(lambda: any("consumer group 'strangers'" in text for text in broker.refusals))


async def test_the_stronger_epoch_has_the_partition(broker: Broker) -> None:
    async with listening(broker, partition_id="0", owner_level=1) as first, producer(broker) as client:
        await send(client, None, "a", partition="0")
        await first.until(1)
        async with listening(broker, partition_id="0", owner_level=2) as second:
            await first.until(1, errors=1)
            await send(client, None, "b", partition="0")
            await second.until(2)
            async with listening(broker, partition_id="0") as third:
                await third.until(0, errors=1)
            assert "stolen" in str(first.errors[0])
            assert first.bodies == ["a"]
    assert second.bodies == ["a", "b"]
    assert third.bodies == []


async def test_a_lost_acknowledgement_stores_twice_and_a_lost_send_once(broker: Broker) -> None:
    async with producer(broker) as client, listening(broker) as listener:
        await send(client, "k", "warm")
        broker.faults.add(Fault("lost_after"))
        await send(client, "k", "twice")
        broker.faults.add(Fault("lost_before"))
        await send(client, "k", "once")
        await listener.until(4)
    assert listener.bodies == ["warm", "twice", "twice", "once"]
    assert broker.faults.happened == 2


async def test_a_throttled_send_comes_again(broker: Broker) -> None:
    async with producer(broker) as client, listening(broker) as listener:
        broker.faults.add(Fault("busy", skip=1))
        await send(client, "k", "a")
        await send(client, "k", "b")  # the SDK sends it again by itself
        await listener.until(2)
    assert listener.bodies == ["a", "b"]
    assert broker.faults.happened == 1


async def test_clients_outlive_a_restart_and_stolen_links_are_told(broker: Broker) -> None:
    async with producer(broker) as client, listening(broker, partition_id="0", owner_level=0) as listener:
        await send(client, None, "a", partition="0")
        await listener.until(1)
        await broker.restart()
        await send(client, None, "b", partition="0")
        await eventually(lambda: "b" in listener.bodies, 30)
        assert broker.steal(HUB, "readers", 0) == 1
        await listener.until(2, errors=1)
    assert "stolen" in str(listener.errors[0])

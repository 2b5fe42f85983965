"""A broker on loopback, and clients of the real SDK on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from azure.eventhub import EventData
from azure.eventhub.aio import EventHubConsumerClient, EventHubProducerClient

from infra.local.eventhubs.broker import Broker
from tests.support.wait import eventually

HUB: Final = "a-events"
GROUP: Final = "readers"
QUICK: Final[dict[str, Any]] = {"retry_total": 2, "retry_backoff_factor": 0.05, "retry_backoff_max": 0.5}


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    """One hub of four partitions, one group."""
    broker = Broker.of({HUB: 4}, [GROUP])
    await broker.start()
    yield broker
    await broker.stop()


def producer(broker: Broker, hub: str = HUB, **more: Any) -> EventHubProducerClient:
    """The SDK's."""
    return EventHubProducerClient.from_connection_string(
        broker.connection_string, eventhub_name=hub, **{**QUICK, **more}
    )


async def send(client: EventHubProducerClient, key: str | None, *bodies: str, partition: str | None = None) -> None:
    """One batch."""
    batch = await client.create_batch(partition_key=key, partition_id=partition)
    for body in bodies:
        batch.add(EventData(body))
    await client.send_batch(batch)


class Listener:
    """Receives all partitions, or one, until its context ends."""

    def __init__(self) -> None:
        self.got: list[EventData] = []
        self.partitions: list[str] = []
        self.errors: list[Exception] = []

    @property
    def bodies(self) -> list[str]:
        """What has come, in the order in which it came."""
        return [event.body_as_str() for event in self.got]

    async def on_batch(self, context: Any, events: list[EventData]) -> None:
        """For `receive_batch`."""
        self.got += events
        self.partitions += [context.partition_id] * len(events)

    async def on_error(self, _: Any, error: Exception) -> None:
        """For `receive_batch`."""
        self.errors.append(error)

    async def until(self, count: int, *, errors: int = 0) -> None:
        """Waits for so many events and errors."""
        await eventually(lambda: len(self.got) >= count and len(self.errors) >= errors, 30)


@asynccontextmanager
async def listening(broker: Broker, group: str = GROUP, **options: Any) -> AsyncIterator[Listener]:
    """A consumer of the real SDK at work."""
    listener = Listener()
    client = EventHubConsumerClient.from_connection_string(
        broker.connection_string, group, eventhub_name=HUB, load_balancing_interval=0.2, **QUICK
    )
    options = {"starting_position": "-1", **options}
    task = asyncio.create_task(client.receive_batch(listener.on_batch, on_error=listener.on_error, **options))
    try:
        yield listener
    finally:
        task.cancel()
        await asyncio.wait({task})
        await client.close()

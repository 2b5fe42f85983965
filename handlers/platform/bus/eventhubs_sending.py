"""Sending to Event Hubs: many keys in one batch, the partitions of a hub side by side, each in order.

A batch with a partition key holds messages of that key only, and a link waits for each acknowledgement: one key at a
time is 1 / round trip, 85 a second at 10 ms. So messages are sent to partitions, by the hash that the SDK's own
buffered producer takes for the service's, each with its key beside it. Should Azure's differ, an agent's events of the
same aggregate come in another partition than ours; ours keep their order all the same. A partition that fails holds up
no other, and what was acknowledged is said in the error, so that it is not sent again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

from azure.core.exceptions import AzureError
from azure.eventhub import EventData, EventDataBatch
from azure.eventhub._buffered_producer._partition_resolver import (
    generate_hash_code,  # not public, but what the SDK's producers agree on; tests hold what it answers
)
from azure.eventhub.aio import EventHubProducerClient
from azure.eventhub.exceptions import EventHubError

from handlers.platform.bus.eventhubs_clients import Clients
from handlers.platform.bus.port import BusUnavailable, Message, MessageTooLarge
from handlers.platform.events import ID

log = logging.getLogger(__name__)
T = TypeVar("T")

ERRORS: Final = (EventHubError, AzureError, OSError, TimeoutError)
MAX_BATCH_BYTES: Final = 1024 * 1024  # what the service takes in one send
MOST: Final = 500  # messages of a batch: packing them must not keep the event loop
_KEY: Final = b"x-opt-partition-key"

Numbered = tuple[int, Message]  # a message and its place in the call


class Sending:
    """What goes to one partition, one batch after the other. Its client is opened at the first message.

    `attend` is told of tasks that outlive a call.
    """

    def __init__(
        self, clients: Clients, topic: str, partition: str, seconds: float, attend: Callable[[asyncio.Task[Any]], None]
    ) -> None:
        self._clients = clients
        self._topic = topic
        self._partition = partition
        self._seconds = seconds
        self._attend = attend
        self._turn = asyncio.Lock()
        self._producer: EventHubProducerClient | None = None

    async def send(self, messages: Sequence[Numbered], sent: set[int]) -> None:
        """Sends in order, and notes in `sent` whatever is acknowledged. Raises `BusUnavailable`."""
        async with self._turn:
            producer = self._producer = self._producer or self._clients.producer(self._topic)
            try:
                await self._send(producer, messages, sent)
            except (TimeoutError, asyncio.CancelledError) as error:
                self._discard()
                if isinstance(error, TimeoutError):
                    raise BusUnavailable("Event Hubs did not answer in time") from error
                raise
            except ERRORS as error:
                raise BusUnavailable(f"Event Hubs: {type(error).__name__}") from error

    async def close(self) -> None:
        """Ends its connection."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await closed(producer)

    async def _send(self, producer: EventHubProducerClient, messages: Sequence[Numbered], sent: set[int]) -> None:
        packed: list[int] = []
        batch = self._batch()
        for number, message in messages:
            event = _event(message)
            if len(packed) == MOST or not _added(batch, event):
                await self._bounded(producer.send_batch(batch))
                sent.update(packed)
                packed = []
                batch = self._batch()
                if not _added(batch, event):
                    raise MessageTooLarge(f"{message.size} bytes do not fit into a batch")
            packed.append(number)
        await self._bounded(producer.send_batch(batch))
        sent.update(packed)

    def _batch(self) -> EventDataBatch:
        """Not made by the producer, which would open a link to the hub as a whole for it, to ask for the size."""
        return EventDataBatch(max_size_in_bytes=MAX_BATCH_BYTES, partition_id=self._partition)

    async def _bounded(self, work: Coroutine[Any, Any, T]) -> T:
        return await bounded(work, self._seconds, self._attend)

    def _discard(self) -> None:
        """A producer that was cut off in the middle of a send may time out for ever after (azure-eventhub 5.15)."""
        producer, self._producer = self._producer, None
        if producer is not None:
            self._attend(asyncio.create_task(closed(producer), name=f"events-closing-{self._topic}"))


def place_of(key: str, partitions: Sequence[str]) -> str:
    """The partition of a key."""
    code: int = generate_hash_code(key)  # type: ignore[no-untyped-call]  # the SDK's own
    return partitions[abs(code % len(partitions))]


async def bounded(work: Coroutine[Any, Any, T], seconds: float, attend: Callable[[asyncio.Task[Any]], None]) -> T:
    """Work of the SDK, for so long at most. In a task of its own: the SDK loses cancellations at times.

    (It awaits `asyncio.wait_for`, which forgets one before Python 3.12.) Raises `TimeoutError`.
    """
    task = asyncio.create_task(work)
    attend(task)
    try:
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            raise TimeoutError
        return task.result()
    finally:
        task.cancel()


async def closed(producer: EventHubProducerClient) -> None:
    """Closes a producer, be it broken or not."""
    try:
        await producer.close()
    except ERRORS as error:
        log.warning("a broken link to Event Hubs did not close: %s", type(error).__name__)


def _event(message: Message) -> EventData:
    """CloudEvents over AMQP, binary mode: attributes as application properties beside the data."""
    event = EventData(message.body)
    event.properties = {name: value for name, value in message.attributes.items()}  # noqa: C416 - of wider type
    event.content_type = "application/json"
    event.raw_amqp_message.annotations = {_KEY: message.key}
    if ID in message.attributes:
        event.message_id = message.attributes[ID]
    return event


def _added(batch: EventDataBatch, event: EventData) -> bool:
    try:
        batch.add(event)
    except ValueError:  # it is full
        return False
    return True

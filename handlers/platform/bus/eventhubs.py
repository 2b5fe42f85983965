"""The event bus on Azure Event Hubs. Loaded only when the settings name a namespace.

What the service does otherwise than the embedded log: a call of `publish` may be carried out in part before it fails; a
lost acknowledgement stores messages twice (the SDK sends again); each partition that is read costs a connection; five
processes at most read one broadcast group (readers of a consumer group without an epoch). `Received.sequence` is the
service's number plus one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from azure.core.exceptions import AzureError
from azure.eventhub import EventData, EventDataBatch
from azure.eventhub.aio import EventHubProducerClient
from azure.eventhub.exceptions import EventHubError

from generated.events import TOPICS, TopicSpec
from handlers.platform.bus.eventhubs_clients import Clients, Namespace
from handlers.platform.bus.eventhubs_consumption import EventHubsConsumption
from handlers.platform.bus.eventhubs_shares import EARLIEST, Key, Place, checkpoints
from handlers.platform.bus.port import (
    MAX_MESSAGE_BYTES,
    BusMisuse,
    BusUnavailable,
    Message,
    MessageTooLarge,
    Position,
    Subscription,
)
from handlers.platform.events import ID
from handlers.platform.store.port import DocumentStore, StoreError

log = logging.getLogger(__name__)
T = TypeVar("T")

LEASE: Final = 30.0  # seconds; a process that hangs keeps its partitions for so long
SAVE_SECONDS: Final = 1.0  # so much of the work is done again after a crash; each partition that moved is a write
SEND_SECONDS: Final = 10.0  # for one batch, the SDK's own attempts and the opening of the link included
ASK_SECONDS: Final = 30.0  # for a question about a hub, at the start
CLOSE_SECONDS: Final = 5.0
PING_SECONDS: Final = 3.0
_ERRORS: Final = (EventHubError, AzureError, OSError, TimeoutError)


class EventHubsBus:
    """The `EventBus` on Event Hubs. `store`: where owners and checkpoints are kept; whoever opened it closes it."""

    def __init__(
        self,
        namespace: Namespace,
        store: DocumentStore,
        topics: Mapping[str, TopicSpec] = TOPICS,
        *,
        lease: float = LEASE,
        save_seconds: float = SAVE_SECONDS,
        send_seconds: float = SEND_SECONDS,
    ) -> None:
        self.clients = Clients(namespace)
        self.store = store
        self.lease = lease
        self.save_seconds = save_seconds
        self.closed = False
        self._send_seconds = send_seconds
        self._producers: dict[str, EventHubProducerClient] = {}
        self._sending = {topic: asyncio.Lock() for topic in topics}
        self._partitions: dict[str, list[int]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Returns once all are acknowledged. One batch a key, and more where it does not fit."""
        sending = self._sending.get(topic)
        if sending is None:
            raise BusMisuse(f"there is no topic {topic!r} (asyncapi/channels)")
        by_key: dict[str, list[Message]] = {}
        for message in messages:
            if message.size > MAX_MESSAGE_BYTES:
                raise MessageTooLarge(f"{message.size} bytes, at most {MAX_MESSAGE_BYTES}")
            by_key.setdefault(message.key, []).append(message)
        async with sending:
            try:
                async with self._producer(topic) as producer:
                    for key, own in by_key.items():
                        await self._send(producer, key, own)
            except (BusUnavailable, asyncio.CancelledError):
                self._discard(topic)
                raise

    async def consume(self, subscriptions: Sequence[Subscription]) -> EventHubsConsumption:
        """Starts delivering."""
        await asyncio.gather(*(self._count(topic) for topic in {topic for s in subscriptions for topic in s.topics}))
        wanted = {s.group: self._keys(s) for s in subscriptions if not s.broadcast}
        own = [(s, key) for s in subscriptions if s.broadcast for key in self._keys(s)]
        places = await asyncio.gather(*(self._end_of(topic, number) for _, (_, topic, number) in own))
        consumption = EventHubsConsumption(self, subscriptions, wanted)
        await consumption.start([(s, key, place) for (s, key), place in zip(own, places, strict=True)])
        return consumption

    async def positions(self, groups: Mapping[str, Sequence[str]]) -> list[Position]:
        """How far each group has come: checkpoints are in the store, the service is asked for the heads."""
        topics = sorted({topic for own in groups.values() for topic in own})
        await asyncio.gather(*(self._count(topic) for topic in topics if topic not in self._partitions))
        parts = [(topic, number) for topic in topics for number in self._partitions[topic]]
        # The checkpoints first: what they say is handled has been published before the heads are read.
        try:
            reached = [(group, await checkpoints(self.store, group)) for group in groups]
        except StoreError as error:
            raise BusUnavailable("the checkpoints cannot be read") from error
        heads = dict(zip(parts, await asyncio.gather(*(self._end_of(*part) for part in parts)), strict=True))
        return [
            Position(group, topic, number, own.get((topic, number), 0), heads[topic, number].sequence)
            for group, own in reached
            for topic in groups[group]
            for number in self._partitions[topic]
        ]

    async def ping(self) -> None:
        """Raises `BusUnavailable` when the namespace does not answer for a hub."""
        async with self._producer(next(iter(self._sending))) as producer:
            await self._bounded(producer.get_eventhub_properties(), PING_SECONDS)

    async def close(self) -> None:
        """Closes all connections. May be called twice."""
        self.closed = True
        if self._tasks:
            await asyncio.wait({*self._tasks}, timeout=CLOSE_SECONDS)
        producers, self._producers = self._producers, {}
        await asyncio.gather(*map(_close, producers.values()))
        await self.clients.close()

    def attend(self, task: asyncio.Task[Any]) -> None:
        """A link's task, which `close` waits for: closing takes the SDK about a second."""
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.debug("a task of the SDK ended with %s", type(task.exception()).__name__)

    async def _bounded(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """Work of the SDK, for so long at most. In a task of its own: the SDK loses cancellations at times.

        (It awaits `asyncio.wait_for`, which forgets one before Python 3.12.) Raises `TimeoutError`.
        """
        task = asyncio.create_task(work)
        self.attend(task)
        try:
            await asyncio.wait({task}, timeout=seconds)
            if not task.done():
                raise TimeoutError
            return task.result()
        finally:
            task.cancel()

    @asynccontextmanager
    async def _producer(self, topic: str) -> AsyncIterator[EventHubProducerClient]:
        """The one of this process for a hub. Whatever goes wrong with it is `BusUnavailable`."""
        if self.closed:
            raise BusUnavailable("the event bus is closed")
        if topic not in self._producers:
            self._producers[topic] = self.clients.producer(topic)
        try:
            yield self._producers[topic]
        except _ERRORS as error:
            raise BusUnavailable(f"Event Hubs: {type(error).__name__}") from error

    def _discard(self, topic: str) -> None:
        """A producer that was cut off in the middle of a send may time out for ever after (azure-eventhub 5.15)."""
        producer = self._producers.pop(topic, None)
        if producer is not None:
            self.attend(asyncio.create_task(_close(producer), name=f"events-closing-{topic}"))

    async def _send(self, producer: EventHubProducerClient, key: str, messages: Sequence[Message]) -> None:
        batch = await self._bounded(producer.create_batch(partition_key=key), self._send_seconds)
        for message in messages:
            event = _event(message)
            if not _added(batch, event):
                await self._bounded(producer.send_batch(batch), self._send_seconds)
                batch = await producer.create_batch(partition_key=key)
                if not _added(batch, event):
                    raise MessageTooLarge(f"{message.size} bytes do not fit into a batch")
        await self._bounded(producer.send_batch(batch), self._send_seconds)

    async def _count(self, topic: str) -> None:
        """Asks for a hub's partitions: they may be others than those of the contract."""
        if topic not in self._sending:
            raise BusMisuse(f"there is no topic {topic!r} (asyncapi/channels)")
        async with self._producer(topic) as producer:
            self._partitions[topic] = [
                int(name) for name in await self._bounded(producer.get_partition_ids(), ASK_SECONDS)
            ]

    def _keys(self, subscription: Subscription) -> list[Key]:
        return [(subscription.group, t, number) for t in subscription.topics for number in self._partitions[t]]

    async def _end_of(self, topic: str, number: int) -> Place:
        """Behind the last message of a partition."""
        async with self._producer(topic) as producer:
            found = await self._bounded(producer.get_partition_properties(str(number)), ASK_SECONDS)
        if found["is_empty"]:
            return Place(None, 0, EARLIEST)
        return Place(None, found["last_enqueued_sequence_number"] + 1, found["last_enqueued_offset"])


async def _close(producer: EventHubProducerClient) -> None:
    try:
        await producer.close()
    except _ERRORS as error:
        log.warning("a broken link to Event Hubs did not close: %s", type(error).__name__)


def _event(message: Message) -> EventData:
    """CloudEvents over AMQP, binary mode: attributes as application properties beside the data."""
    event = EventData(message.body)
    event.properties = {name: value for name, value in message.attributes.items()}  # noqa: C416 - of wider type
    event.content_type = "application/json"
    if ID in message.attributes:
        event.message_id = message.attributes[ID]
    return event


def _added(batch: EventDataBatch, event: EventData) -> bool:
    try:
        batch.add(event)
    except ValueError:  # it is full
        return False
    return True

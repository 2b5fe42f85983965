"""The event bus on Azure Event Hubs. Loaded only when the settings name a namespace.

What the service does otherwise than the embedded log: a call of `publish` may be carried out in part before it fails; a
lost acknowledgement stores messages twice (the SDK sends again); each partition that is read or sent to costs a
connection. Every reader has an epoch, so that its limit of five readers a partition and group is never met.
`Received.sequence` is the service's number plus one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from azure.eventhub.aio import EventHubProducerClient

from generated.events import TOPICS, TopicSpec
from handlers.platform.bus.eventhubs_clients import Clients, Namespace
from handlers.platform.bus.eventhubs_consumption import EventHubsConsumption
from handlers.platform.bus.eventhubs_sending import ERRORS, Numbered, Sending, bounded, closed, place_of
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
from handlers.platform.store.port import DocumentStore, StoreError

log = logging.getLogger(__name__)

LEASE: Final = 30.0  # seconds; a process that hangs keeps its partitions for so long
SAVE_SECONDS: Final = 1.0  # so much of the work is done again after a crash; each partition that moved is a write
SEND_SECONDS: Final = 10.0  # for one batch, the SDK's own attempts and the opening of the link included
ASK_SECONDS: Final = 30.0  # for a question about a hub, at the start
CLOSE_SECONDS: Final = 5.0
PING_SECONDS: Final = 3.0


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
        self._topics = topics
        self._askers: dict[str, EventHubProducerClient] = {}
        self._sendings: dict[tuple[str, str], Sending] = {}
        self._partitions: dict[str, list[int]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Returns once all are acknowledged. Partitions side by side, and each in order."""
        if topic not in self._topics:
            raise BusMisuse(f"there is no topic {topic!r} (asyncapi/channels)")
        for message in messages:
            if message.size > MAX_MESSAGE_BYTES:
                raise MessageTooLarge(f"{message.size} bytes, at most {MAX_MESSAGE_BYTES}")
        names = [str(number) for number in await self._numbers(topic)]
        by_partition: dict[str, list[Numbered]] = {}
        for number, message in enumerate(messages):
            by_partition.setdefault(place_of(message.key, names), []).append((number, message))
        sent: set[int] = set()
        sends = (self._sending(topic, name).send(own, sent) for name, own in by_partition.items())
        failed = [one for one in await asyncio.gather(*sends, return_exceptions=True) if one is not None]
        for error in failed:
            if not isinstance(error, BusUnavailable):
                raise error
        if failed:
            raise BusUnavailable(str(failed[0]), published=sent) from failed[0]

    async def consume(self, subscriptions: Sequence[Subscription]) -> EventHubsConsumption:
        """Starts delivering."""
        await asyncio.gather(*(self._numbers(topic) for topic in {topic for s in subscriptions for topic in s.topics}))
        consumption = EventHubsConsumption(self, subscriptions, {s.group: self._keys(s) for s in subscriptions})
        await consumption.start()
        return consumption

    async def positions(self, groups: Mapping[str, Sequence[str]]) -> list[Position]:
        """How far each group has come: checkpoints are in the store, the service is asked for the heads."""
        topics = sorted({topic for own in groups.values() for topic in own})
        await asyncio.gather(*(self._numbers(topic) for topic in topics))
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
        async with self._asker(next(iter(self._topics))) as producer:
            await bounded(producer.get_eventhub_properties(), PING_SECONDS, self.attend)

    async def close(self) -> None:
        """Closes all connections. May be called twice."""
        self.closed = True
        if self._tasks:
            await asyncio.wait({*self._tasks}, timeout=CLOSE_SECONDS)
        askers, self._askers = self._askers, {}
        await asyncio.gather(*map(closed, askers.values()), *(one.close() for one in self._sendings.values()))
        await self.clients.close()

    def attend(self, task: asyncio.Task[Any]) -> None:
        """A link's task, which `close` waits for: closing takes the SDK about a second."""
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.debug("a task of the SDK ended with %s", type(task.exception()).__name__)

    def _sending(self, topic: str, partition: str) -> Sending:
        """The one of this process for a partition."""
        if self.closed:
            raise BusUnavailable("the event bus is closed")
        key = (topic, partition)
        if key not in self._sendings:
            self._sendings[key] = Sending(self.clients, topic, partition, self._send_seconds, self.attend)
        return self._sendings[key]

    @asynccontextmanager
    async def _asker(self, topic: str) -> AsyncIterator[EventHubProducerClient]:
        """What asks about a hub. Whatever goes wrong with it is `BusUnavailable`."""
        if self.closed:
            raise BusUnavailable("the event bus is closed")
        if topic not in self._askers:
            self._askers[topic] = self.clients.producer(topic)
        try:
            yield self._askers[topic]
        except ERRORS as error:
            raise BusUnavailable(f"Event Hubs: {type(error).__name__}") from error

    async def _numbers(self, topic: str) -> list[int]:
        """A hub's partitions, asked for once: they may be others than those of the contract."""
        if topic not in self._topics:
            raise BusMisuse(f"there is no topic {topic!r} (asyncapi/channels)")
        if topic not in self._partitions:
            async with self._asker(topic) as producer:
                found = await bounded(producer.get_partition_ids(), ASK_SECONDS, self.attend)
            self._partitions[topic] = sorted(int(name) for name in found)
        return self._partitions[topic]

    def _keys(self, subscription: Subscription) -> list[Key]:
        return [(subscription.group, t, number) for t in subscription.topics for number in self._partitions[t]]

    async def _end_of(self, topic: str, number: int) -> Place:
        """Behind the last message of a partition."""
        async with self._asker(topic) as producer:
            found = await bounded(producer.get_partition_properties(str(number)), ASK_SECONDS, self.attend)
        if found["is_empty"]:
            return Place(None, 0, EARLIEST)
        return Place(None, found["last_enqueued_sequence_number"] + 1, found["last_enqueued_offset"])

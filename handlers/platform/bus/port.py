"""The event bus as the relay and the consumers see it: topics in partitions, consumer groups, checkpoints.

Two adapters implement it: `sqlite` (default, embedded) and `eventhubs`. Semantics follow Azure Event Hubs:

* A message goes to the partition that its key hashes to; a partition keeps the order in which it was published.
* Delivery is at least once: a message may come again after a lost answer, a crash, or a change of owner. Whoever
  applies an effect remembers what it has applied (`handlers/platform/inbox.py`).
* In a consumer group each partition has one owner at a time. Its number goes up with every change of owner (epoch), and
  a checkpoint of an owner that has lost the partition is refused, so progress never moves back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

MAX_MESSAGE_BYTES: Final = 1_000_000  # Event Hubs takes 1 MiB, its framing included


class BusMisuse(Exception):
    """The calling code is wrong: a topic that does not exist. Nobody should catch it."""


class BusError(Exception):
    """The bus did not do what it was asked. Subclasses say why."""


class BusUnavailable(BusError):
    """The bus cannot serve, or its answer was lost: the messages may have arrived or not. Publish them again.

    `published`: the places in the call of those that certainly arrived; of a key always the first ones.
    """

    def __init__(self, reason: str, *, published: Collection[int] = ()) -> None:
        super().__init__(reason)
        self.published = frozenset(published)


class MessageTooLarge(BusError):
    """A message is over `MAX_MESSAGE_BYTES`; nothing of the call was published."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is published: the aggregate's id as the partition key, the envelope as JSON, CloudEvents' attributes."""

    key: str
    body: bytes
    attributes: Mapping[str, str]

    @property
    def size(self) -> int:
        """Bytes, near enough, of the message on the wire."""
        return len(self.body) + len(self.key) + sum(len(name) + len(value) for name, value in self.attributes.items())


@dataclass(frozen=True, slots=True)
class Received:
    """A message of a partition. `sequence` counts its messages from 1, `enqueued_at` is in seconds since 1970."""

    topic: str
    partition: int
    sequence: int
    key: str
    body: bytes
    attributes: Mapping[str, str]
    enqueued_at: float


class Batch:
    """Messages of one partition, in order, as one delivery to a group.

    The receiver calls `finish` as it gets on; what it has not finished comes again. When `stopping` is set it should
    return soon: the process ends, or the partition goes to another owner. `moved` hears of progress, so that a
    checkpoint need not wait for the whole batch: else an owner that keeps losing a partition would never get on.
    """

    __slots__ = ("_moved", "finished", "group", "messages", "partition", "stopping", "topic")

    def __init__(
        self,
        group: str,
        topic: str,
        partition: int,
        messages: Sequence[Received],
        stopping: asyncio.Event,
        *,
        moved: Callable[[], None] | None = None,
    ) -> None:
        self.group = group
        self.topic = topic
        self.partition = partition
        self.messages = messages
        self.stopping = stopping
        self.finished = 0
        self._moved = moved

    def finish(self, count: int) -> None:
        """The first `count` messages are done with. Never goes back."""
        if count > self.finished:
            self.finished = count
            if self._moved is not None:
                self._moved()


Deliver = Callable[[Batch], Awaitable[None]]


def _unheard() -> None:
    """For receivers that do not mind who had a partition before."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A consumer group of this process and what receives its messages.

    A group that is new begins with the oldest message there is. `taken` hears of every partition that this process
    gets, before the first message of it comes. What every process has to know is told through the store and Redis
    (`Responses.changed`): readers of a group for each process would be five at most on Event Hubs.
    """

    group: str
    topics: tuple[str, ...]
    deliver: Deliver
    taken: Callable[[], None] = _unheard


@dataclass(frozen=True, slots=True)
class Progress:
    """How far this process has read a partition that it owns: `behind` is the number of messages still to come."""

    group: str
    topic: str
    partition: int
    behind: int


@dataclass(frozen=True, slots=True)
class Position:
    """How far a group has come in a partition, whoever reads it: numbers of messages, of those that are still there."""

    group: str
    topic: str
    partition: int
    handled: int
    published: int


class Consumption(Protocol):
    """Deliveries under way in this process."""

    def progress(self) -> list[Progress]:
        """Every partition that this process owns at the moment."""
        ...

    async def stop(self, seconds: float = 10.0) -> None:
        """Lets deliveries finish for so long, saves the checkpoints, and hands the partitions back."""
        ...

    async def abandon(self) -> None:
        """Ends at once and saves nothing, as a crash would: for tests."""
        ...


class EventBus(Protocol):
    """Publishes and delivers messages."""

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Returns once all are safe; the order within a key is kept.

        Raises `BusUnavailable` (some may have been published) and `MessageTooLarge`.
        """
        ...

    async def consume(self, subscriptions: Sequence[Subscription]) -> Consumption:
        """Starts delivering. One partition is delivered one batch at a time, partitions side by side."""
        ...

    async def positions(self, groups: Mapping[str, Sequence[str]]) -> list[Position]:
        """How far each group has come in every partition of its topics, in all processes together.

        By saved checkpoints: what was handled a moment ago may not count yet; what counts was handled. Raises
        `BusUnavailable`.
        """
        ...

    async def ping(self) -> None:
        """Raises `BusUnavailable` when the bus cannot serve. For readiness."""
        ...

    async def close(self) -> None:
        """Finishes what was accepted and releases the bus. Stop consumptions before."""
        ...

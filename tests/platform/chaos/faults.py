"""Faults around real adapters: what networks, brokers and stores do to a program, at random but by seed."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from handlers.platform.bus.port import (
    Batch,
    BusUnavailable,
    Consumption,
    Deliver,
    EventBus,
    Message,
    Position,
    Received,
    Subscription,
)
from handlers.platform.store.port import (
    Changes,
    Document,
    DocumentStore,
    Operation,
    OutcomeUnknown,
    Page,
    Place,
    Query,
    StoreUnavailable,
)

Partition = str | tuple[str, ...]


class FaultyStore:
    """A `DocumentStore` that is throttled, and whose acknowledgements get lost after the write."""

    def __init__(self, inner: DocumentStore, chance: Random, seen: Counter[str], rate: float = 0.03) -> None:
        self._inner = inner
        self._chance = chance
        self._seen = seen
        self.rate = rate

    async def read(self, container: str, partition: Partition, id: str) -> Document | None:
        await self._before()
        return await self._inner.read(container, partition, id)

    async def read_many(self, places: Sequence[Place]) -> list[Document | None]:
        await self._before()
        return await self._inner.read_many(places)

    async def query(self, query: Query) -> Page:
        await self._before()
        return await self._inner.query(query)

    async def count(self, query: Query) -> int:
        await self._before()
        return await self._inner.count(query)

    async def write(
        self, container: str, operation: Operation, *, partition: Partition | None = None
    ) -> Document | None:
        await self._before()
        written = await self._inner.write(container, operation, partition=partition)
        await self._after()
        return written

    async def batch(
        self, container: str, partition: Partition, operations: Sequence[Operation]
    ) -> list[Document | None]:
        await self._before()
        written = await self._inner.batch(container, partition, operations)
        await self._after()
        return written

    async def feeds(self, *, fresh: bool = False) -> list[str]:
        return await self._inner.feeds(fresh=fresh)

    def overlap(self, feed: str, other: str) -> bool:
        return self._inner.overlap(feed, other)

    def inherited(self, feed: str, positions: Mapping[str, str | None]) -> str | None:
        return self._inner.inherited(feed, positions)

    async def changes(self, feed: str, after: str | None, limit: int) -> Changes:
        await self._before()
        return await self._inner.changes(feed, after, self._chance.choice((1, 7, limit)))

    async def changed(self, seconds: float) -> None:
        await self._inner.changed(seconds)

    async def ping(self) -> None:
        await self._inner.ping()

    async def close(self) -> None:
        await self._inner.close()

    async def _before(self) -> None:
        await asyncio.sleep(0)
        if self._chance.random() < self.rate:
            self._seen["throttled"] += 1
            raise StoreUnavailable("throttled")

    async def _after(self) -> None:
        await asyncio.sleep(0)
        if self._chance.random() < self.rate:
            self._seen["lost commit acks"] += 1
            raise OutcomeUnknown("the answer was lost")


class FaultyBus:
    """An `EventBus` that refuses, loses acknowledgements, and delivers again, late and in another order.

    Within a key the first deliveries keep their order, as every bus promises; repetitions may come at any time.
    """

    def __init__(self, inner: EventBus, chance: Random, seen: Counter[str], rate: float = 0.1) -> None:
        self.inner: EventBus | None = inner
        self._chance = chance
        self._seen = seen
        self.rate = rate

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        await asyncio.sleep(0)
        if self.inner is None or self._chance.random() < self.rate:
            self._seen["refused publishes"] += 1
            raise BusUnavailable("no route")
        await self.inner.publish(topic, messages)
        await asyncio.sleep(0)
        if self._chance.random() < self.rate:
            self._seen["lost publish acks"] += 1
            raise BusUnavailable("the answer was lost")

    async def consume(self, subscriptions: Sequence[Subscription]) -> Consumption:
        if self.inner is None:
            raise BusUnavailable("no route")
        return await self.inner.consume([replace(s, deliver=self._unruly(s.deliver)) for s in subscriptions])

    async def positions(self, groups: Mapping[str, Sequence[str]]) -> list[Position]:
        if self.inner is None:
            raise BusUnavailable("no route")
        return await self.inner.positions(groups)

    async def ping(self) -> None:
        if self.inner is None:
            raise BusUnavailable("no route")

    async def close(self) -> None:
        if self.inner is not None:
            await self.inner.close()

    def _unruly(self, deliver: Deliver) -> Deliver:
        past: deque[Received] = deque(maxlen=200)

        async def delivering(batch: Batch) -> None:
            if past and self._chance.random() < self.rate * 4:
                again = self._chance.sample([*past], min(len(past), 8))
                self._seen["late duplicates"] += len(again)
                await deliver(Batch(batch.group, batch.topic, batch.partition, again, batch.stopping))
            order = _shuffled(batch.messages, self._chance)
            messages = [batch.messages[i] for i in order]

            def moved() -> None:
                done = set(order[: shuffled.finished])
                batch.finish(next((i for i in range(len(order)) if i not in done), len(order)))

            shuffled = Batch(batch.group, batch.topic, batch.partition, messages, batch.stopping, moved=moved)
            try:
                await deliver(shuffled)
            finally:
                past.extend(batch.messages[: batch.finished])

        return delivering


def _shuffled(messages: Sequence[Received], chance: Random) -> list[int]:
    """The messages' places in another order that keeps each key's own."""
    by_key: dict[str, deque[int]] = {}
    for index, message in enumerate(messages):
        by_key.setdefault(message.key, deque()).append(index)
    turns = [message.key for message in messages]
    chance.shuffle(turns)
    return [by_key[key].popleft() for key in turns]


class Fuse:
    """Awaits something, and ends it at its n-th suspension: a process that is killed right there."""

    def __init__(self, inner: Awaitable[None], steps: int, blown: Callable[[], None]) -> None:
        self._inner = inner
        self._steps = steps
        self._blown = blown

    def __await__(self) -> Generator[Any, Any, None]:
        inner = self._inner.__await__()
        failure: BaseException | None = None
        for _ in range(self._steps):
            try:
                waits_for = inner.send(None) if failure is None else inner.throw(failure)
            except StopIteration:
                return
            try:
                failure = None
                yield waits_for
            except BaseException as error:  # what it waited for has failed: its affair
                failure = error
        inner.close()
        self._blown()
        raise asyncio.CancelledError

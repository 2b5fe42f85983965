"""Takes a group's messages from the bus to its handlers: in order for each aggregate, once, and never stuck on poison.

Messages of one key are handled one after the other, different keys side by side. What fails is tried again a few times
and then becomes a dead letter; what is merely away (store, cache, partner) is waited for, and the partition with it.
So is a document that others change all the time, and for a moment one that the event proves but no replica shows yet.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import orjson

from handlers.platform.buried import Buried
from handlers.platform.bus.port import Batch, Received, Subscription
from handlers.platform.dead_letters import DeadLetters, Failure, Reason, describe
from handlers.platform.errors import DocumentNewer, Problem
from handlers.platform.events import ID, MAJOR, REPLAY_FOR, Event, EventContract, EventMismatch, EventNewer, type_of
from handlers.platform.patience import Patience, Transient, Waiting
from handlers.platform.waiting import told

log = logging.getLogger(__name__)

Handler = Callable[[Event[Any]], Awaitable[None]]

CONCURRENCY: Final = 16  # aggregates of one partition at a time
HANDLER_SECONDS: Final = 60.0


class Counts:
    """What a group has done since the process started. `age` is that of the event handled last, in seconds."""

    __slots__ = ("age", "buried", "failed", "handled", "passed", "waited")

    def __init__(self) -> None:
        self.handled = 0
        self.passed = 0
        self.failed = 0
        self.waited = 0
        self.buried = 0
        self.age = 0.0


class Consumer:
    """One group of this process. The bus delivers to its `subscription`."""

    def __init__(
        self,
        group: str,
        handlers: Mapping[str, Handler],
        contract: EventContract,
        letters: DeadLetters,
        *,
        patience: Patience | None = None,
    ) -> None:
        self.group = group
        self.counts = Counts()
        self._handlers = handlers
        self._contract = contract
        self._letters = letters
        self._buried = Buried(letters, group)
        self._patience = patience or Patience()

    @property
    def events(self) -> frozenset[str]:
        """The events it handles."""
        return frozenset(self._handlers)

    def subscription(self, topics: tuple[str, ...]) -> Subscription:
        """What the bus is to know of it."""
        return Subscription(self.group, topics, self.deliver, self._buried.taken)

    async def deliver(self, batch: Batch) -> None:
        """Handles a batch. Returns early when the batch is to stop; what it has finished is noted in the batch."""
        chains: dict[str, deque[int]] = {}
        passed: set[int] = set()
        for index, message in enumerate(batch.messages):
            if self._is_for_us(message):
                chains.setdefault(message.key, deque()).append(index)
            else:
                passed.add(index)
        self.counts.passed += len(passed)
        waiting, front = deque(chains.values()), _Front(batch, passed)
        if len(waiting) <= 1:
            await self._work(waiting, front)
            return
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(CONCURRENCY, len(waiting))):
                tasks.create_task(self._work(waiting, front))

    def _is_for_us(self, message: Received) -> bool:
        """Whether this group handles the event, and it was not sent again for another."""
        meant_for = message.attributes.get(REPLAY_FOR)
        return type_of(message.attributes)[0] in self._handlers and meant_for in (None, self.group)

    async def _work(self, waiting: deque[deque[int]], front: _Front) -> None:
        """Takes one aggregate after the other."""
        while waiting:
            for index in waiting.popleft():
                if front.batch.stopping.is_set() or not await self._message(front.batch.messages[index], front.batch):
                    return
                front.done(index)

    async def _message(self, message: Received, batch: Batch) -> bool:
        """Sees to one message, for as long as it takes. False: it was told to stop before."""
        failed, waiting = 0, Waiting()
        fault: Exception | None = None
        while True:
            try:
                if fault is not None and failed >= self._patience.attempts:
                    await self._give_up(message, fault, failed)
                else:
                    await self._attempt(message)
            except Exception as error:
                if waiting.bears(error):
                    self.counts.waited += 1
                    pause = waiting.pause(self._patience)
                    if waiting.times == 1 or pause > self._patience.longest / 2:
                        log.warning("%s waits: %s", self.group, describe(error))
                else:
                    fault, failed = error, failed + 1
                    self.counts.failed += 1
                    pause = 0.0 if failed == self._patience.attempts else self._patience.pause(failed)
                    log.warning("%s failed at %s (%d): %s", self.group, _name(message), failed, describe(error))
            else:
                return True
            if await told(batch.stopping, pause):
                return False

    async def _attempt(self, message: Received) -> None:
        """One try: reads, checks, handles. Buries at once what can never fit. Raises what the handler raises."""
        event_type, major = type_of(message.attributes)
        if major != MAJOR:
            await self._bury(message, "unsupported_version", f"version {major} of {event_type}", 1)
            return
        try:
            event = self._read(message)
        except EventNewer as error:
            # Parked, as another version is: it is handled once this reader is replaced by one that knows the value.
            await self._bury(message, "unsupported_version", str(error), 1)
            return
        except EventMismatch as error:
            await self._bury(message, "invalid", str(error), 1)
            return
        if not event.replayed and await self._buried.holds(event.id):
            self.counts.passed += 1
            return
        try:
            await self._handle(event)
        except DocumentNewer as problem:
            await self._bury(message, "unsupported_version", problem.message, 1)
            return
        if event.replayed:
            await self._letters.settle(self.group, event.id, None)

    def _read(self, message: Received) -> Event[Any]:
        try:
            envelope = orjson.loads(message.body)
        except ValueError:
            raise EventMismatch("the body is no JSON") from None
        if not isinstance(envelope, dict):
            raise EventMismatch("the body is no object")
        self._contract.check(envelope)
        return Event.of(
            envelope,
            group=self.group,
            topic=message.topic,
            key=message.key,
            replayed=message.attributes.get(REPLAY_FOR) == self.group,
        )

    async def _handle(self, event: Event[Any]) -> None:
        limit = asyncio.timeout(HANDLER_SECONDS)
        try:
            async with limit:
                await self._handlers[event.type](event)
        except TimeoutError as error:
            if limit.expired():
                raise RuntimeError(f"no end within {HANDLER_SECONDS:g} s") from error
            raise Transient("a time-out inside") from error
        except Problem as problem:
            if problem.status == 503 and not isinstance(problem, DocumentNewer):
                raise Transient(problem.message) from problem
            raise
        self.counts.handled += 1
        self.counts.age = max(0.0, time.time() - event.happened_at)

    async def _give_up(self, message: Received, fault: Exception, attempts: int) -> None:
        if message.attributes.get(REPLAY_FOR) == self.group:
            await self._letters.settle(self.group, message.attributes.get(ID, ""), fault)
            self.counts.buried += 1
        else:
            await self._bury(message, "failed", describe(fault), attempts)

    async def _bury(self, message: Received, reason: Reason, error: str, attempts: int) -> None:
        self.counts.buried += 1
        log.error("%s gives up %s: %s: %s", self.group, _name(message), reason, error)
        event_id = message.attributes.get(ID) or f"{message.topic}-{message.partition}-{message.sequence}"
        await self._letters.bury(
            Failure(
                consumer=self.group,
                event_id=event_id,
                event_type=type_of(message.attributes)[0] or "unknown",
                topic=message.topic,
                key=message.key,
                envelope=_envelope(message.body),
                reason=reason,
                error=error,
                attempts=attempts,
            )
        )
        self._buried.add(event_id)


class _Front:
    """Notes what is done, in whatever order, and finishes the batch up to the first that is not."""

    __slots__ = ("_done", "batch")

    def __init__(self, batch: Batch, done: set[int]) -> None:
        self.batch = batch
        self._done = done
        self._move()

    def done(self, index: int) -> None:
        """This one is."""
        self._done.add(index)
        self._move()

    def _move(self) -> None:
        front = self.batch.finished
        while front in self._done:
            self._done.discard(front)
            front += 1
        self.batch.finish(front)


def _name(message: Received) -> str:
    return f"{type_of(message.attributes)[0] or 'an event'} {message.attributes.get(ID, '')}"


def _envelope(body: bytes) -> Mapping[str, Any] | None:
    try:
        envelope = orjson.loads(body)
    except ValueError:
        return None
    return envelope if isinstance(envelope, dict) else None

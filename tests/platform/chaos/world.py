"""A small system under chaos: producers, relay, two consumer groups, and somebody who kills them.

It knows the ports only; `Adapters` brings the store and the bus.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any

from handlers.platform.bus.port import BusError, Consumption
from handlers.platform.concurrency import settled
from handlers.platform.consumer import Consumer
from handlers.platform.dead_letters import DeadLetters
from handlers.platform.events import Event
from handlers.platform.inbox import Inbox
from handlers.platform.leases import Lease
from handlers.platform.outbox import Outbox
from handlers.platform.patience import Patience
from handlers.platform.relay import GROUP, Relay
from handlers.platform.store.port import (
    Create,
    Document,
    DocumentExists,
    Json,
    Operation,
    OutcomeUnknown,
    Query,
    Replace,
    StoreError,
    StoreUnavailable,
    VersionConflict,
)
from tests.platform.chaos.contract import EVENT, EVENTS, GROUPS, STORED, TOPIC, contract
from tests.platform.chaos.faults import FaultyBus, FaultyStore, Fuse
from tests.platform.chaos.plan import Adapters, Outcome, Plan

RELIST = 0.5  # seconds between two looks of a relay at which feeds there are
CALM = 2.5  # seconds between two troubles at broker or store, at most


class World:
    """One run. `go` does everything."""

    def __init__(self, adapters: Adapters, plan: Plan) -> None:
        self.plan = plan
        self.seen: Counter[str] = Counter()
        self.outcome = Outcome()
        self.killed_at: set[int] = set()
        self._adapters = adapters
        self._chance = Random(plan.seed)
        self.real_store = adapters.open_store()
        self.store = FaultyStore(self.real_store, self._chance, self.seen)
        self.bus = FaultyBus(adapters.open_bus(adapters.lease, self.store), self._chance, self.seen)
        self.letters = DeadLetters(self.store)
        self._outbox = Outbox(validate=contract().check, containers=STORED, events=EVENTS)
        self._inbox = Inbox(self.store, containers=STORED)
        self._relay: Relay | None = None
        self._consumption: Consumption | None = None
        self._crash = asyncio.Event()
        self._fuse = 0
        self.killed_all = False
        self.cured = False

    # --- producing --------------------------------------------------------------------------------------------------

    async def _produce(self, thing: str, count: int) -> None:
        """Changes a thing so many times, and on while the killing lasts; each change with its event."""
        document: Json = {"id": thing, "thing_id": thing, "number": 0}
        etag: str | None = None
        self.outcome.promised[thing] = []
        while document["number"] < count or not self.killed_all:
            document["number"] += 1
            data = {"thing_id": thing, "number": document["number"], "poison": self._chance.random() < self.plan.poison}
            row = self._outbox.row("things", document, event_type=EVENT, data=data, correlation_id="request-1")
            change: Operation = Create(dict(document)) if etag is None else Replace(dict(document), if_match=etag)
            etag = await self._commit(thing, change, row)
            if data["poison"]:
                self.outcome.poison.add(str(row.document["id"]))
            else:
                self.outcome.promised[thing].append(document["number"])
            await asyncio.sleep(self._chance.random() * self._adapters.pace)

    async def _commit(self, thing: str, change: Operation, row: Create) -> str:
        """Writes change and row, whatever it takes, and answers the new etag."""
        operations = [change, row] if self.plan.outbox_in_batch else [change]
        while True:
            try:
                await settled(self.store, "things", thing, operations)
            except OutcomeUnknown:
                if await self._is(thing, change):
                    break
            except StoreUnavailable:
                await asyncio.sleep(0.001)
            except (DocumentExists, VersionConflict):
                break  # ours, from an attempt whose answer was lost
            else:
                break
        if not self.plan.outbox_in_batch and self._chance.random() > 0.05:  # else the process dies in between
            await self.real_store.write("things", row)
        found = await self.real_store.read("things", thing, thing)
        assert found is not None
        return found.etag

    async def _is(self, thing: str, change: Operation) -> bool:
        found = await self.real_store.read("things", thing, thing)
        assert isinstance(change, Create | Replace)
        return found is not None and found.data["number"] == change.document["number"]

    # --- consuming --------------------------------------------------------------------------------------------------

    async def _handle(self, event: Event[Any]) -> None:
        """Appends the event's number to what the group knows of the thing; sometimes killed while it does."""
        work: Awaitable[None] = self._apply(event)
        steps = self._fuse
        if steps and not event.data["poison"] and self._chance.random() < 0.3:
            work = Fuse(work, steps, lambda: self._blown(steps))
        await work

    def _blown(self, steps: int) -> None:
        if steps == self._fuse:  # else another handler was first, and this one just dies
            self.killed_at.add(steps)
            self._fuse = 0
            self._crash.set()

    async def _apply(self, event: Event[Any]) -> None:
        data = event.data
        if data["poison"] and not self.cured:
            raise ValueError("poison")
        thing, own = data["thing_id"], f"{event.group}|{data['thing_id']}"

        async def build() -> Sequence[Operation]:
            found = await self.store.read("effects", thing, own)
            if found is None:
                return [Create({"id": own, "thing_id": thing, "numbers": [data["number"]]})]
            return [Replace({**found.data, "numbers": [*found.data["numbers"], data["number"]]}, if_match=found.etag)]

        if self.plan.inbox:
            await self._inbox.once(event, "effects", thing, build)
        else:
            await self.store.batch("effects", thing, await build())

    async def _start_consuming(self) -> None:
        patience = Patience(attempts=3, first=0.002, longest=0.05)
        consumers = [Consumer(g, {EVENT: self._handle}, contract(), self.letters, patience=patience) for g in GROUPS]
        while True:
            with contextlib.suppress(BusError):
                self._consumption = await self.bus.consume([consumer.subscription((TOPIC,)) for consumer in consumers])
                return
            await asyncio.sleep(0.01)

    async def _start_relay(self) -> None:
        self._relay = Relay(self.store, self.bus, self.letters, lease=self._adapters.lease, relist=RELIST)
        await self._relay.start()

    # --- killing ----------------------------------------------------------------------------------------------------

    async def _kill(self) -> None:
        """Kills relay, consumers or broker, in turn, `plan.kills` times each."""
        for step in range(1, self.plan.kills + 1):
            await asyncio.sleep(self._chance.random() * 0.2)
            self.seen["relay kills"] += 1
            assert self._relay is not None
            await self._relay.abandon()
            await self._start_relay()
            self._fuse = 1 + step % 4  # a handler is killed at this await; it has four: around reading and the batch
            await self._crash.wait()
            self._crash.clear()
            await self._restart_consumers(broker=step % 3 == 0)
        self.killed_all = True

    async def _trouble(self) -> None:
        """Breaks things at broker and store for as long as the killing lasts."""
        if self._adapters.trouble is None:
            return
        chance = Random(self.plan.seed)  # of its own: how often it is asked is a matter of time
        while not self.killed_all:
            await asyncio.sleep(chance.random() * CALM)
            await self._adapters.trouble(chance, self.seen)

    async def _restart_consumers(self, *, broker: bool) -> None:
        assert self._consumption is not None
        self.seen["consumer kills"] += 1
        await self._consumption.abandon()
        if broker:
            self.seen["broker restarts"] += 1
            inner, self.bus.inner = self.bus.inner, None
            assert inner is not None
            await inner.close()
            await asyncio.sleep(0.05)
            self.bus.inner = self._adapters.open_bus(self._adapters.lease, self.store)
        await self._start_consuming()

    # --- the run ----------------------------------------------------------------------------------------------------

    async def go(self, *, patience: float = 30.0) -> Outcome:
        """Everything, until all is applied, or nothing has moved for `patience` seconds."""
        await self.start()
        await asyncio.gather(self.produce_all(), self._kill(), self._trouble())
        self._fuse = 0
        self.store.rate = self.bus.rate = 0.0
        await self.until(lambda: not self.outcome.faults(), patience)
        # Whatever is still on its way could only do harm now.
        await asyncio.sleep(0.3)
        await self.look()
        return self.outcome

    async def start(self) -> None:
        """Begins to relay and to consume."""
        await self._start_relay()
        await self._start_consuming()

    async def produce_all(self) -> None:
        """Changes all things, side by side."""
        each, rest = divmod(self.plan.events, self.plan.things)
        await asyncio.gather(*(self._produce(f"thing-{i}", each + (i < rest)) for i in range(self.plan.things)))

    async def until(self, holds: Callable[[], bool], seconds: float) -> None:
        """Looks until something holds, or until nothing has moved for so long: a slow machine is no fault."""
        now = asyncio.get_running_loop().time
        moved, before = now(), -1
        while now() - moved < seconds:
            started = now()
            await self.look()
            if holds():
                return
            count = sum(map(self.applied, GROUPS)) + sum(map(len, self.outcome.buried.values()))
            if count != before:
                moved, before = now(), count
            await asyncio.sleep(max(0.05, 4 * (now() - started)))  # looking shall not be most of the work

    async def look(self) -> None:
        """Reads what has come of it all."""
        for group in GROUPS:
            applied = {}
            for thing in self.outcome.promised:
                found = await self.real_store.read("effects", thing, f"{group}|{thing}")
                applied[thing] = found.data["numbers"] if found is not None else []
            self.outcome.applied[group] = applied
            self.outcome.buried[group] = [letter.data["event_id"] for letter in await self.dead(group)]

    @property
    def produced(self) -> int:
        """The number of events."""
        return sum(map(len, self.outcome.promised.values())) + len(self.outcome.poison)

    def applied(self, group: str) -> int:
        """How many a group has applied."""
        return sum(map(len, self.outcome.applied[group].values()))

    async def dead(self, group: str) -> list[Document]:
        """The dead letters of a group."""
        return (await self.real_store.query(Query("dead_letters", group, limit=1000))).items

    async def cure(self) -> None:
        """Replays every dead letter, now that the handler can cope."""
        self.cured = True
        for group in GROUPS:
            for letter in await self.dead(group):
                await DeadLetters(self.real_store).replay(letter)

    async def replayed(self) -> bool:
        """Whether every dead letter has been applied after all."""
        return {letter.data["status"] for group in GROUPS for letter in await self.dead(group)} == {"replayed"}

    async def free_again(self) -> bool:
        """Stops, and says whether others can take all partitions and the relay's work at once.

        The one who was killed last counts as alive until its lease is over: its process is this one.
        """
        await asyncio.sleep(self._adapters.lease)
        assert self._consumption is not None
        assert self._relay is not None
        await self._consumption.stop()
        await self._relay.stop()
        await self._start_consuming()
        owned = len(self._consumption.progress())
        await self._consumption.stop()
        leases = [Lease(self.real_store, GROUP, feed) for feed in await self.real_store.feeds()]
        taken = [await lease.acquire() for lease in leases]
        return owned == 4 * len(GROUPS) and all(taken)

    async def close(self) -> None:
        """Ends what is left."""
        with contextlib.suppress(StoreError, BusError):
            if self._consumption is not None:
                await self._consumption.stop(1.0)
            if self._relay is not None:
                await self._relay.stop(1.0)
        await self.bus.close()
        await self.real_store.close()

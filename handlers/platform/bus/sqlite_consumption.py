"""Deliveries of one process from the log: takes its share of the partitions, wakes their readers, saves checkpoints."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from handlers.platform.bus import sqlite_leases as leases
from handlers.platform.bus.port import BusError, Progress, Subscription
from handlers.platform.bus.sqlite_leases import Key, Ownership
from handlers.platform.bus.sqlite_log import MEMBERS
from handlers.platform.bus.sqlite_partition import Partition
from handlers.platform.process import new_owner
from handlers.platform.waiting import told

if TYPE_CHECKING:
    from handlers.platform.bus.sqlite import SqliteBus

log = logging.getLogger(__name__)

SAVE_SECONDS: Final = 0.05  # so much of the work is done again after a crash, and one commit saves all partitions


class SqliteConsumption:
    """The `Consumption` of the embedded bus."""

    def __init__(self, bus: SqliteBus, subscriptions: Sequence[Subscription], lease: float) -> None:
        self._bus = bus
        self._lease = lease
        self._member = new_owner()
        self._shared = {s.group: s for s in subscriptions if not s.broadcast}
        self._broadcast = [s for s in subscriptions if s.broadcast]
        self._wanted = {group: [*_slots(bus, s)] for group, s in self._shared.items()}
        self._partitions: dict[Key, Partition] = {}
        self._own: list[Partition] = []  # of broadcast groups
        self._heads: dict[int, int] = {}
        self._bell = bus.listen()
        self._rebalance = asyncio.Event()
        self._unsaved = asyncio.Event()
        self._renewed = time.monotonic()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Takes what is free and begins."""
        self._heads = self._bus.heads()
        for subscription in self._broadcast:
            for number in _slots(self._bus, subscription):
                self._own.append(self._open(subscription, number, Ownership(0, self._heads.get(number, 0))))
        await self._balance()
        for work in (self._listen, self._keep, self._save_regularly):
            self._tasks.append(asyncio.create_task(work(), name=f"events-{work.__name__.strip('_')}"))

    def progress(self) -> list[Progress]:
        """Every partition that this process reads."""
        return [
            Progress(p.group, p.slot.topic, p.slot.partition, max(0, self._heads.get(p.slot.number, 0) - p.position))
            for p in (*self._partitions.values(), *self._own)
        ]

    async def stop(self, seconds: float = 10.0) -> None:
        """Lets deliveries finish, saves, hands the partitions back."""
        self._end_tasks()
        partitions = [*self._partitions.values(), *self._own]
        await asyncio.gather(*(partition.stop(seconds) for partition in partitions))
        try:
            await self._save()
            await self._bus.submit(partial(leases.leave, self._member))
        except BusError:
            log.warning("the partitions of this process could not be handed back; others take them after its lease")
        finally:
            self._partitions.clear()
            self._own.clear()
            self._bell.close()
            self._bus.ring()

    async def abandon(self) -> None:
        """Ends at once and saves nothing."""
        self._end_tasks()
        for partition in (*self._partitions.values(), *self._own):
            partition.cancel()
        self._bell.close()
        await asyncio.sleep(0)

    # --- the tasks --------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """Wakes the readers of the partitions that have got something."""
        while True:
            await self._bell.wait()
            with _patience("looking for events"):
                self._look()

    def _look(self) -> None:
        heads = self._bus.heads()
        if heads == self._heads:
            return
        if heads[MEMBERS] != self._heads[MEMBERS]:
            self._rebalance.set()
        self._heads = heads
        for partition in (*self._partitions.values(), *self._own):
            if heads[partition.slot.number] > partition.position:
                partition.wake(heads[partition.slot.number])

    async def _keep(self) -> None:
        """Renews the leases, and shares out anew when the members have changed."""
        while True:
            await told(self._rebalance, self._lease / 6)
            self._rebalance.clear()
            with _patience("sharing out partitions"):
                await self._balance()
            if time.monotonic() - self._renewed > self._lease:
                self._drop([*self._partitions])  # it cannot tell whose they are any more

    async def _save_regularly(self) -> None:
        while True:
            await self._unsaved.wait()
            await asyncio.sleep(SAVE_SECONDS)
            self._unsaved.clear()
            with _patience("saving checkpoints"):
                await self._save()

    # --- partitions -------------------------------------------------------------------------------------------------

    async def _balance(self) -> None:
        if not self._wanted:
            return
        work = partial(leases.balance, self._member, self._wanted, int(time.time() * 1000), int(self._lease * 1000))
        found: leases.Balance = await self._bus.submit(work)
        self._renewed = time.monotonic()
        self._drop([key for key, p in self._partitions.items() if not _still(p, found.owned.get(key))])
        for key, ownership in found.owned.items():
            if key not in self._partitions and key not in found.surplus:
                self._partitions[key] = self._open(self._shared[key[0]], key[1], ownership)
        if found.surplus:
            await self._hand_back(found.surplus)

    def _open(self, subscription: Subscription, number: int, ownership: Ownership) -> Partition:
        subscription.taken()
        head, slot = self._heads.get(number, 0), self._bus.log.slots[number]
        return Partition(self._bus, subscription, slot, ownership, head=head, unsaved=self._unsaved)

    async def _hand_back(self, keys: Sequence[Key]) -> None:
        """Gives partitions to the others, once what is under way in them is done."""
        held = [self._partitions[key] for key in keys if key in self._partitions]
        await asyncio.gather(*(partition.stop(self._lease / 3) for partition in held))
        await self._save()
        await self._bus.submit(partial(leases.release, self._member, keys))
        self._drop(keys)
        self._bus.ring()

    def _drop(self, keys: Sequence[Key]) -> None:
        for key in keys:
            partition = self._partitions.pop(key, None)
            if partition is not None:
                partition.cancel()

    async def _save(self) -> None:
        """Checkpoints of all partitions that have moved, in one commit. Refused ones are another's now."""
        reached = {key: p.reached() for key, p in self._partitions.items() if p.unsaved()}
        if not reached:
            return
        lost: list[Key] = await self._bus.submit(partial(leases.save, self._member, reached))
        for key, (_, sequence) in reached.items():
            if key in self._partitions:
                self._partitions[key].saved = sequence
        if lost:
            log.warning("%d partitions were taken over by another process", len(lost))
            self._drop(lost)
            self._rebalance.set()

    def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()


def _slots(bus: SqliteBus, subscription: Subscription) -> Iterator[int]:
    for topic in subscription.topics:
        for slot in bus.log.slots_of(topic):
            yield slot.number


def _still(partition: Partition, ownership: Ownership | None) -> bool:
    return ownership is not None and ownership.epoch == partition.epoch


class _patience:  # noqa: N801 - reads as a statement
    """A bus that is away for a while ends none of the tasks above; they come round again."""

    def __init__(self, doing: str) -> None:
        self._doing = doing

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: Any) -> bool:
        if isinstance(error, BusError):
            log.warning("the event log failed while %s: %s", self._doing, error)
            return True
        return False

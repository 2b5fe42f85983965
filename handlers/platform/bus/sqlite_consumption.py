"""Deliveries of one process from the log: members, owners and checkpoints in its file, readers woken by its bell."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from handlers.platform.bus import sqlite_leases as leases
from handlers.platform.bus.consumption import Balance, SharedConsumption, patiently
from handlers.platform.bus.port import Subscription
from handlers.platform.bus.sqlite_leases import Key, Ownership
from handlers.platform.bus.sqlite_log import MEMBERS
from handlers.platform.bus.sqlite_partition import Partition
from handlers.platform.process import new_owner

if TYPE_CHECKING:
    from handlers.platform.bus.sqlite import SqliteBus

log = logging.getLogger(__name__)

SAVE_SECONDS: Final = 0.05  # one commit saves all partitions


class SqliteConsumption(SharedConsumption[Key, Ownership, Partition]):
    """The `Consumption` of the embedded bus."""

    def __init__(self, bus: SqliteBus, subscriptions: Sequence[Subscription], lease: float) -> None:
        super().__init__(subscriptions, lease, save_seconds=SAVE_SECONDS)
        self._bus = bus
        self._member = new_owner()
        self._wanted = {group: [*_slots(bus, s)] for group, s in self._shared.items()}
        self._heads: dict[int, int] = {}
        self._bell = bus.listen()

    async def start(self) -> None:
        """Takes what is free and begins."""
        self._heads = self._bus.heads()
        await self._balance()
        self._begin(self._listen)

    async def stop(self, seconds: float = 10.0) -> None:
        """Lets deliveries finish, saves, hands the partitions back."""
        try:
            await super().stop(seconds)
        finally:
            self._bell.close()
            self._bus.ring()

    async def abandon(self) -> None:
        """Ends at once and saves nothing."""
        await super().abandon()
        self._bell.close()

    async def _listen(self) -> None:
        """Wakes the readers of the partitions that have got something."""
        while True:
            await self._bell.wait()
            await patiently(self._look, "looking for events")

    async def _look(self) -> None:
        heads = self._bus.heads()
        if heads == self._heads:
            return
        if heads[MEMBERS] != self._heads[MEMBERS]:
            self._rebalance.set()
        self._heads = heads
        for partition in self._all():
            if heads[partition.slot.number] > partition.position:
                partition.wake(heads[partition.slot.number])

    async def _share(self) -> Balance[Key, Ownership]:
        now, lease = int(time.time() * 1000), int(self._lease * 1000)
        found: Balance[Key, Ownership] = await self._bus.submit(
            partial(leases.balance, self._member, self._wanted, now, lease)
        )
        return found

    def _open(self, subscription: Subscription, key: Key, ownership: Ownership) -> Partition:
        head, slot = self._heads.get(key[1], 0), self._bus.log.slots[key[1]]
        return Partition(self._bus, subscription, slot, ownership, head=head, unsaved=self._unsaved)

    async def _save(self) -> None:
        """In one commit."""
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

    async def _release(self, keys: Sequence[Key]) -> None:
        await self._bus.submit(partial(leases.release, self._member, keys))
        self._bus.ring()

    async def _leave(self) -> None:
        await self._bus.submit(partial(leases.leave, self._member))


def _slots(bus: SqliteBus, subscription: Subscription) -> Iterator[int]:
    for topic in subscription.topics:
        for slot in bus.log.slots_of(topic):
            yield slot.number

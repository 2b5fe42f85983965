"""Deliveries of one process from Event Hubs: members, owners and checkpoints are in the document store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from handlers.platform.bus.consumption import Balance, SharedConsumption
from handlers.platform.bus.eventhubs_partition import Partition
from handlers.platform.bus.eventhubs_shares import Key, Place, Shares
from handlers.platform.bus.port import BusUnavailable, Subscription
from handlers.platform.process import new_owner
from handlers.platform.store.port import StoreError

if TYPE_CHECKING:
    from handlers.platform.bus.eventhubs import EventHubsBus

log = logging.getLogger(__name__)


class EventHubsConsumption(SharedConsumption[Key, Place, Partition]):
    """The `Consumption` on Event Hubs. `wanted`: all partitions of each group that is shared."""

    def __init__(
        self, bus: EventHubsBus, subscriptions: Sequence[Subscription], wanted: Mapping[str, Sequence[Key]]
    ) -> None:
        # Broken links ask for a new sharing, and come in swarms.
        super().__init__(subscriptions, bus.lease, save_seconds=bus.save_seconds, calm=bus.lease / 20)
        self._bus = bus
        self._shares = Shares(bus.store, new_owner(), bus.lease, wanted)

    async def start(self) -> None:
        """Takes what is free and begins. Raises `BusUnavailable`."""
        try:
            await self._balance()
        except StoreError as error:
            raise BusUnavailable("the partitions cannot be shared out") from error
        self._begin()

    async def _share(self) -> Balance[Key, Place]:
        self._check_open()
        return await self._shares.balance()

    def _open(self, subscription: Subscription, key: Key, ownership: Place) -> Partition:
        partition = Partition(
            self._bus.clients, subscription, key, ownership, alarm=self._rebalance, unsaved=self._unsaved
        )
        self._bus.attend(partition.task)
        return partition

    async def _save(self) -> None:
        """Side by side."""
        self._check_open()
        await asyncio.gather(*(self._save_one(p) for p in [*self._partitions.values()] if p.unsaved()))

    async def _save_one(self, partition: Partition) -> None:
        place = partition.reached()
        if await self._shares.save(partition.key, place):
            partition.saved = place.sequence
        elif self._partitions.get(partition.key) is partition:
            log.warning("partition %d of %s was taken over by another process", partition.number, partition.topic)
            self._drop([partition.key])
            self._rebalance.set()

    async def _release(self, keys: Sequence[Key]) -> None:
        await self._shares.release(keys)

    async def _leave(self) -> None:
        self._check_open()
        await self._shares.leave()

    def _check_open(self) -> None:
        if self._bus.closed:
            raise BusUnavailable("the event bus is closed")

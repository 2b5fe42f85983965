"""Deliveries of one process from Event Hubs: its share of the partitions, their checkpoints, their hand-over."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from handlers.platform.bus.eventhubs_partition import Partition
from handlers.platform.bus.eventhubs_shares import Key, Place, Shares
from handlers.platform.bus.port import BusUnavailable, Progress, Subscription
from handlers.platform.process import new_owner
from handlers.platform.store.port import StoreError
from handlers.platform.waiting import told

if TYPE_CHECKING:
    from handlers.platform.bus.eventhubs import EventHubsBus

log = logging.getLogger(__name__)


class EventHubsConsumption:
    """The `Consumption` on Event Hubs. `wanted`: all partitions of each group that is shared."""

    def __init__(
        self, bus: EventHubsBus, subscriptions: Sequence[Subscription], wanted: Mapping[str, Sequence[Key]]
    ) -> None:
        self._bus = bus
        self._lease = bus.lease
        self._shared = {s.group: s for s in subscriptions if not s.broadcast}
        self._shares = Shares(bus.store, new_owner(), bus.lease, wanted)
        self._wanted = bool(wanted)
        self._partitions: dict[Key, Partition] = {}
        self._own: list[Partition] = []  # of broadcast groups
        self._alarm = asyncio.Event()
        self._unsaved = asyncio.Event()
        self._renewed = time.monotonic()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, broadcasts: Sequence[tuple[Subscription, Key, Place]]) -> None:
        """Takes what is free and begins. Raises `BusUnavailable`."""
        try:
            await self._balance()
        except StoreError as error:
            raise BusUnavailable("the partitions cannot be shared out") from error
        self._own = [self._open(subscription, key, place) for subscription, key, place in broadcasts]
        for work in (self._keep, self._save_regularly):
            self._tasks.append(asyncio.create_task(work(), name=f"events-{work.__name__.strip('_')}"))

    def progress(self) -> list[Progress]:
        """Every partition that this process reads. `behind` is as of the last messages that came."""
        return [
            Progress(p.group, p.topic, p.number, max(0, p.head - p.position))
            for p in (*self._partitions.values(), *self._own)
        ]

    async def stop(self, seconds: float = 10.0) -> None:
        """Lets deliveries finish, saves, hands the partitions back."""
        self._end_tasks()
        partitions = [*self._partitions.values(), *self._own]
        await asyncio.gather(*(partition.stop(seconds) for partition in partitions))
        try:
            await self._save()
            self._check_open()
            await self._shares.leave()
        except (StoreError, BusUnavailable):
            log.warning("the partitions of this process could not be handed back; others take them after its lease")
        finally:
            self._partitions.clear()
            self._own.clear()

    async def abandon(self) -> None:
        """Ends at once and saves nothing."""
        self._end_tasks()
        for partition in (*self._partitions.values(), *self._own):
            partition.cancel()
        await asyncio.sleep(0)

    # --- the tasks --------------------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        """Renews the membership and shares out anew."""
        while True:
            await told(self._alarm, self._lease / 6)
            self._alarm.clear()
            await _patiently(self._balance, "sharing out partitions")
            if time.monotonic() - self._renewed > self._lease:
                self._drop([*self._partitions])  # they are another's by now, or soon will be
            await asyncio.sleep(self._lease / 20)  # alarms come in swarms

    async def _save_regularly(self) -> None:
        while True:
            await self._unsaved.wait()
            await asyncio.sleep(self._bus.save_seconds)
            self._unsaved.clear()
            await _patiently(self._save, "saving checkpoints")

    # --- partitions -------------------------------------------------------------------------------------------------

    async def _balance(self) -> None:
        if not self._wanted:
            return
        self._check_open()
        asked = time.monotonic()
        found = await self._shares.balance()
        self._renewed = asked
        self._drop([key for key, p in self._partitions.items() if not _still(p, found.owned.get(key))])
        for key, place in found.owned.items():
            if key not in self._partitions and key not in found.surplus:
                self._partitions[key] = self._open(self._shared[key[0]], key, place)
        if found.surplus:
            await self._hand_back(found.surplus)

    def _open(self, subscription: Subscription, key: Key, place: Place) -> Partition:
        subscription.taken()
        partition = Partition(self._bus.clients, subscription, key, place, alarm=self._alarm, unsaved=self._unsaved)
        self._bus.attend(partition.task)
        return partition

    async def _hand_back(self, keys: Sequence[Key]) -> None:
        """Gives partitions to the others, once what is under way in them is done."""
        held = [self._partitions[key] for key in keys if key in self._partitions]
        await asyncio.gather(*(partition.stop(self._lease / 3) for partition in held))
        await self._save()
        await self._shares.release(keys)
        self._drop(keys)

    def _drop(self, keys: Sequence[Key]) -> None:
        for key in keys:
            partition = self._partitions.pop(key, None)
            if partition is not None:
                partition.cancel()

    async def _save(self) -> None:
        """Checkpoints of all partitions that have moved, side by side. Refused ones are another's now."""
        self._check_open()
        await asyncio.gather(*(self._save_one(p) for p in [*self._partitions.values()] if p.unsaved()))

    async def _save_one(self, partition: Partition) -> None:
        place = partition.reached()
        if await self._shares.save(partition.key, place):
            partition.saved = place.sequence
        elif self._partitions.get(partition.key) is partition:
            log.warning("partition %d of %s was taken over by another process", partition.number, partition.topic)
            self._drop([partition.key])
            self._alarm.set()

    def _check_open(self) -> None:
        if self._bus.closed:
            raise BusUnavailable("the event bus is closed")

    def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()


def _still(partition: Partition, place: Place | None) -> bool:
    return place is not None and place.epoch == partition.epoch


async def _patiently(work: Callable[[], Awaitable[None]], doing: str) -> None:
    """A store or bus that is away for a while ends no task; it comes round again."""
    try:
        await work()
    except (StoreError, BusUnavailable) as error:
        log.warning("%s failed: %s", doing, error)

"""Deliveries of one process, as both buses have them: its share of the partitions, their checkpoints, their hand-over.

Where members, owners and checkpoints are kept is each bus's own affair, and so is what a partition reads from.
"""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from handlers.platform.bus.port import BusError, Progress, Subscription
from handlers.platform.store.port import StoreError
from handlers.platform.waiting import told

log = logging.getLogger(__name__)


class Owned(Protocol):
    """An ownership by its number. None: nobody else minds."""

    @property
    def epoch(self) -> int | None:
        """Goes up with every change of owner."""
        ...


class Partition(Owned, Protocol):
    """A partition that is read and delivered."""

    def progress(self) -> Progress:
        """How far it is."""
        ...

    async def stop(self, seconds: float) -> None:
        """Lets the delivery under way finish; ends it after so long."""
        ...

    def cancel(self) -> None:
        """Ends now."""
        ...


K = TypeVar("K", bound=tuple[Any, ...])  # group, and which partition
O = TypeVar("O", bound=Owned)  # noqa: E741 - an ownership, with the place from which to go on
P = TypeVar("P", bound=Partition)


@dataclass(frozen=True, slots=True)
class Balance(Generic[K, O]):
    """What a member owns now, and what of it is more than its share."""

    owned: Mapping[K, O]
    surplus: Sequence[K]


class SharedConsumption(ABC, Generic[K, O, P]):
    """The `Consumption` of a bus.

    `lease`: seconds after which a process that shows no sign of life is replaced. `save_seconds`: so much of the work
    is done again after a crash. `calm`: seconds between two sharings at least.
    """

    def __init__(
        self, subscriptions: Sequence[Subscription], lease: float, *, save_seconds: float, calm: float = 0.0
    ) -> None:
        self._lease = lease
        self._save_seconds = save_seconds
        self._calm = calm
        self._shared = {s.group: s for s in subscriptions}
        self._partitions: dict[K, P] = {}
        self._rebalance = asyncio.Event()
        self._unsaved = asyncio.Event()
        self._renewed = time.monotonic()
        self._tasks: list[asyncio.Task[None]] = []

    def progress(self) -> list[Progress]:
        """Every partition that this process reads."""
        return [partition.progress() for partition in self._all()]

    async def stop(self, seconds: float = 10.0) -> None:
        """Lets deliveries finish, saves, hands the partitions back."""
        self._end_tasks()
        await asyncio.gather(*(partition.stop(seconds) for partition in self._all()))
        try:
            await self._save()
            await self._leave()
        except (BusError, StoreError):
            log.warning("the partitions of this process could not be handed back; others take them after its lease")
        finally:
            self._partitions.clear()

    async def abandon(self) -> None:
        """Ends at once and saves nothing."""
        self._end_tasks()
        for partition in self._all():
            partition.cancel()
        await asyncio.sleep(0)

    # --- what each bus does its own way -----------------------------------------------------------------------------

    @abstractmethod
    async def _share(self) -> Balance[K, O]:
        """Renews the membership, and takes what is free, up to a fair share of each group."""

    @abstractmethod
    def _open(self, subscription: Subscription, key: K, ownership: O) -> P:
        """Begins to read a partition."""

    @abstractmethod
    async def _save(self) -> None:
        """Checkpoints of all partitions that have moved. Drops those that are another's now."""

    @abstractmethod
    async def _release(self, keys: Sequence[K]) -> None:
        """Hands partitions back."""

    @abstractmethod
    async def _leave(self) -> None:
        """Hands everything back and is a member no more."""

    # --- the tasks --------------------------------------------------------------------------------------------------

    def _begin(self, *works: Callable[[], Coroutine[Any, Any, None]]) -> None:
        for work in (*works, self._keep, self._save_regularly):
            self._tasks.append(asyncio.create_task(work(), name=f"events-{work.__name__.strip('_')}"))

    def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _keep(self) -> None:
        """Renews the membership, and shares out anew when the members have changed."""
        while True:
            await told(self._rebalance, self._lease / 6)
            self._rebalance.clear()
            await patiently(self._balance, "sharing out partitions")
            if time.monotonic() - self._renewed > self._lease:
                self._drop([*self._partitions])  # they are another's by now, or soon will be
            await asyncio.sleep(self._calm)

    async def _save_regularly(self) -> None:
        while True:
            await self._unsaved.wait()
            await asyncio.sleep(self._save_seconds)
            self._unsaved.clear()
            await patiently(self._save, "saving checkpoints")

    # --- partitions -------------------------------------------------------------------------------------------------

    def _all(self) -> list[P]:
        return [*self._partitions.values()]

    async def _balance(self) -> None:
        if not self._shared:
            return
        asked = time.monotonic()
        found = await self._share()
        self._renewed = asked
        self._drop([key for key, partition in self._partitions.items() if not _still(partition, found.owned.get(key))])
        for key, ownership in found.owned.items():
            if key not in self._partitions and key not in found.surplus:
                subscription = self._shared[key[0]]
                subscription.taken()
                self._partitions[key] = self._open(subscription, key, ownership)
        if found.surplus:
            await self._hand_back(found.surplus)

    async def _hand_back(self, keys: Sequence[K]) -> None:
        """Gives partitions to the others, once what is under way in them is done."""
        held = [self._partitions[key] for key in keys if key in self._partitions]
        await asyncio.gather(*(partition.stop(self._lease / 3) for partition in held))
        await self._save()
        await self._release(keys)
        self._drop(keys)

    def _drop(self, keys: Sequence[K]) -> None:
        for key in keys:
            partition = self._partitions.pop(key, None)
            if partition is not None:
                partition.cancel()


def _still(partition: Partition, ownership: Owned | None) -> bool:
    return ownership is not None and ownership.epoch == partition.epoch


async def patiently(work: Callable[[], Awaitable[None]], doing: str) -> None:
    """A bus or store that is away for a while ends no task; it comes round again."""
    try:
        await work()
    except (BusError, StoreError) as error:
        log.warning("%s failed: %s", doing, error)

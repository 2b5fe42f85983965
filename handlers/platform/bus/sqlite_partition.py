"""One partition under one owner: reads on from its position and delivers, one batch after the other."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from handlers.platform.bus.port import Batch, BusError, Progress, Received, Subscription
from handlers.platform.bus.sqlite_leases import Ownership
from handlers.platform.bus.sqlite_log import Slot

if TYPE_CHECKING:
    from handlers.platform.bus.sqlite import SqliteBus

log = logging.getLogger(__name__)

BATCH: Final = 100  # messages
PAUSE: Final = 0.5  # seconds, after a delivery that failed or moved nothing


class Partition:
    """Reads and delivers in a task of its own, from the moment it is made.

    `head`: the last sequence that is known of; nothing is read behind it. `unsaved` is set when it has moved.
    """

    def __init__(
        self,
        bus: SqliteBus,
        subscription: Subscription,
        slot: Slot,
        ownership: Ownership,
        *,
        head: int,
        unsaved: asyncio.Event,
    ) -> None:
        self.group = subscription.group
        self.slot = slot
        self.epoch = ownership.epoch
        self.position = ownership.sequence
        self.saved = ownership.sequence
        self._head = head
        self._bus = bus
        self._subscription = subscription
        self._unsaved = unsaved
        self._stopping = asyncio.Event()
        self._more = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name=f"events-{self.group}-{slot.topic}-{slot.partition}")

    def wake(self, head: int) -> None:
        """There is something new, up to `head`."""
        self._head = head
        self._more.set()

    def unsaved(self) -> bool:
        """Whether it has moved since its last checkpoint."""
        return self.position > self.saved

    def reached(self) -> tuple[int, int]:
        """What a checkpoint says: epoch and sequence."""
        return self.epoch, self.position

    def progress(self) -> Progress:
        """How far it is."""
        return Progress(self.group, self.slot.topic, self.slot.partition, max(0, self._head - self.position))

    async def stop(self, seconds: float) -> None:
        """Lets the delivery under way finish; cancels it after so long."""
        self._stopping.set()
        self._more.set()
        await asyncio.wait({self._task}, timeout=seconds)
        self.cancel()

    def cancel(self) -> None:
        """Ends now."""
        self._task.cancel()

    async def _run(self) -> None:
        while not self._stopping.is_set():
            self._more.clear()
            try:
                moved = await self._deliver(self._read())
            except BusError:
                log.warning("the event log cannot be read")
                moved = False
            except Exception:
                log.exception("delivering to %s failed", self.group)
                moved = False
            if not moved and not self._stopping.is_set():
                await asyncio.sleep(PAUSE)

    def _read(self) -> list[Received]:
        return self._bus.read(self.slot, self.position, BATCH) if self.position < self._head else []

    async def _deliver(self, messages: list[Received]) -> bool:
        """Waits when there are none. Whether there was progress."""
        if not messages:
            await self._more.wait()
            return True
        if messages[0].sequence != self.position + 1:
            log.error(
                "events were removed by age before %s had read them: %d in a partition of %s",
                self.group,
                messages[0].sequence - self.position - 1,
                self.slot.topic,
            )

        def moved() -> None:
            self.position = batch.messages[batch.finished - 1].sequence
            self._unsaved.set()

        batch = Batch(self.group, self.slot.topic, self.slot.partition, messages, self._stopping, moved=moved)
        await self._subscription.deliver(batch)
        return batch.finished > 0

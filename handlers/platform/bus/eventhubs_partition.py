"""One partition under one owner: a receiver of the SDK, kept going, and deliveries one after the other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

from azure.eventhub import EventData

from handlers.platform.bus.eventhubs_clients import Clients
from handlers.platform.bus.eventhubs_shares import Key, Place
from handlers.platform.bus.port import Batch, Progress, Received, Subscription
from handlers.platform.waiting import told

log = logging.getLogger(__name__)

BATCH: Final = 100  # messages
PREFETCH: Final = 300  # messages that the broker may send ahead
_ATTEMPTS: Final = 2
_CANCEL_SECONDS: Final = 3.0  # the SDK looks once a second whether a link has closed
PAUSE: Final = 0.5  # seconds, after a delivery that failed or moved nothing, and before a new link


class Partition:
    """Receives and delivers from the moment it is made.

    `alarm` is set when its link broke, for the partition may be another's now; `unsaved` when it has moved.
    """

    def __init__(
        self,
        clients: Clients,
        subscription: Subscription,
        key: Key,
        place: Place,
        *,
        alarm: asyncio.Event,
        unsaved: asyncio.Event,
    ) -> None:
        self.group, self.topic, self.number = self.key = key
        self.epoch = place.epoch
        self.position = self.head = self.saved = place.sequence
        self._offset = place.offset
        self._clients = clients
        self._subscription = subscription
        self._alarm = alarm
        self._unsaved = unsaved
        self._stopping = asyncio.Event()
        self._broken = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._cancelled = False
        self.task = asyncio.create_task(self._run(), name=f"events-{self.group}-{self.topic}-{self.number}")

    def reached(self) -> Place:
        """What a checkpoint says."""
        return Place(self.epoch, self.position, self._offset)

    def unsaved(self) -> bool:
        """Whether it has moved since its last checkpoint."""
        return self.position > self.saved

    def progress(self) -> Progress:
        """How far it is, as of the last messages that came."""
        return Progress(self.group, self.topic, self.number, max(0, self.head - self.position))

    async def stop(self, seconds: float) -> None:
        """Lets the delivery under way finish; ends it after so long. The link closes later: see `task`."""
        self._stopping.set()
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            log.warning("a delivery to %s took too long to finish", self.group)
        finally:
            self.cancel()

    def cancel(self) -> None:
        """Ends now."""
        self._stopping.set()
        if not self._cancelled:  # twice would end the closing of the link too
            self._cancelled = True
            self.task.cancel()

    async def _run(self) -> None:
        while not self._stopping.is_set():
            self._broken.clear()
            try:
                await self._receive()
            except Exception:
                log.exception("receiving for %s failed", self.group)
            self._alarm.set()
            await told(self._stopping, PAUSE)

    async def _receive(self) -> None:
        """One client's life: until its link breaks, or this task ends."""
        client = self._clients.consumer(self.topic, self.group)
        receiving = asyncio.create_task(
            client.receive_batch(
                self._on_batch,
                on_error=self._on_error,
                partition_id=str(self.number),
                owner_level=self.epoch,
                starting_position=self._offset,
                max_batch_size=BATCH,
                prefetch=PREFETCH,
                track_last_enqueued_event_properties=True,
            )
        )
        breaking = asyncio.create_task(self._broken.wait())
        try:
            await asyncio.wait({receiving, breaking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            breaking.cancel()
            await _ended(receiving)
            await client.close()

    async def _on_error(self, _: Any, error: Exception) -> None:
        """From the SDK: the link could not be kept up."""
        log.warning("partition %d of %s is not readable for %s: %s", self.number, self.topic, self.group, error)
        self._broken.set()

    async def _on_batch(self, context: Any, events: Sequence[EventData]) -> None:
        """From the SDK. It asks for no more before this is done, and brings some again after a reconnection."""
        messages = [found for event in events if (found := self._received(event)).sequence > self.position]
        offsets = {(event.sequence_number or 0) + 1: str(event.offset) for event in events}
        self._note(context, events, messages)
        self._idle.clear()
        try:
            while messages and not self._stopping.is_set():
                moved = await self._deliver(messages, offsets)
                messages = messages[moved:]
                if messages and not moved:
                    await told(self._stopping, PAUSE)
        except asyncio.CancelledError:
            self._stopping.set()
            raise
        finally:
            self._idle.set()

    async def _deliver(self, messages: list[Received], offsets: dict[int, str]) -> int:
        """How many were finished."""

        def moved() -> None:
            self.position = messages[batch.finished - 1].sequence
            self._offset = offsets[self.position]
            self._unsaved.set()

        batch = Batch(self.group, self.topic, self.number, messages, self._stopping, moved=moved)
        try:
            await self._subscription.deliver(batch)
        except Exception:
            log.exception("delivering to %s failed", self.group)
        return batch.finished

    def _note(self, context: Any, events: Sequence[EventData], messages: Sequence[Received]) -> None:
        if not events:
            return
        known = (context.last_enqueued_event_properties or {}).get("sequence_number")
        self.head = max(self.head, (known if known is not None else events[-1].sequence_number or 0) + 1)
        if messages and self.position and messages[0].sequence != self.position + 1:
            lost = messages[0].sequence - self.position - 1
            log.error(
                "events were removed by age before %s had read them: %d in a partition of %s",
                self.group,
                lost,
                self.topic,
            )

    def _received(self, event: EventData) -> Received:
        key = event.partition_key
        properties = event.properties or {}
        return Received(
            self.topic,
            self.number,
            (event.sequence_number or 0) + 1,  # theirs count from 0
            _text(key) if key is not None else "",
            b"".join(cast(Iterable[bytes], event.body)),
            {_text(name): _text(value) for name, value in properties.items()},
            event.enqueued_time.timestamp() if event.enqueued_time is not None else 0.0,
        )


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancels, and again if need be: the SDK loses cancellations at times. What is left, closing its client ends."""
    for _ in range(_ATTEMPTS):
        task.cancel()
        await asyncio.wait({task}, timeout=_CANCEL_SECONDS)
        if task.done():
            return
    log.warning("a link to Event Hubs does not end")


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)

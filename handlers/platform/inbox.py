"""What a consumer has applied already: a row for each event, in the batch of its effect, makes a duplicate do nothing.

A handler may touch several partitions: each has a row of its own, and what was done in one is not done again when the
handler comes a second time because it failed at another. The rows outlive the log (`infra/containers.yaml`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from generated.containers import CONTAINERS, Container
from handlers.platform.clock import Clock, SystemClock, timestamp
from handlers.platform.concurrency import Partition, retrying, settled
from handlers.platform.events import Event
from handlers.platform.store.port import (
    Create,
    DocumentExists,
    DocumentStore,
    Operation,
    StoreMisuse,
    VersionConflict,
)
from handlers.platform.store.values import fields_at

KIND: Final = "inbox"

Build = Callable[[], Awaitable[Sequence[Operation]]]


class Inbox:
    """Applies the effects of events once."""

    def __init__(
        self,
        store: DocumentStore,
        *,
        clock: Clock | None = None,
        containers: Mapping[str, Container] = CONTAINERS,
    ) -> None:
        self._store = store
        self._clock = clock or SystemClock()
        self._containers = containers
        self.duplicates = 0

    async def once(self, event: Event[Any], container: str, partition: Partition, build: Build) -> bool:
        """Applies what `build` answers, together with the event's row. False: it had been applied before.

        `build` reads and decides; it is asked again when another writer was faster, so it must have no effects of its
        own. When it answers nothing, nothing is written. Raises what the store raises; `VersionConflict` when the
        document stays contested.
        """

        async def attempt() -> bool:
            operations = await build()
            return await self.apply(event, container, partition, operations) if operations else True

        # A duplicate is rare but costs the reading and deciding; to look first costs a point read every time.
        return await retrying(attempt, on=(VersionConflict, DocumentExists))

    async def apply(
        self, event: Event[Any], container: str, partition: Partition, operations: Sequence[Operation]
    ) -> bool:
        """Applies the operations together with the event's row. False: they had been applied before."""
        row = self.row(event, container, partition)
        try:
            await settled(self._store, container, partition, [row, *operations])
        except DocumentExists:
            if not await self.applied(event, container, partition):
                raise  # something else of the batch was there already
            self.duplicates += 1
            return False
        return True

    async def applied(self, event: Event[Any], container: str, partition: Partition) -> bool:
        """Whether this group has applied the event in this partition. One point read."""
        return await self._store.read(container, partition, row_id(event.group, event.id)) is not None

    def row(self, event: Event[Any], container: str, partition: Partition) -> Create:
        """The event's row, for a batch that a handler makes itself."""
        spec = self._containers[container]
        if KIND not in spec.kinds:
            raise StoreMisuse(f"{container}: no inbox rows here (infra/containers.yaml)")
        parts = (partition,) if isinstance(partition, str) else partition
        return Create(
            {
                **fields_at(dict(zip(spec.partition_key, parts, strict=True))),
                "id": row_id(event.group, event.id),
                "kind": KIND,
                "event_id": event.id,
                "event_type": event.type,
                "applied_at": timestamp(self._clock.now()),
            }
        )


def row_id(group: str, event_id: str) -> str:
    """The id of the row that says that a group has applied an event."""
    return f"inbox|{group}|{event_id}"

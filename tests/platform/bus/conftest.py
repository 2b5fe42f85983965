"""The adapters under the bus's conformance suite. Another one is one more line in `ADAPTERS`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import pytest

from generated.events import TopicSpec
from handlers.platform.bus.port import Batch, EventBus, Message, Received, Subscription
from handlers.platform.bus.sqlite import SqliteBus
from tests.support.wait import eventually

TOPICS: Final = {"a-events": TopicSpec(4, 168), "b-events": TopicSpec(2, 168)}
LEASE: Final = 0.5

Opener = Callable[[], EventBus]
ADAPTERS: Final[dict[str, Callable[[Path], EventBus]]] = {
    "sqlite": lambda folder: SqliteBus.open(folder / "events.sqlite3", TOPICS, lease=LEASE)
}


@pytest.fixture(params=ADAPTERS)
async def open_bus(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opener]:
    """Opens the same log again and again, as several processes would."""
    opened: list[EventBus] = []

    def opener() -> EventBus:
        opened.append(ADAPTERS[request.param](tmp_path))
        return opened[-1]

    yield opener
    for bus in opened:
        await bus.close()


@pytest.fixture
def bus(open_bus: Opener) -> EventBus:
    """One bus."""
    return open_bus()


class Reader:
    """A group's receiver that keeps what it gets. `hold` keeps it from finishing."""

    def __init__(self, group: str = "readers", *, broadcast: bool = False) -> None:
        self.got: list[Received] = []
        self.batches: list[Batch] = []
        self.hold: asyncio.Event | None = None
        self.subscription = Subscription(group, ("a-events",), self._deliver, broadcast)

    async def _deliver(self, batch: Batch) -> None:
        self.batches.append(batch)
        if self.hold is not None:
            await self.hold.wait()
        self.got += batch.messages
        batch.finish(len(batch.messages))

    @property
    def bodies(self) -> list[bytes]:
        """The bodies, in the order of arrival."""
        return [message.body for message in self.got]

    async def until(self, count: int, seconds: float = 5.0) -> None:
        """Waits for so many messages."""
        await eventually(lambda: len(self.got) >= count)


def message(key: str, number: int) -> Message:
    """A message of a key."""
    return Message(key, f"{key}:{number}".encode(), {"cloudEvents:id": f"{key}-{number}"})

"""What a process knows of a group's dead letters, so that it need not ask the store at every event.

A dead letter's event is seen again when a checkpoint was lost, or when the relay published it twice: then later, at a
place of its own. Either way it comes to the partition of its key, where only the owner buries. So it is enough to read
the group's letters once after a partition was taken, and to add what this process buries itself. A former owner that
hung may still bury one that its successor tries as well: no reading rules that out, and the inbox makes it harmless.
"""

from __future__ import annotations

import asyncio
from typing import Final

from handlers.platform.dead_letters import DeadLetters

MOST: Final = 1000  # ids; with more, the store is asked at every event


class Buried:
    """The dead letters of one group."""

    def __init__(self, letters: DeadLetters, group: str) -> None:
        self._letters = letters
        self._group = group
        self._ids: set[str] = set()
        self._taken = 1
        self._read = 0  # up to which taking the letters have been read
        self._reading = asyncio.Lock()

    def taken(self) -> None:
        """This process has got a partition, and another may have buried events of it before."""
        self._taken += 1

    def add(self, event_id: str) -> None:
        """This process has buried an event."""
        if len(self._ids) < MOST:
            self._ids.add(event_id)

    async def holds(self, event_id: str) -> bool:
        """Whether the event is a dead letter of the group, sent again or not. Raises what the store raises."""
        if self._read != self._taken:
            async with self._reading:
                await self._catch_up()
        if event_id in self._ids:
            return True
        return len(self._ids) >= MOST and await self._letters.holds(self._group, event_id)

    async def _catch_up(self) -> None:
        taken = self._taken
        if self._read != taken:
            self._ids |= await self._letters.ids(self._group, MOST)
            self._read = taken

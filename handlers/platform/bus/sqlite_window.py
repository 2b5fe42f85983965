"""The newest messages of each partition, kept for the groups of one process: the first to come reads, the others share.

Groups of one process follow the log closely and ask for the same messages one after the other. Messages never change,
so what was read once can be handed out again; who asks for older ones than are kept reads for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from handlers.platform.bus.port import Received
from handlers.platform.bus.sqlite_log import Slot

KEPT: Final = 32  # messages of a partition
LARGE: Final = 8_192  # bytes of a body; the few that are larger are not kept, so all windows together stay small

Read = Callable[[Slot, int, int], list[Received]]


class Window:
    """Reads partitions with `read`, and remembers."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._kept: dict[int, list[Received]] = {}

    def read(self, slot: Slot, after: int, limit: int) -> list[Received]:
        """The next messages of a partition behind a sequence, at most `limit`. Raises what `read` raises.

        There may be more than it answers; when it answers none there are none.
        """
        kept = self._kept.get(slot.number, [])
        index = after + 1 - kept[0].sequence if kept else -1
        # Numbers are missing where messages were removed by age.
        if 0 <= index < len(kept) and kept[index].sequence == after + 1:
            return kept[index : index + limit]
        found = self._read(slot, after, limit)
        if found and (not kept or kept[-1].sequence < found[-1].sequence):
            before = kept if kept and kept[-1].sequence == after else []
            self._kept[slot.number] = _fit([*before, *found])
        return found


def _fit(messages: list[Received]) -> list[Received]:
    newest = messages[-KEPT:]
    return [] if any(len(message.body) > LARGE for message in newest) else newest

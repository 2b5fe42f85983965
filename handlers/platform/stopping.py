"""The news that a process is to end, for what would otherwise go on for long, such as streams."""

from __future__ import annotations

from collections.abc import Callable


class Stopping:
    """Told once, from the event loop, before the server waits for the answers under way."""

    def __init__(self) -> None:
        self.begun = False
        self._calls: list[Callable[[], None]] = []

    def hear(self, call: Callable[[], None]) -> None:
        """Has something called when the end begins."""
        self._calls.append(call)

    def begin(self) -> None:
        """Tells everybody."""
        self.begun = True
        for call in self._calls:
            call()

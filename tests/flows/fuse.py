"""Counts the steps of a process and kills it at one of them, as a machine that loses power would: SIGKILL, no farewell.

A step is a moment before or after something leaves the process for good: a batch or write of the store, a publication
on the bus, a checkpoint of a consumer, a request to Stripe. The product knows nothing of it: its ports are wrapped
where the process is put together.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any, Final

from handlers.platform.store.port import Document, Operation

# Where the control differs from the product.
BETWEEN: Final = "between"
WRITES: Final = ("write", "batch")
PUBLISHING: Final = ("publish",)
STRIPE: Final = ("create_intent", "retrieve", "confirm", "cancel", "refund", "refunds_of")

Label = Callable[[tuple[Any, ...]], str]


class Fuse:
    """Counts from the moment it is set. `at` 0: it only counts. Told from and telling through `line`.

    `only`: steps whose names begin like this, unless it is set for others.
    """

    def __init__(self, line: Connection, only: str = "") -> None:
        self._line = line
        self._only = only
        self._named = only
        self._lock = threading.Lock()
        self._at: int | None = None
        self._passed = 0

    def listen(self) -> None:
        """Hears commands in a thread of its own: `("set", at, only)` and `("off",)`; answers steps passed."""
        threading.Thread(target=self._hear, name="fuse", daemon=True).start()

    def step(self, label: str) -> None:
        """One step; the last one when it is the one."""
        with self._lock:
            if self._at is None or not label.startswith(self._named):
                return
            self._passed += 1
            if self._passed == self._at:
                self._line.send(("killed", label))
                os.kill(os.getpid(), signal.SIGKILL)

    def _hear(self) -> None:
        while True:
            try:
                command = self._line.recv()
            except (EOFError, OSError):
                os._exit(1)  # the test has ended
            with self._lock:
                if command[0] == "set":
                    self._at, self._passed, self._named = command[1], 0, command[2] or self._only
                else:
                    self._at = None
                self._line.send(("steps", self._passed))


class Fused:
    """A port of which some methods are steps; everything else goes through."""

    def __init__(self, inner: Any, fuse: Fuse, methods: Sequence[str], label: Label) -> None:
        self._inner = inner
        self._fuse = fuse
        self._methods = frozenset(methods)
        self._label = label

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name not in self._methods:
            return method

        async def stepping(*given: Any, **named: Any) -> Any:
            label = f"{name} {self._label(given)}".rstrip()
            self._fuse.step(f"before {label}")
            result = await method(*given, **named)
            self._fuse.step(f"after {label}")
            return result

        return stepping


class OutboxApart(Fused):
    """The control: a store that writes the events of a change only after the change, so that a crash loses them."""

    async def batch(
        self, container: str, partition: str | tuple[str, ...], operations: Sequence[Operation]
    ) -> list[Document | None]:
        """The change, then its events."""
        apart = [each for each in operations if _kind(each) == "outbox"]
        kept = [each for each in operations if _kind(each) != "outbox"]
        written: list[Document | None] = await self._inner.batch(container, partition, kept) if kept else []
        if apart:
            self._fuse.step(f"{BETWEEN} change and event {container}")
            await self._inner.batch(container, partition, apart)
        return written


class InboxOff(Fused):
    """The control: a store that keeps no note of the events that were applied, so that a crash applies one twice."""

    async def batch(
        self, container: str, partition: str | tuple[str, ...], operations: Sequence[Operation]
    ) -> list[Document | None]:
        """The effects without the note."""
        kept = [each for each in operations if _kind(each) != "inbox"]
        written: list[Document | None] = await self._inner.batch(container, partition, kept) if kept else []
        if len(kept) < len(operations) and container == "users":
            self._fuse.step(f"{BETWEEN} effect and checkpoint {container}")
        return written


CONTROLS: Final = {"outbox apart": OutboxApart, "inbox off": InboxOff}


def of_write(given: tuple[Any, ...]) -> str:
    """A write by its container and the kinds of its rows."""
    operations = given[1:2] if len(given) < 3 else given[2]
    kinds = sorted({f"{type(each).__name__.lower()}-{_kind(each) or 'document'}" for each in operations})
    return f"{given[0]} {','.join(kinds)}"


def of_topic(given: tuple[Any, ...]) -> str:
    """A publication by its topic."""
    return str(given[0])


def _kind(operation: Operation) -> str | None:
    document = getattr(operation, "document", None)
    if document is not None:
        kind = document.get("kind")
        return str(kind) if kind is not None else None
    kind, _, rest = str(getattr(operation, "id", "")).partition("|")
    return kind if rest else None

"""The embedded event bus: an append-only log in one SQLite file, durable, for several processes of one machine.

Publishing goes through a writer thread that commits in groups; a message is safe when `publish` returns. Whoever waits
for messages is woken through sockets beside the file (`handlers/platform/wake.py`) and polls nothing.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Final

from generated.events import TOPICS, TopicSpec
from handlers.platform.bus.port import (
    MAX_MESSAGE_BYTES,
    BusUnavailable,
    Message,
    MessageTooLarge,
    Position,
    Received,
    Subscription,
)
from handlers.platform.bus.sqlite_consumption import SqliteConsumption
from handlers.platform.bus.sqlite_log import Log, Slot
from handlers.platform.bus.sqlite_window import Window
from handlers.platform.clock import Clock, SystemClock
from handlers.platform.store.port import StoreError
from handlers.platform.store.sqlite_schema import connect
from handlers.platform.store.sqlite_writer import Writer
from handlers.platform.wake import Bell, Wake

PING_TIMEOUT: Final = 2.0
LEASE: Final = 30.0  # seconds; only a process that hangs keeps its partitions for so long, an ended one is noticed
BUSY: Final = "the event log is locked, full or damaged"

Work = Callable[[sqlite3.Connection], Any]


class SqliteBus:
    """The `EventBus` on SQLite. Make one with `open`."""

    def __init__(
        self, path: Path, topics: Mapping[str, TopicSpec], clock: Clock, lease: float, busy_timeout: float
    ) -> None:
        self._clock = clock
        self._lease = lease
        self._wake = Wake(path)
        writing = connect(path, busy_timeout=busy_timeout, writes=True)
        try:
            self.log = Log(writing, topics)
            self._reading = connect(path, busy_timeout=busy_timeout, writes=False)
        except BaseException:
            writing.close()
            raise
        self._window = Window(self._read)
        self._appended = False
        self._writer = Writer(
            writing,
            busy_timeout=busy_timeout,
            check=_unchecked,
            housekeeping=lambda connection: self.log.purge(self.now(), connection),
            committed=self._committed,
        )

    @classmethod
    def open(
        cls,
        path: Path | str,
        topics: Mapping[str, TopicSpec] = TOPICS,
        *,
        clock: Clock | None = None,
        lease: float = LEASE,
        busy_timeout: float = 30.0,
    ) -> SqliteBus:
        """Opens or creates the file. `lease`: seconds after which a consumer that shows no sign of life is replaced.

        Raises `BusUnavailable`.
        """
        file = Path(path)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            return cls(file, topics, clock or SystemClock(), lease, busy_timeout)
        except (sqlite3.Error, OSError) as error:
            raise BusUnavailable("the event log cannot be opened") from error

    @classmethod
    def prepare(cls, path: Path, topics: Mapping[str, TopicSpec], *, busy_timeout: float = 30.0) -> None:
        """Creates the file or brings it up to date, and closes it. Raises `BusUnavailable` when it cannot be used."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with closing(connect(path, busy_timeout=busy_timeout, writes=True)) as connection:
                Log(connection, topics)
        except (sqlite3.Error, OSError) as error:
            raise BusUnavailable("the event log cannot be opened") from error

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Returns once all are on the disk; all of a call or none."""
        for message in messages:
            if message.size > MAX_MESSAGE_BYTES:
                raise MessageTooLarge(f"{message.size} bytes, at most {MAX_MESSAGE_BYTES}")
        rows = self.log.sorted_by_slot(topic, messages)
        await self.submit(partial(self._append, rows, self.now()))

    async def consume(self, subscriptions: Sequence[Subscription]) -> SqliteConsumption:
        """Starts delivering."""
        consumption = SqliteConsumption(self, subscriptions, self._lease)
        await consumption.start()
        return consumption

    async def positions(self, groups: Mapping[str, Sequence[str]]) -> list[Position]:
        """How far each group has come: checkpoints and heads lie in the same file."""
        try:
            return self.log.positions(groups, self._reading)
        except sqlite3.Error as error:
            raise BusUnavailable(BUSY) from error

    async def ping(self) -> None:
        """Raises `BusUnavailable` when the log does not take writes: only a write proves it."""
        try:
            await asyncio.wait_for(self.submit(_touch), PING_TIMEOUT)
        except TimeoutError as error:
            raise BusUnavailable(f"the event log did not write within {PING_TIMEOUT:g} s") from error

    async def close(self) -> None:
        """Finishes what was accepted and releases the file. May be called twice."""
        await asyncio.wrap_future(self._writer.stop())
        self._reading.close()

    # --- for consumptions -------------------------------------------------------------------------------------------

    def now(self) -> int:
        """Milliseconds since 1970."""
        return int(self._clock.now().timestamp() * 1000)

    def read(self, slot: Slot, after: int, limit: int) -> list[Received]:
        """The messages of a partition behind a sequence. Raises `BusUnavailable`."""
        return self._window.read(slot, after, limit)

    def heads(self) -> dict[int, int]:
        """The last sequence of every slot. Raises `BusUnavailable`."""
        try:
            return self.log.heads(self._reading)
        except sqlite3.Error as error:
            raise BusUnavailable(BUSY) from error

    def listen(self) -> Bell:
        """A bell that rings after every commit of messages, and of changes among the members."""
        return self._wake.listen()

    def ring(self) -> None:
        """Rings it."""
        self._wake.ring()

    async def submit(self, work: Work) -> Any:
        """Has the writer carry out `work` in a transaction of its group. Raises `BusUnavailable`."""
        try:
            return (await self._writer.submit([work]))[0]
        except StoreError as error:  # the writer is the document store's, and speaks its language
            raise BusUnavailable(BUSY) from error

    def _read(self, slot: Slot, after: int, limit: int) -> list[Received]:
        try:
            return self.log.read(slot, after, limit, self._reading)
        except sqlite3.Error as error:
            raise BusUnavailable(BUSY) from error

    def _append(
        self, rows: Mapping[int, list[tuple[str, bytes, bytes]]], at: int, connection: sqlite3.Connection
    ) -> None:
        self.log.append(rows, at, connection)
        self._appended = True

    def _committed(self) -> None:
        if self._appended:
            self._appended = False
            self._wake.ring()


def _unchecked(_: sqlite3.Connection) -> None:
    """The log's tables do not change with the contract."""


def _touch(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE heads SET sequence = sequence WHERE slot = -2")

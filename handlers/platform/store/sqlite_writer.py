"""The one thread of a process that writes: group commit.

It takes what is queued, opens one transaction for it, and syncs once. A caller hears of success only after the sync. A
write that fails on its own (conflict, missing) is undone alone; when the disk or the file fails, the whole group is
undone and everyone hears of it.

What an event loop submits in one turn reaches the thread together, at the end of the turn: the first write of a turn
would else have a transaction and a sync of its own while the others are still being prepared.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Final

from handlers.platform.store.port import StoreError, StoreMisuse, StoreUnavailable
from handlers.platform.store.sqlite_errors import is_busy, is_of_the_file, unavailable

log = logging.getLogger(__name__)

# What a write answers is its caller's affair: a document here, a position in the event log.
Work = Callable[[sqlite3.Connection], Any]
Results = list[Any]

MAX_GROUP: Final = 256  # a transaction may hold nearly twice as many
_POLL: Final = 0.001
_HOUSEKEEPING_INTERVAL: Final = 5.0
_HOUSEKEEPING_REST: Final = 0.05  # until the next round while there is more to clear: writes come first


class Job:
    """A batch of writes to carry out together, and where its outcome goes."""

    __slots__ = ("error", "future", "loop", "results", "works")

    def __init__(self, works: Sequence[Work], loop: asyncio.AbstractEventLoop) -> None:
        self.works = works
        self.loop = loop
        self.future: asyncio.Future[Results] = loop.create_future()
        self.results: Results = []
        self.error: BaseException | None = None

    def settle(self) -> None:
        """Tells the caller, on its own loop; one that no longer waits is left alone."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.results)


def _silent() -> None:
    """Nobody wants to know of commits."""


class Writer:
    """Owns the writing connection and its thread. `check` runs at the start of every transaction and may refuse it.

    `housekeeping` clears up for a moment, and says whether there is more to clear: then it is called again soon. It is
    called every few seconds otherwise. `committed` is called in the thread, after every transaction that is safe on the
    disk.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        busy_timeout: float,
        check: Callable[[sqlite3.Connection], None],
        housekeeping: Callable[[sqlite3.Connection], bool],
        committed: Callable[[], None] = _silent,
    ) -> None:
        self._connection = connection
        self._busy_timeout = busy_timeout
        self._check = check
        self._housekeeping = housekeeping
        self._committed = committed
        self._queue: queue.SimpleQueue[list[Job] | None] = queue.SimpleQueue()
        self._turns: dict[asyncio.AbstractEventLoop, list[Job]] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._sweep_at = time.monotonic() + _HOUSEKEEPING_INTERVAL
        self._ended: Future[None] = Future()
        self._thread = threading.Thread(target=self._main, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, works: Sequence[Work]) -> asyncio.Future[Results]:
        """Queues a batch. The future gives one result for each write, after the sync."""
        loop = asyncio.get_running_loop()
        job = Job(works, loop)
        with self._lock:
            if self._closed:
                raise StoreUnavailable("the document store is closed")
            turn = self._turns.get(loop)
            if turn is not None:
                turn.append(job)
            else:
                self._turns[loop] = [job]
                loop.call_soon(self._hand_over, loop)
        return job.future

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        """Gives the thread what the loop has submitted in this turn, unless `stop` has."""
        with self._lock:
            self._enqueue(self._turns.pop(loop, []))

    def _enqueue(self, turn: list[Job]) -> None:
        for start in range(0, len(turn), MAX_GROUP):
            self._queue.put(turn[start : start + MAX_GROUP])

    def stop(self) -> Future[None]:
        """Takes no more, finishes what is queued, closes the connection; the future says when."""
        with self._lock:
            if not self._closed:
                self._closed = True
                while self._turns:
                    self._enqueue(self._turns.popitem()[1])
                self._queue.put(None)
        return self._ended

    def _main(self) -> None:
        try:
            while self._turn():
                pass
        finally:
            self._connection.close()
            self._ended.set_result(None)

    def _turn(self) -> bool:
        """One group, or a step of housekeeping when nothing came for a while. False: the end."""
        jobs, more = self._collect()
        if jobs:
            self._carry_out(jobs)
            _settle(jobs)
            self._tell()
        if time.monotonic() >= self._sweep_at:
            self._sweep()
        return more

    def _tell(self) -> None:
        """After the callers know: nothing that goes wrong here may make a committed write look failed."""
        try:
            self._committed()
        except Exception:
            log.exception("nobody was told of a commit")

    def _collect(self) -> tuple[list[Job], bool]:
        try:
            turn = self._queue.get(timeout=max(0.0, self._sweep_at - time.monotonic()))
        except queue.Empty:
            return [], True
        jobs: list[Job] = []
        while turn is not None:
            jobs += turn
            if len(jobs) >= MAX_GROUP or self._queue.empty():
                return jobs, True
            turn = self._queue.get_nowait()
        return jobs, False

    def _carry_out(self, jobs: list[Job]) -> None:
        """One transaction for all. Whatever happens, every job has a result or an error afterwards."""
        committing = False
        try:
            self._begin()
            self._check(self._connection)
            for job in jobs:
                self._one(job)
            committing = True
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._fail(jobs, unavailable(error, committing=committing))
        except StoreError as error:
            self._fail(jobs, error)
        except Exception as error:  # a fault of ours must not end the thread that everyone waits for
            log.exception("the store's writer failed")
            self._fail(jobs, error)

    def _begin(self) -> None:
        """Takes the write lock. Polls, for SQLite's own waiting grows to steps of 100 ms and starves a process."""
        deadline = time.monotonic() + self._busy_timeout
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not is_busy(error) or time.monotonic() >= deadline:
                    raise
                time.sleep(_POLL)
            else:
                return

    def _one(self, job: Job) -> None:
        """A batch in a savepoint; a single write needs none, for a statement that fails leaves nothing."""
        try:
            if len(job.works) == 1:
                job.results = [job.works[0](self._connection)]
            else:
                self._batch(job)
        except (StoreError, StoreMisuse) as error:
            job.error = error
        except sqlite3.Error as error:
            if is_of_the_file(error) or not self._connection.in_transaction:
                raise
            job.error = StoreMisuse(f"SQLite refused a write: {error}")

    def _batch(self, job: Job) -> None:
        self._connection.execute("SAVEPOINT batch")
        try:
            job.results = [work(self._connection) for work in job.works]
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK TO batch")
                self._connection.execute("RELEASE batch")
            raise
        self._connection.execute("RELEASE batch")

    def _fail(self, jobs: list[Job], error: BaseException) -> None:
        """Undoes the group. A job that failed on its own keeps its reason."""
        self._rollback()
        for job in jobs:
            job.error = job.error or error

    def _rollback(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            log.exception("the store's writer could not roll back")

    def _sweep(self) -> None:
        more = False
        try:
            self._begin()
            self._check(self._connection)
            more = self._housekeeping(self._connection)
            self._connection.execute("COMMIT")
        except (sqlite3.Error, StoreError) as error:
            self._rollback()
            log.warning("store housekeeping skipped: %s", error)
        self._sweep_at = time.monotonic() + (_HOUSEKEEPING_REST if more else _HOUSEKEEPING_INTERVAL)


def _settle(jobs: list[Job]) -> None:
    """One call into each event loop for the whole group."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Job]] = defaultdict(list)
    for job in jobs:
        by_loop[job.loop].append(job)
    for loop, own in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle_all, own)
        except RuntimeError:  # the loop has ended, and with it whoever waited
            log.warning("%d writes were done for a loop that has ended", len(own))


def _settle_all(jobs: list[Job]) -> None:
    for job in jobs:
        job.settle()

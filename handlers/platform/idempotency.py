"""`Idempotency-Key`: the first answer is kept beside the effect, in one batch, so that a repeated POST changes nothing.

A row in the container and partition of what it guards (decision 51), for 24 hours:

    begin     the row is made, `running`; a repetition meanwhile is 409, one with another body 422
    effect    the batch of the effect replaces the row by the answer, guarded by its etag; from then on it is replayed
    release   the handler failed before: the row goes, and the caller may try again

So that nothing done outside the store (a charge) begins twice. When the process dies in between, a repetition takes
the row over within seconds, whichever process it comes to (`heartbeat`), and the batch of one that was only slow is
refused. A row of this very process that is not under way stands for nothing: the store was unavailable when it was made
or to be released. A key counts for one caller, one operation and one partition.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol

from generated.containers import CONTAINERS
from handlers.platform.background import Background
from handlers.platform.clock import Clock, moment, timestamp
from handlers.platform.errors import Problem, conflict, unprocessable
from handlers.platform.heartbeat import Heartbeat, life_of
from handlers.platform.ids import new_id
from handlers.platform.store.port import (
    Create,
    Delete,
    Document,
    DocumentExists,
    DocumentMissing,
    DocumentStore,
    Json,
    Operation,
    OutcomeUnknown,
    Replace,
    StoreError,
    StoreMisuse,
    VersionConflict,
)
from handlers.platform.store.values import fields_at

KIND: Final = "idempotency"
GRACE: Final = timedelta(seconds=90)  # longer than any request may take
_FIRST_PAUSE: Final = 0.2  # seconds between attempts to remove a row
_LONGEST_PAUSE: Final = 5.0

Partition = str | tuple[str, ...]

log = logging.getLogger(__name__)


class Replayed(Exception):
    """The request was answered before. Carries that answer; the runtime sends it."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__("answered before")
        self.status = status
        self.body = body


@dataclass(frozen=True, slots=True)
class Key:
    """A request that carries a key. `digest` is over everything that the answer may depend on."""

    operation: str
    caller: str
    value: str
    digest: str

    @property
    def row_id(self) -> str:
        """The row's id: callers and operations do not get at each other's keys."""
        parts = "\x00".join((self.operation, self.caller, self.value))
        return f"{KIND}|{hashlib.sha256(parts.encode()).hexdigest()[:40]}"


def digest_of(target: str, body: bytes) -> str:
    """The digest of a request's path and body."""
    return hashlib.sha256(target.encode() + b"\x00" + body).hexdigest()


class Once:
    """One request under way. Without a key nothing is kept, and `remember` answers nothing."""

    __slots__ = ("_held", "_requests", "_status", "remembered")

    def __init__(self, requests: KeyedRequests, held: Held | None, status: int) -> None:
        self._requests = requests
        self._held = held
        self._status = status
        self.remembered = False

    def remember(self, answer: Any, *, status: int | None = None) -> list[Operation]:
        """What belongs into the batch of the effect, so that `answer` is given again. `status`: the operation's own."""
        self.remembered = True
        if self._held is None:
            return []
        row = self._held.row
        done = {**row.data, "state": "done", "status": status or self._status, "answer": answer}
        return [Replace(done, if_match=row.etag)]

    def end(self) -> None:
        """The request is no longer under way, whatever has become of it."""
        if self._held is not None:
            self._requests.end(self._held)

    async def release(self) -> None:
        """Forgets a request that had no effect. Nothing happens to one that had."""
        if self._held is not None:
            await self._requests.release(self._held)


@dataclass(frozen=True, slots=True)
class Held:
    """The row of a request that this process has under way, and where it is."""

    container: str
    partition: Partition
    row: Document

    @property
    def place(self) -> tuple[str, Partition, str]:
        """What tells it from others."""
        return self.container, self.partition, self.row.data["id"]


class Parts(Protocol):
    """What is needed of a process's services."""

    @property
    def store(self) -> DocumentStore:
        """Where the rows are."""
        ...

    @property
    def clock(self) -> Clock:
        """Says when a request began."""
        ...

    @property
    def background(self) -> Background:
        """Removes later what could not be removed at once."""
        ...


class KeyedRequests:
    """The requests with a key that this process has under way."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._under_way: set[tuple[str, Partition, str]] = set()
        self.heartbeat = Heartbeat(parts.store)

    async def begin(self, container: str, partition: Partition, *, key: Key | None, status: int) -> Once:
        """Begins a request in the partition that it will change.

        `status`: what the operation answers on success. Raises `Replayed` when it was answered before; `Problem` 409
        while it is under way, 422 when the key came with something else.
        """
        if key is None:
            return Once(self, None, status)
        row = self._row(container, partition, key)
        place = (container, partition, row["id"])
        if place in self._under_way:
            raise _in_progress()
        self._under_way.add(place)
        try:
            held = Held(container, partition, await self._take(container, partition, row))
        except OutcomeUnknown:
            self._under_way.discard(place)
            self._remove_later(container, partition, row)
            raise
        except BaseException:
            self._under_way.discard(place)
            raise
        return Once(self, held, status)

    def end(self, held: Held) -> None:
        """Notes that a request is no longer under way."""
        self._under_way.discard(held.place)

    async def release(self, held: Held) -> None:
        """Removes the row of a request without effect; where the store is unavailable, as soon as it is back."""
        self.end(held)
        try:
            delete = Delete(held.row.data["id"], if_match=held.row.etag)
            await self._parts.store.write(held.container, delete, partition=held.partition)
        except (DocumentMissing, VersionConflict):
            return  # it is done, or another has taken it over
        except StoreError as error:
            log.warning("an idempotency key could not be released yet", extra={"reason": type(error).__name__})
            self._remove_later(held.container, held.partition, held.row.data)

    async def _take(self, container: str, partition: Partition, row: Json) -> Document:
        try:
            made = await self._parts.store.write(container, Create(row))
        except DocumentExists:
            made = await self._take_over(container, partition, row)
        if made is None:
            raise StoreMisuse("a written row has no document")
        return made

    async def _take_over(self, container: str, partition: Partition, row: Json) -> Document | None:
        """What to do about a row that is there: replay, refuse, or take over."""
        store = self._parts.store
        found = await store.read(container, partition, row["id"])
        if found is None:
            raise conflict("The first request with this key has just failed", "idempotency_in_progress")
        known = found.data
        if known["digest"] != row["digest"]:
            raise unprocessable("This key was used with another request", "idempotency_key_reused")
        if known["state"] == "done":
            raise Replayed(known["status"], known["answer"])
        if not await self._is_abandoned(known):
            raise _in_progress()
        try:
            return await store.write(container, Replace(row, if_match=found.etag))
        except (DocumentMissing, VersionConflict):
            raise _in_progress() from None

    async def _is_abandoned(self, known: Json) -> bool:
        if known["owner"] == self.heartbeat.name:
            return True  # not under way, else it would not have come here
        if self._parts.clock.now() - moment(known["started_at"]) >= GRACE:
            return True
        return await life_of(self._parts.store, known["owner"]) == "ended"

    def _remove_later(self, container: str, partition: Partition, row: Json) -> None:
        self._parts.background.spawn(self._remove(container, partition, row), "release an idempotency key")

    async def _remove(self, container: str, partition: Partition, row: Json) -> None:
        """Removes a row, if it is still that of this attempt and without effect, as soon as the store allows it."""
        store, pause = self._parts.store, _FIRST_PAUSE
        while self._parts.clock.now() - moment(row["started_at"]) < GRACE:
            try:
                found = await store.read(container, partition, row["id"])
                if found is None or found.data["state"] != "running" or found.data["attempt"] != row["attempt"]:
                    return
                if (container, partition, row["id"]) in self._under_way:
                    return  # a repetition in this process is taking it over
                await store.write(container, Delete(row["id"], if_match=found.etag), partition=partition)
            except (DocumentMissing, VersionConflict):
                return
            except StoreError:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                return

    def _row(self, container: str, partition: Partition, key: Key) -> Json:
        spec = CONTAINERS[container]
        if KIND not in spec.kinds:
            raise StoreMisuse(f"{container}: no idempotency rows here (infra/containers.yaml)")
        parts = (partition,) if isinstance(partition, str) else partition
        return {
            **fields_at(dict(zip(spec.partition_key, parts, strict=True))),
            "id": key.row_id,
            "kind": KIND,
            "state": "running",
            "digest": key.digest,
            "owner": self.heartbeat.name,
            "attempt": new_id("attempt"),
            "started_at": timestamp(self._parts.clock.now()),
        }


def _in_progress() -> Problem:
    return conflict("The first request with this key is still running", "idempotency_in_progress")

"""`Idempotency-Key`: the first answer is kept beside the effect, in one batch, so that a repeated POST changes nothing.

A row in the container and partition of what it guards (decision 51), for 24 hours:

    begin     the row is made, `running`; a repetition meanwhile is 409, one with another body 422
    effect    the batch of the effect replaces the row by the answer, guarded by its etag; from then on it is replayed
    release   the handler failed before: the row goes, and the caller may try again

So that nothing done outside the store (a charge) begins twice. When the process dies in between, the next repetition
takes the row over, and the batch of the one that was only slow is refused. A key counts for one caller, one operation
and one partition.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from generated.containers import CONTAINERS
from handlers.platform.clock import Clock, moment, timestamp
from handlers.platform.errors import conflict, unprocessable
from handlers.platform.process import has_ended, this_process
from handlers.platform.store.port import (
    Create,
    Delete,
    Document,
    DocumentExists,
    DocumentMissing,
    DocumentStore,
    Json,
    Operation,
    Replace,
    StoreError,
    StoreMisuse,
    VersionConflict,
)
from handlers.platform.store.values import fields_at

KIND: Final = "idempotency"
GRACE: Final = timedelta(seconds=90)  # longer than any request may take

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

    __slots__ = ("_container", "_held", "_partition", "_status", "_store", "remembered")

    def __init__(
        self, store: DocumentStore, container: str, partition: Partition, held: Document | None, status: int
    ) -> None:
        self._store = store
        self._container = container
        self._partition = partition
        self._held = held
        self._status = status
        self.remembered = False

    def remember(self, answer: Any, *, status: int | None = None) -> list[Operation]:
        """What belongs into the batch of the effect, so that `answer` is given again. `status`: the operation's own."""
        self.remembered = True
        if self._held is None:
            return []
        done = {**self._held.data, "state": "done", "status": status or self._status, "answer": answer}
        return [Replace(done, if_match=self._held.etag)]

    async def release(self) -> None:
        """Forgets a request that had no effect. Nothing happens to one that had."""
        if self._held is None:
            return
        try:
            delete = Delete(self._held.data["id"], if_match=self._held.etag)
            await self._store.write(self._container, delete, partition=self._partition)
        except (DocumentMissing, VersionConflict):
            return  # it is done, or another has taken it over
        except StoreError:
            log.warning("an idempotency key stays taken for %g s: it could not be released", GRACE.total_seconds())


async def begin(
    store: DocumentStore, clock: Clock, container: str, partition: Partition, *, key: Key | None, status: int
) -> Once:
    """Begins a request in the partition that it will change.

    `status`: what the operation answers on success. Raises `Replayed` when it was answered before; `Problem` 409 while
    it is under way, 422 when the key came with something else.
    """
    if key is None:
        return Once(store, container, partition, None, status)
    row = _row(clock, container, partition, key)
    try:
        held = await store.write(container, Create(row))
    except DocumentExists:
        held = await _standing(store, clock, container, partition, row)
    return Once(store, container, partition, held, status)


async def _standing(
    store: DocumentStore, clock: Clock, container: str, partition: Partition, row: Json
) -> Document | None:
    """What to do about a row that is there: replay, refuse, or take over."""
    found = await store.read(container, partition, row["id"])
    if found is None:
        raise conflict("The first request with this key has just failed", "idempotency_in_progress")
    known = found.data
    if known["digest"] != row["digest"]:
        raise unprocessable("This key was used with another request", "idempotency_key_reused")
    if known["state"] == "done":
        raise Replayed(known["status"], known["answer"])
    if clock.now() - moment(known["started_at"]) < GRACE and not has_ended(known["owner"]):
        raise conflict("The first request with this key is still running", "idempotency_in_progress")
    try:
        return await store.write(container, Replace(row, if_match=found.etag))
    except (DocumentMissing, VersionConflict):
        raise conflict("The first request with this key is still running", "idempotency_in_progress") from None


def _row(clock: Clock, container: str, partition: Partition, key: Key) -> Json:
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
        "owner": this_process(),
        "started_at": timestamp(clock.now()),
    }

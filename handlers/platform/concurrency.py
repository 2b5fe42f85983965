"""Optimistic concurrency in one place: bounded retries, lost answers, `If-Match`.

Whoever reads, decides and writes back does so with the etag it read; when another was faster, it reads again. The
number of tries is bounded: what is contested for longer is answered with an error, not with waiting.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from handlers.platform import etags
from handlers.platform.errors import precondition_failed
from handlers.platform.store.port import (
    Create,
    Document,
    DocumentExists,
    DocumentMissing,
    DocumentStore,
    Json,
    Operation,
    OutcomeUnknown,
    Replace,
    StoreError,
    StoreUnavailable,
    VersionConflict,
)

T = TypeVar("T")
Partition = str | tuple[str, ...]

ATTEMPTS: Final = 8
# What says that another writer was faster, in a batch that also creates and deletes.
FASTER: Final[tuple[type[StoreError], ...]] = (VersionConflict, DocumentExists, DocumentMissing)
_FIRST_PAUSE: Final = 0.002  # seconds; doubles, with chance, to about a quarter of a second
_PROOFS: Final = frozenset({"outbox", "inbox", "idempotency"})


async def retrying(
    attempt: Callable[[], Awaitable[T]],
    *,
    attempts: int = ATTEMPTS,
    on: type[Exception] | tuple[type[Exception], ...] = VersionConflict,
) -> T:
    """The result of `attempt`, which is made anew, reading included, when another writer was faster.

    Raises the last conflict after so many attempts.
    """
    pause = _FIRST_PAUSE
    for _ in range(attempts - 1):
        try:
            return await attempt()
        except on:
            await asyncio.sleep(pause * (0.5 + random.random()))  # noqa: S311 - spreads the callers, hides nothing
            pause *= 2
    return await attempt()


async def settled(
    store: DocumentStore, container: str, partition: Partition, operations: Sequence[Operation]
) -> list[Document | None]:
    """A batch whose outcome is known when this returns or raises.

    When the answer is lost, the outbox, inbox or idempotency row in the batch is read back: what was written with it
    was written too. The list is then empty. Raises `StoreUnavailable` when nothing was written, so that trying again
    with the same rows is safe; `OutcomeUnknown` when it cannot be read back either; and whatever the batch raises.
    """
    try:
        return await store.batch(container, partition, operations)
    except OutcomeUnknown:
        proof = _proof(operations)
        if proof is None:
            raise
        if not await _is_there(store, container, partition, proof):
            raise StoreUnavailable("a write was lost; nothing was changed") from None
        return []


async def _is_there(store: DocumentStore, container: str, partition: Partition, id: str) -> bool:
    """Reads a row back, patiently. Raises `OutcomeUnknown`."""
    try:
        found = await retrying(lambda: store.read(container, partition, id), on=StoreUnavailable)
    except StoreUnavailable as error:
        raise OutcomeUnknown("a write's outcome could not be read back") from error
    return found is not None


def _proof(operations: Sequence[Operation]) -> str | None:
    """The id of a row that is there if and only if the batch was carried out."""
    for operation in operations:
        if isinstance(operation, Create) and operation.document.get("kind") in _PROOFS:
            return str(operation.document["id"])
    return None


async def change(
    store: DocumentStore,
    container: str,
    partition: Partition,
    id: str,
    edit: Callable[[Json], Sequence[Operation]],
    *,
    if_match: str | None = None,
) -> Document:
    """Reads a document, lets `edit` change it in place, and writes it back with the operations `edit` answers.

    `edit` is called again with the newer document when another writer was faster; it should be pure but for its
    argument. `if_match` is the header: with one, a newer document is a `Problem` 412 and never tried again. Raises
    `DocumentMissing`, and `VersionConflict` when it stays contested.
    """

    async def attempt() -> Document:
        found = await store.read(container, partition, id)
        if found is None:
            raise DocumentMissing(f"{container}: no such document")
        etags.check(if_match, found.etag)
        document = found.data
        more = edit(document)
        written = await settled(store, container, partition, [Replace(document, if_match=found.etag), *more])
        if written and written[0] is not None:
            return written[0]
        read_back = await store.read(container, partition, id)
        if read_back is None:
            raise DocumentMissing(f"{container}: no such document")
        return read_back

    if etags.expected(if_match) is None:
        return await retrying(attempt)
    try:
        return await attempt()
    except VersionConflict:
        raise precondition_failed() from None

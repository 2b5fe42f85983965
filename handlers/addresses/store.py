"""The address books: container `addresses`, partition `/user_id`, a document for each entry, read whole.

The row `book|<user>` is in every batch that changes a book, guarded by its etag, so that parallel changes leave neither
two defaults nor none, and no more entries than there may be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from handlers.addresses.rules import MAX_ENTRIES
from handlers.platform.concurrency import FASTER, retrying
from handlers.platform.errors import unavailable
from handlers.platform.store.port import (
    Create,
    Delete,
    Document,
    DocumentMissing,
    DocumentStore,
    Operation,
    Query,
    Replace,
)

CONTAINER: Final = "addresses"
BOOK: Final = "book"

Json = dict[str, Any]
# The entries as they are, with their etags; answers the entries as they shall be.
Edit = Callable[[Sequence[Document]], Sequence[Json]]


@dataclass(frozen=True, slots=True)
class Written:
    """An entry as it is now."""

    data: Json
    etag: str


async def read_all(store: DocumentStore, user_id: str) -> list[Document]:
    """Every entry of a customer."""
    return (await store.query(Query(CONTAINER, partition=user_id, limit=MAX_ENTRIES + 1))).items


async def change(store: DocumentStore, user_id: str, edit: Edit) -> dict[str, Written]:
    """Writes what an edit made of a book, in one batch; answers the entries by id.

    `edit` is asked again when somebody else was faster. Raises `Problem` 503 when others keep being faster, and what
    `edit` raises.
    """

    async def attempt() -> dict[str, Written]:
        guard = await store.read(CONTAINER, user_id, _book_id(user_id))
        before = await read_all(store, user_id)
        known = {each.data["address_id"]: each for each in before}
        after = edit(before)
        written = {entry["address_id"]: entry for entry in after}
        changes = [entry for entry in after if entry["address_id"] not in known or _differs(known, entry)]
        removals = [Delete(each, if_match=known[each].etag) for each in known if each not in written]
        fresh: dict[str, Document] = {}
        if changes or removals:
            operations: list[Operation] = [_write(known, entry) for entry in changes]
            results = await store.batch(CONTAINER, user_id, [*operations, *removals, _turned(guard, user_id)])
            fresh = {each.data["address_id"]: each for each in results[: len(changes)] if each is not None}
        now = {**known, **fresh}
        return {address_id: Written(now[address_id].data, now[address_id].etag) for address_id in written}

    try:
        return await retrying(attempt, on=FASTER)
    except FASTER:
        raise unavailable("Others are changing this address book") from None


async def erase(store: DocumentStore, user_id: str) -> None:
    """Removes the whole book. May be done twice."""
    ids = [each.data["address_id"] for each in await read_all(store, user_id)]
    for each in (*ids, _book_id(user_id)):
        with suppress(DocumentMissing):
            await store.write(CONTAINER, Delete(each), partition=user_id)


def _differs(known: dict[str, Document], entry: Json) -> bool:
    return bool(known[entry["address_id"]].data != entry)


def _write(known: dict[str, Document], entry: Json) -> Operation:
    before = known.get(entry["address_id"])
    return Create(entry) if before is None else Replace(entry, if_match=before.etag)


def _turned(guard: Document | None, user_id: str) -> Operation:
    """The row of the book, one change further."""
    if guard is None:
        return Create({"id": _book_id(user_id), "kind": BOOK, "user_id": user_id, "changes": 1})
    return Replace({**guard.data, "changes": guard.data["changes"] + 1}, if_match=guard.etag)


def _book_id(user_id: str) -> str:
    return f"{BOOK}|{user_id}"

"""The second erasure of a deleted account.

`UserDeleted` lets every room erase what it holds within moments. Other processes may take a token of the account for
good for some seconds more (`versions.WRITES`), and a request that was under way may write later still. So the event is
told a second time when none of that is possible any more, and what came after the first goes too.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from handlers.contract.services import EventServices
from handlers.platform.clock import timestamp
from handlers.platform.store.port import (
    Delete,
    Document,
    DocumentMissing,
    DocumentStore,
    Query,
    Range,
    Sort,
    Upsert,
)
from handlers.users import store

Json = dict[str, Any]

CONTAINER: Final = "erasures"
# All rows are in one partition: accounts are deleted seldom, and a row lives for some minutes.
_QUEUE: Final = "due"
DELAY: Final = timedelta(seconds=60)
EVERY_SECONDS: Final = 30.0
_AT_ONCE: Final = 100


async def schedule_erasure(documents: DocumentStore, user_id: str, now: datetime) -> None:
    """Notes that an account is about to be deleted. Before the deletion: a crash between the two loses nothing."""
    row = {"id": user_id, "queue": _QUEUE, "due_at": timestamp(now + DELAY)}
    await documents.write(CONTAINER, Upsert(row))


async def erase_again(services: EventServices, run_id: str) -> None:
    """Tells `UserDeleted` again of the accounts whose time has come. May be done twice, as its readers may."""
    query = Query(
        CONTAINER,
        partition=_QUEUE,
        where=Range("due_at", lt=timestamp(services.clock.now())),
        sort=(Sort("due_at"),),
        limit=_AT_ONCE,
    )
    while True:
        page = await services.store.query(query)
        for row in page.items:
            await _tell(services, row, run_id)
        if len(page.items) < _AT_ONCE:
            return


async def _tell(services: EventServices, row: Document, run_id: str) -> None:
    user_id = row.data["id"]
    # An account that is still there was not deleted after all: the row was written before the attempt.
    if await store.read(services.store, user_id) is None:
        guarded: Json = {"id": user_id, "user_id": user_id}
        event = services.outbox.row(
            store.CONTAINER, guarded, event_type="UserDeleted", data={"user_id": user_id}, correlation_id=run_id
        )
        await services.store.write(store.CONTAINER, event, partition=user_id)
    with suppress(DocumentMissing):
        await services.store.write(CONTAINER, Delete(user_id), partition=_QUEUE)

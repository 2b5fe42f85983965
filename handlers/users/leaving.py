"""The end of an account: personal data erased, addresses given free, everybody told (decision 17)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from handlers.contract.call import Call
from handlers.platform.cache import CacheUnavailable
from handlers.platform.errors import conflict, unavailable
from handlers.platform.store.claims import ClaimTaken, claim, doubt, release
from handlers.platform.store.port import Delete, DocumentMissing, DocumentStore, Eq, Query, VersionConflict
from handlers.users import mail_tokens, store
from handlers.users.erase_again import schedule_erasure
from handlers.users.rules import Change
from handlers.users.session_index import forget_sessions
from handlers.users.tell_owner import may_tell, telling

Json = dict[str, Any]

ADMIN_GUARD: Final = ("guard", "last-admin")


async def leave(call: Call) -> None:
    """Deletes the caller's account with `UserDeleted`, on which the other rooms erase what they hold.

    Raises `Problem` 409 for the last administrator. A crash leaves at most claims that their next taker settles.
    """
    found = await store.signed_in_now(call)
    if found.data["role"] != "admin":
        await _delete(call)
        return
    async with admin_guard(call):
        await keep_an_admin(call.services.store)
        await _delete(call)


@asynccontextmanager
async def admin_guard(call: Call) -> AsyncIterator[None]:
    """Lets one at a time take an administrator away, so that the last two do not leave at once.

    Raises `Problem` 503 while another does. After a crash the guard opens by itself within a minute.
    """
    services, owner = call.services, f"{call.principal.id}:{call.request_id}"
    try:
        await claim(services.store, *ADMIN_GUARD, owner, clock=services.clock, holds=_nobody)
    except ClaimTaken:
        raise unavailable("Another administrator is being removed") from None
    try:
        yield
    finally:
        await release(services.store, *ADMIN_GUARD, owner)


async def keep_an_admin(documents: DocumentStore) -> None:
    """Raises `Problem` 409 unless there are two administrators. Inside `admin_guard`."""
    admins = await documents.count(Query(store.CONTAINER, where=Eq("role", "admin"), purpose="admin_users"))
    if admins < 2:
        raise conflict("The last administrator cannot leave", "last_admin")


async def _nobody(_: str) -> bool:
    return False


async def _delete(call: Call) -> None:
    documents = call.services.store
    before = (await store.signed_in(call)).data
    await schedule_erasure(documents, before["user_id"], call.services.clock.now())
    # Pending from here on, so that a crash in between blocks no address for good.
    await doubt(documents, store.EMAIL, before["email"], before["user_id"], clock=call.services.clock)
    for identity in before["identities"]:
        await doubt(documents, store.IDENTITY, identity, before["user_id"], clock=call.services.clock)
    may = await may_tell(call.services, before)

    def decide(user: Json) -> Change:
        return telling(Change(user), "account_deleted", may=may)

    user = await store.delete(call, before["user_id"], decide)
    with suppress(CacheUnavailable):
        # They open nothing any more; what Redis keeps of devices and networks ends by itself within a week otherwise.
        await forget_sessions(call.services.cache, user["user_id"])
    changes, pending = user.get("email_changes", ()), user.get("pending_email")
    for address in {user["email"], *(change["old"] for change in changes)}:
        await release(documents, store.EMAIL, address, user["user_id"])
    for identity in user["identities"]:
        await release(documents, store.IDENTITY, identity, user["user_id"])
    undo = [change["undo_token"] for change in changes]
    for hashed in (user["verify_token"], user["reset_token"], pending["token"] if pending else None, *undo):
        if hashed is not None:
            with suppress(DocumentMissing, VersionConflict):
                await documents.write(mail_tokens.CONTAINER, Delete(hashed), partition=hashed)

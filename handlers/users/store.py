"""Documents of the accounts: container `users` (partition /user_id), claims on addresses and identities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from generated.events import EVENTS
from handlers.contract.call import Call
from handlers.contract.services import Services
from handlers.platform.errors import conflict, precondition_failed, unauthorized, unavailable
from handlers.platform.etags import expected
from handlers.platform.patience import NotYetThere
from handlers.platform.store.claims import ClaimTaken, Holds, claimed, confirm, doubt, owner_of, release
from handlers.platform.store.port import (
    Create,
    Delete,
    Document,
    DocumentMissing,
    DocumentStore,
    Operation,
    OutcomeUnknown,
    Patch,
    Replace,
    Upsert,
    VersionConflict,
)
from handlers.users import email_change_rules, loyalty, owner_notice_rules
from handlers.users.known_versions import KnownVersions
from handlers.users.owner_notice_rules import OwnerNotice
from handlers.users.rules import Change

Json = dict[str, Any]
Decide = Callable[[Json], Change]

CONTAINER: Final = "users"
EMAIL: Final = "email"
IDENTITY: Final = "identity"
_ATTEMPTS: Final = 5
_NOBODY: Final = "user-nobody"


def account_gone() -> Exception:
    """401: the account of this token was deleted."""
    return unauthorized("This account is gone", rule="token_invalid")


async def read(store: DocumentStore, user_id: str) -> Document | None:
    """An account, or None."""
    return await store.read(CONTAINER, user_id, user_id)


async def earning(store: DocumentStore, user_id: str, order_id: str) -> Document | None:
    """What an order has earned its customer, or None. One point read."""
    return await store.read(CONTAINER, user_id, loyalty.earning_id(order_id))


async def signed_in(call: Call) -> Document:
    """The caller's account. Raises `Problem` 401 when it was deleted since the token was made."""
    found = await read(call.services.store, call.principal.id)
    if found is None:
        raise account_gone()
    return found


async def signed_in_now(call: Call) -> Document:
    """`signed_in`, for what nobody may do with a token from before the sessions were ended (a stolen one, say).

    Raises `Problem` 401 for such a token too.
    """
    found = await signed_in(call)
    if found.data["token_version"] != call.principal.token_version:
        raise unauthorized("The session is over", rule="token_invalid")
    return found


async def by_email(store: DocumentStore, email: str) -> Document | None:
    """The account with this normalised address, or None. Two point reads either way, so that time tells nothing."""
    owner = await owner_of(store, EMAIL, email)
    found = await read(store, owner or _NOBODY)
    return found if found is not None and found.data["email"] == email else None


async def create(call: Call, user: Json) -> Document:
    """Writes a new account with its event. Raises `Problem` 409 when its address is taken."""
    services, user_id, email = call.services, user["user_id"], user["email"]
    try:
        async with claimed(services.store, EMAIL, email, user_id, clock=services.clock, holds=_holds(services, email)):
            return await _insert(call, user)
    except ClaimTaken:
        raise email_taken() from None


async def change(
    call: Call,
    user_id: str,
    decide: Decide,
    *,
    if_match: str | None = None,
    gone: Callable[[], Exception] = account_gone,
) -> Document:
    """Changes an account: `decide` sees it as it is, and again when somebody else was faster.

    With fields in the change, `UserUpdated` is written in the same batch. Raises `Problem`: 412 when `if_match` is not
    its version, `gone` (401) when the account is not there, 503 when others keep being faster; and what `decide`
    raises.
    """
    wanted = expected(if_match)
    for _ in range(_ATTEMPTS):
        found = await read(call.services.store, user_id)
        if found is None:
            raise gone()
        if wanted is not None and wanted != found.etag:
            raise precondition_failed()
        change = decide(found.data)
        if change.user | {"updated_at": found.data["updated_at"]} == found.data:
            return found
        try:
            written = await _replace(call, change, found.etag)
        except VersionConflict:
            continue
        except DocumentMissing:
            raise gone() from None
        call.services.room(KnownVersions).note(user_id, written.data)
        return written
    raise unavailable("Others are changing this account")


async def change_email(
    call: Call, user_id: str, old: str, new: str, *, decide: Decide, gone: Callable[[], Exception]
) -> Document:
    """`change`, moving the claim from the old address to the new one. Raises `Problem` 409 when the new one is taken.

    The claim on the old address stays, pending, for as long as the change may be undone; whoever wants the address
    after that takes it over. A crash at any point leaves at most pending claims.
    """
    services = call.services

    async def moved() -> Document:
        await doubt(services.store, EMAIL, old, user_id, clock=services.clock)
        try:
            return await change(call, user_id, decide, gone=gone)
        except OutcomeUnknown:
            raise
        except Exception:
            await confirm(services.store, EMAIL, old, user_id)
            raise

    try:
        if await owner_of(services.store, EMAIL, new) == user_id:
            # An address from before, kept for the account: a failure must not give it free.
            document = await moved()
            await confirm(services.store, EMAIL, new, user_id)
        else:
            async with claimed(services.store, EMAIL, new, user_id, clock=services.clock, holds=_holds(services, new)):
                document = await moved()
    except ClaimTaken:
        raise email_taken() from None
    if not email_change_rules.holds_address(document.data, old, services.clock.now()):
        await release(services.store, EMAIL, old, user_id)
    return document


async def address_is_free(services: Services, email: str, user_id: str) -> bool:
    """Whether an address could become this account's now. Nothing is claimed: that is for who proves to own it."""
    owner = await owner_of(services.store, EMAIL, email)
    return owner is None or owner == user_id or not await _holds(services, email)(owner)


async def by_identity(store: DocumentStore, identity: str) -> Document | None:
    """The account that belongs to an identity at a provider, or None (decision 60)."""
    owner = await owner_of(store, IDENTITY, identity)
    found = await read(store, owner) if owner is not None else None
    return found if found is not None and identity in found.data["identities"] else None


async def create_with_identity(call: Call, user: Json, identity: str) -> Document:
    """`create`, for an account that belongs to an identity. Raises `ClaimTaken` when the identity has one by now."""
    services = call.services

    async def holds(owner: str) -> bool:
        found = await read(services.store, owner)
        return found is not None and identity in found.data["identities"]

    async with claimed(services.store, IDENTITY, identity, user["user_id"], clock=services.clock, holds=holds):
        return await create(call, user)


async def delete(call: Call, user_id: str, decide: Decide) -> Json:
    """Deletes an account with `UserDeleted` and the notices of `decide`, in one batch; answers what it was.

    Raises `Problem` 401 if it is gone.
    """
    store = call.services.store
    for _ in range(_ATTEMPTS):
        found = await read(store, user_id)
        if found is None:
            raise account_gone()
        user = found.data
        notices = _notices(call, user, decide(user).notices)
        event = _event(call, user, "UserDeleted", {"user_id": user_id})
        try:
            await store.batch(CONTAINER, user_id, [Delete(user_id, if_match=found.etag), *notices, event])
        except (VersionConflict, DocumentMissing):
            continue
        call.services.room(KnownVersions).note(user_id, None)
        return user
    raise unavailable("Others are changing this account")


async def notice(store: DocumentStore, user_id: str, notice_id: str) -> Document:
    """What is kept of a notice that an event tells of. One point read.

    Raises `NotYetThere` when it is not to be seen: another process wrote it, and replicas may be behind.
    """
    found = await store.read(CONTAINER, user_id, notice_id)
    if found is None:
        raise NotYetThere(f"{notice_id}: an event tells of the notice, and it is not to be seen")
    return found


async def note_sent(store: DocumentStore, notice: Document, now: str) -> None:
    """Notes that a notice was sent, and erases whom it went to. May be done twice."""
    await store.write(CONTAINER, Upsert(owner_notice_rules.sent(notice.data, now)))


async def note_login(services: Services, user_id: str, moment: str) -> Document | None:
    """Notes the moment of a login; answers the account as it is now, None when it is gone."""
    patch = Patch(user_id, sets={"last_login": moment})
    try:
        return await services.store.write(CONTAINER, patch, partition=user_id)
    except DocumentMissing:
        return None


def email_taken() -> Exception:
    """409: another account has this address."""
    return conflict("This e-mail address has an account already", "email_taken")


def _holds(services: Services, email: str) -> Holds:
    async def holds(owner: str) -> bool:
        found = await read(services.store, owner)
        return found is not None and email_change_rules.holds_address(found.data, email, services.clock.now())

    return holds


async def _insert(call: Call, user: Json) -> Document:
    data = {key: user[key] for key in ("user_id", "role", "newsletter_opt_in")}
    event = _event(call, user, "UserCreated", data)
    return await _batch(call.services.store, user, [Create(user), event])


async def _replace(call: Call, change: Change, etag: str) -> Document:
    user = change.user
    operations: list[Operation] = []
    if change.fields:
        data = {
            "user_id": user["user_id"],
            "role": user["role"],
            "newsletter_opt_in": user["newsletter_opt_in"],
            "changed_fields": list(change.fields),
        }
        operations.append(_event(call, user, "UserUpdated", data))
    operations += _notices(call, user, change.notices)
    return await _batch(call.services.store, user, [Replace(user, if_match=etag), *operations])


async def _batch(store: DocumentStore, user: Json, operations: Sequence[Operation]) -> Document:
    """Writes the account and what goes with it. Where the answer was lost, reads what has become of it."""
    try:
        written = await store.batch(CONTAINER, user["user_id"], operations)
    except OutcomeUnknown:
        found = await read(store, user["user_id"])
        if found is not None and found.data == user:
            return found
        raise
    document = written[0]
    assert document is not None  # noqa: S101 - the first operation writes one
    return document


def _notices(call: Call, user: Json, notices: Sequence[OwnerNotice]) -> list[Operation]:
    """What a batch holds of notices to the owner: each with the event that has it sent."""
    operations: list[Operation] = []
    for each in notices:
        data = {"user_id": user["user_id"], "notice_id": each.id, "kind": each.kind}
        operations.append(Create(owner_notice_rules.notice_row(user["user_id"], each)))
        operations.append(_event(call, user, "AccountNoticeRequested", data))
    return operations


def _event(call: Call, user: Json, event_type: str, data: Json) -> Create:
    return call.services.outbox.row(
        CONTAINER,
        user,
        topic=EVENTS[event_type].topic,
        event_type=event_type,
        data=data,
        key=user["user_id"],
        correlation_id=call.request_id,
    )

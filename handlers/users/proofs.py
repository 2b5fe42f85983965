"""Mails that prove an address, or take a change of it back, and what their tokens do."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Literal

from handlers.contract.call import Call
from handlers.contract.services import EventServices, Services
from handlers.platform.attempts import may_mail
from handlers.platform.cache import CacheUnavailable
from handlers.platform.errors import Problem, unprocessable
from handlers.platform.store.claims import doubt, release
from handlers.platform.store.port import Document
from handlers.users import email_change_rules, mail_tokens, rules, store
from handlers.users.credentials import check_new_password
from handlers.users.mail_tokens import MailToken, Purpose
from handlers.users.owner_notice_rules import NoticeKind
from handlers.users.tell_owner import new_mail_token, telling


async def prepare_verification(services: Services, user: rules.Json) -> None:
    """Names the token of the first verification mail in a new account, and keeps it; `UserCreated` has the mail sent.

    Not where strangers have caused too many mails to this address, or nobody can tell: it may be asked for later.
    """
    try:
        allowed = await may_mail(services.limits, user["email"])
    except CacheUnavailable:
        allowed = False
    if not allowed:
        return
    _, user["verify_token"] = first_token(services, user["user_id"])
    await keep_verification(services, user, user["verify_token"])


def first_token(services: EventServices, user_id: str) -> tuple[str, str]:
    """The token of an account's first verification mail, and its hash."""
    return mail_tokens.sign_up_token(services.settings.derived_key("sign-up mail"), user_id)


async def keep_verification(services: Services, user: rules.Json, hashed: str) -> None:
    """Keeps a verification token that the account names."""
    await mail_tokens.keep(services.store, "verify", hashed, user_id=user["user_id"], now=services.clock.now())


async def request_link(call: Call, purpose: Literal["verify", "reset"], found: Document) -> None:
    """Has a mail sent with a new link for an account, the only one in force from now on, in one change with it."""
    notice_id, hashed = await new_link(call.services, purpose, found.data["user_id"])
    kind: NoticeKind = "verification_requested" if purpose == "verify" else "password_reset_requested"

    def decide(user: rules.Json) -> rules.Change:
        return telling(rules.with_mail_token(user, purpose, hashed), kind, notice_id=notice_id)

    await store.change(call, found.data["user_id"], decide)


async def new_link(services: Services, purpose: Purpose, user_id: str) -> tuple[str, str]:
    """The id of a new notice and the hash of its link's token, which is kept; in force once the account names it."""
    notice_id, hashed = new_mail_token(services, purpose)
    await mail_tokens.keep(services.store, purpose, hashed, user_id=user_id, now=services.clock.now())
    return notice_id, hashed


async def redeem(call: Call, purpose: Purpose, token: str) -> MailToken:
    """What is known of a token. Raises `Problem` 422 for one that is unknown or old."""
    known = await mail_tokens.find(call.services.store, purpose, token, call.services.clock.now())
    if known is None:
        raise token_invalid()
    if known.expired:
        raise unprocessable("This link is too old", "token_expired")
    return known


async def verify(call: Call, token: str) -> Document:
    """The account, its address proven, which is a new one when the token belongs to a change of address.

    Raises `Problem`: 422 for a token that is unknown, used, replaced or old; 409 when the new address is taken by now.
    """
    known = await redeem(call, "verify", token)
    now = call.services.clock.now()
    found = await store.read(call.services.store, known.user_id)
    address = email_change_rules.pending_address(found.data, known.hash) if found is not None else None
    if found is not None and address is not None:
        return await _changed(call, found, address, known)
    return await store.change(call, known.user_id, lambda user: verified(user, known, now), gone=token_invalid)


async def _changed(call: Call, found: Document, address: str, known: MailToken) -> Document:
    now = call.services.clock.now()

    def decide(user: rules.Json) -> rules.Change:
        change = email_change_rules.proven(user, known.hash, now)
        if change is None:
            raise token_invalid()
        return telling(change, "email_changed")

    old = found.data["email"]
    document = await store.change_email(call, known.user_id, old, address, decide=decide, gone=token_invalid)
    call.security_event("email_changed", principal=known.user_id)
    return document


async def undo_email_change(call: Call, token: str) -> rules.Json:
    """The account with the address back that a change took away; a link to set a password is mailed to it.

    Raises `Problem` 422 for a token that is unknown, used or old.
    """
    services, now = call.services, call.services.clock.now()
    known = await redeem(call, "undo", token)
    found = await store.read(services.store, known.user_id)
    change = email_change_rules.undone(found.data, known.hash, now) if found is not None else None
    if found is None or change is None:
        raise token_invalid()
    notice_id, reset_hash = await new_link(services, "reset", known.user_id)

    def decide(user: rules.Json) -> rules.Change:
        again = email_change_rules.undone(user, known.hash, now)
        if again is None or user["email"] != found.data["email"]:
            raise token_invalid()
        renewed = replace(again, user=rules.with_mail_token(again.user, "reset", reset_hash).user)
        return telling(renewed, "password_reset_requested", notice_id=notice_id)

    old, address = found.data["email"], change.user["email"]
    if old == address:
        document = await store.change(call, known.user_id, decide, gone=token_invalid)
    else:
        document = await store.change_email(call, known.user_id, old, address, decide=decide, gone=token_invalid)
    call.security_event("email_change_undone", principal=known.user_id)
    return document.data


def verified(user: rules.Json, known: MailToken, now: datetime) -> rules.Change:
    """The decision behind `verify`."""
    change = rules.with_verified_email(user, known.hash, now)
    if change is None:
        raise token_invalid()
    return change


async def reset(call: Call, token: str, password: str) -> rules.Json:
    """The account with a new password. Raises `Problem` 422 for the token, or for the password."""
    services = call.services
    known = await redeem(call, "reset", token)
    found = await store.read(services.store, known.user_id)
    if found is None or found.data["reset_token"] != known.hash:
        raise token_invalid()
    check_new_password(password, found.data["email"], found.data["name"])
    hashed = await services.passwords.hash(password)
    now = services.clock.now()

    def decide(user: rules.Json) -> rules.Change:
        change = rules.with_reset_password(user, known.hash, hashed, now)
        if change is None:
            raise token_invalid()
        return telling(change, "password_changed")

    # Where the identities go with it, their claims do too; pending meanwhile, so that a crash blocks none for good.
    given_up = [] if found.data["email_verified"] else found.data["identities"]
    for identity in given_up:
        await doubt(services.store, store.IDENTITY, identity, known.user_id, clock=services.clock)
    user = (await store.change(call, known.user_id, decide, gone=token_invalid)).data
    for identity in given_up:
        if identity not in user["identities"]:
            await release(services.store, store.IDENTITY, identity, known.user_id)
    call.security_event("password_changed", principal=known.user_id, reason="reset")
    return user


def token_invalid() -> Problem:
    """422: the token is unknown, or was used."""
    return unprocessable("This link is not valid, or was used before", "token_invalid")

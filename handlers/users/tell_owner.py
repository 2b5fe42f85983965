"""Mails about what was changed in an account, to its owner: each is a notice in the batch of its change, never lost."""

from __future__ import annotations

from dataclasses import replace

from handlers.contract.services import EventServices, Services
from handlers.platform.attempts import may_mail
from handlers.platform.cache import CacheUnavailable
from handlers.platform.ids import new_id
from handlers.users import mail_tokens
from handlers.users.mail_tokens import Purpose
from handlers.users.owner_notice_rules import KIND, NoticeKind, OwnerNotice
from handlers.users.rules import Change, Json


async def may_tell(services: Services, user: Json) -> bool:
    """Whether the owner of an account may be written to: always, where the address is proven.

    One that was never proven may be a stranger's, whose mailbox is not to be filled this way: not after too many mails,
    and not while nobody can count them.
    """
    if user["email_verified"]:
        return True
    try:
        return await may_mail(services.limits, user["email"])
    except CacheUnavailable:
        return False


def telling(
    change: Change, kind: NoticeKind, *, to: str | None = None, notice_id: str | None = None, may: bool = True
) -> Change:
    """The change with a notice for the owner; without where it `may` not be sent.

    `to`: the account's address after the change unless given. `notice_id`: what a token was derived from.
    """
    if not may:
        return change
    user = change.user
    notice = OwnerNotice(notice_id or new_id(KIND), kind, to or user["email"], user["name"])
    return replace(change, notices=(*change.notices, notice))


def new_mail_token(services: EventServices, purpose: Purpose) -> tuple[str, str]:
    """The id of a new notice, and the hash of the token that its mail will hold."""
    notice_id = new_id(KIND)
    return notice_id, mail_token(services, purpose, notice_id)[1]


def mail_token(services: EventServices, purpose: Purpose, notice_id: str) -> tuple[str, str]:
    """The token of a notice's mail, and its hash."""
    return mail_tokens.derived_token(services.settings.derived_key("owner notice"), purpose, notice_id)

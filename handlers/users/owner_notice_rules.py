"""What the owner of an account is told by mail, and what is kept of it until the mail is sent. Pure.

A notice is a row beside the account, in the batch of its change, with the address that was in force: the account may be
gone, or have another address, when its event is heard. No token is kept: the sender derives it from the notice's id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from handlers.partners.mail import Message
from handlers.users import mails
from handlers.users.mail_tokens import Purpose

Json = dict[str, Any]

# As the contract has them (`AccountNoticeRequestedData.kind`).
NoticeKind = Literal[
    "verification_requested",
    "password_reset_requested",
    "email_change_requested",
    "email_changed",
    "phone_changed",
    "password_changed",
    "two_factor_on",
    "two_factor_off",
    "recovery_codes_renewed",
    "recovery_code_used",
    "account_deleted",
]
KIND: Final = "notice"
# The notices whose mail holds a link, and what its token is for.
PURPOSES: Final[Mapping[NoticeKind, Purpose]] = {
    "verification_requested": "verify",
    "password_reset_requested": "reset",
    "email_change_requested": "undo",
}

_LINKED: Final[Mapping[NoticeKind, Callable[[str, str, str, str, str], Message]]] = {
    "verification_requested": mails.verification,
    "password_reset_requested": mails.password_reset,
    "email_change_requested": mails.address_change_requested,
}
_NOTICES: Final[Mapping[NoticeKind, Callable[[str, str, str], Message]]] = {
    "email_changed": mails.address_changed,
    "phone_changed": mails.phone_changed,
    "password_changed": mails.password_changed,
    "two_factor_on": mails.two_factor_on,
    "two_factor_off": mails.two_factor_off,
    "recovery_codes_renewed": mails.recovery_codes_renewed,
    "recovery_code_used": mails.recovery_code_used,
    "account_deleted": mails.account_deleted,
}


@dataclass(frozen=True, slots=True)
class OwnerNotice:
    """One mail about an account. `to`: the address it goes to; `name`: as it greets."""

    id: str
    kind: NoticeKind
    to: str
    name: str


def notice_row(user_id: str, notice: OwnerNotice) -> Json:
    """What is kept of a notice until it is sent."""
    return {"id": notice.id, "user_id": user_id, "kind": KIND, "to": notice.to, "name": notice.name, "sent_at": None}


def sent(row: Json, now: str) -> Json:
    """The row of a notice that was sent: nothing in it names the person any more."""
    return {**row, "to": None, "name": None, "sent_at": now}


def mail_of(kind: NoticeKind, row: Json, public_url: str, token: str | None) -> Message:
    """The mail of a notice that was not sent yet, each time with the same id. `token`: for the kinds of `PURPOSES`."""
    to, name, message_id = row["to"], row["name"], f"<{row['id']}@notifications.invalid>"
    if token is not None:
        return _LINKED[kind](to, name, public_url, token, message_id)
    return _NOTICES[kind](to, name, message_id)

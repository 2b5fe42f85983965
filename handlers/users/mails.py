"""The mails about an account: plain text, and the same as simple HTML. Pure.

Links begin with PUBLIC_URL, never with anything from a request. Their token stands behind `#`, which browsers keep to
themselves: it is in no server's log and in no `Referer` (RFC 9110, 10.1.3).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Final

from handlers.partners.mail import Message

SHOP: Final = "Holiday Peak Hub"
_NO_NAME: Final = re.compile(r"[/\\:@]|[^\W\d_]\.[^\W\d_]{2}|[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]|\d{5}")


def verification(to: str, name: str, public_url: str, token: str, message_id: str | None = None) -> Message:
    """Asks the owner of an address to prove it."""
    return _message(
        to,
        "Confirm your e-mail address",
        name,
        "please confirm that this is your e-mail address. The link is good for 24 hours.",
        "If you have no account with us, leave this mail alone: nothing happens without the link.",
        link=(_link(public_url, "/auth/verify-email", token), "Confirm my address"),
        message_id=message_id,
    )


def password_reset(to: str, name: str, public_url: str, token: str, message_id: str | None = None) -> Message:
    """Lets the owner of an address set a new password."""
    return _message(
        to,
        "Set a new password",
        name,
        "somebody, hopefully you, asked to set a new password for your account. The link is good for one hour.",
        "If it was not you, leave this mail alone: your password stays as it is.",
        link=(_link(public_url, "/auth/reset-password", token), "Set a new password"),
        message_id=message_id,
    )


def address_change_requested(to: str, name: str, public_url: str, token: str, message_id: str | None = None) -> Message:
    """Tells the address in force that it is to be changed, and how to undo that. The new one is not named."""
    return _message(
        to,
        "Your e-mail address is to be changed",
        name,
        "somebody, hopefully you, asked to change the e-mail address of your account. This address stays in force until"
        " the new one is confirmed. If it was not you, undo the change: the link is good for 72 hours, also after the"
        " new address was confirmed. It ends every session, and you set a new password.",
        "If it was you, there is nothing to do.",
        link=(_link(public_url, "/auth/undo-email-change", token), "Undo the change"),
        message_id=message_id,
    )


def address_changed(to: str, name: str, message_id: str | None = None) -> Message:
    """Tells an address that it is the account's from now on."""
    return _message(
        to,
        "Your e-mail address was changed",
        name,
        "this is the e-mail address of your account from now on, and every session was ended.",
        "If it was not you, write to our support at once.",
        message_id=message_id,
    )


def phone_changed(to: str, name: str, message_id: str | None = None) -> Message:
    """Tells the owner that the telephone number is another one now. Neither is named."""
    return _notice(
        to,
        "Your telephone number was changed",
        name,
        "the telephone number of your account was changed.",
        message_id=message_id,
    )


def two_factor_on(to: str, name: str, message_id: str | None = None) -> Message:
    """Tells the owner that signing in takes a second factor from now on."""
    return _notice(
        to,
        "Two-factor authentication is on",
        name,
        "signing in to your account now takes a code of the authenticator app that was set up.",
        message_id=message_id,
    )


def two_factor_off(to: str, name: str, message_id: str | None = None) -> Message:
    """Tells the owner that signing in takes the password alone from now on."""
    return _notice(
        to,
        "Two-factor authentication is off",
        name,
        "signing in to your account does not take a second factor any more.",
        message_id=message_id,
    )


def recovery_codes_renewed(to: str, name: str, message_id: str | None = None) -> Message:
    """Tells the owner that the recovery codes from before are without force."""
    return _notice(
        to,
        "Your recovery codes were replaced",
        name,
        "new recovery codes were made for your account. The ones from before do not work any more.",
        message_id=message_id,
    )


def recovery_code_used(to: str, name: str, message_id: str | None = None) -> Message:
    """Tells the owner that one recovery code is gone."""
    return _notice(
        to,
        "A recovery code was used",
        name,
        "a recovery code of your account was used. It is good only once.",
        message_id=message_id,
    )


def account_deleted(to: str, name: str, message_id: str | None = None) -> Message:
    """Tells the owner that there is no account any more."""
    return _message(
        to,
        "Your account was deleted",
        name,
        "your account was deleted, with everything that we do not have to keep.",
        "If it was not you, write to our support.",
        message_id=message_id,
    )


def password_changed(to: str, name: str, message_id: str | None = None) -> Message:
    """Tells the owner that the password is another one now."""
    return _message(
        to,
        "Your password was changed",
        name,
        "the password of your account was changed, and every session was ended.",
        "If it was not you, set a new one by ‘Forgot password’ and write to our support.",
        message_id=message_id,
    )


def _notice(to: str, subject: str, name: str, what: str, *, message_id: str | None) -> Message:
    hint = "If it was not you, set a new password by ‘Forgot password’ and write to our support."
    return _message(to, subject, name, what, hint, message_id=message_id)


def _link(public_url: str, path: str, token: str) -> str:
    return f"{public_url.rstrip('/')}{path}#token={token}"


def greeting(name: str) -> str:
    """How a mail begins. A name is its owner's own words and the mailbox may be another's: one that mail programs would
    make a link of, or that brings lines or directions of its own, is left out.
    """
    return "Hello," if _NO_NAME.search(name) else f"Hello {name},"


def _message(
    to: str,
    subject: str,
    name: str,
    *paragraphs: str,
    link: tuple[str, str] | None = None,
    message_id: str | None = None,
) -> Message:
    text = [greeting(name), paragraphs[0], *([link[0]] if link else []), *paragraphs[1:], SHOP]
    html = [escape(part) for part in text]
    if link is not None:
        html[2] = f'<a href="{escape(link[0])}">{escape(link[1])}</a>'
    return Message(to, f"{subject} - {SHOP}", "\n\n".join(text) + "\n", _page(html), message_id)


def _page(paragraphs: Sequence[str]) -> str:
    body = "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<body>\n{body}\n</body>\n</html>\n'

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


def verification(to: str, name: str, public_url: str, token: str) -> Message:
    """Asks the owner of an address to prove it."""
    return _message(
        to,
        "Confirm your e-mail address",
        name,
        "please confirm that this is your e-mail address. The link is good for 24 hours.",
        "If you have no account with us, leave this mail alone: nothing happens without the link.",
        link=(_link(public_url, "/auth/verify-email", token), "Confirm my address"),
    )


def password_reset(to: str, name: str, public_url: str, token: str) -> Message:
    """Lets the owner of an address set a new password."""
    return _message(
        to,
        "Set a new password",
        name,
        "somebody, hopefully you, asked to set a new password for your account. The link is good for one hour.",
        "If it was not you, leave this mail alone: your password stays as it is.",
        link=(_link(public_url, "/auth/reset-password", token), "Set a new password"),
    )


def address_changed(to: str, name: str) -> Message:
    """Tells the old address that it is not the account's any more. The new one is not named."""
    return _message(
        to,
        "Your e-mail address was changed",
        name,
        "your account now has another e-mail address, and every session was ended.",
        "If it was not you, write to our support at once.",
    )


def password_changed(to: str, name: str) -> Message:
    """Tells the owner that the password is another one now."""
    return _message(
        to,
        "Your password was changed",
        name,
        "the password of your account was changed, and every session was ended.",
        "If it was not you, set a new one by ‘Forgot password’ and write to our support.",
    )


def _link(public_url: str, path: str, token: str) -> str:
    return f"{public_url.rstrip('/')}{path}#token={token}"


def greeting(name: str) -> str:
    """How a mail begins. A name is its owner's own words and the mailbox may be another's: one that mail programs would
    make a link of, or that brings lines or directions of its own, is left out.
    """
    return "Hello," if _NO_NAME.search(name) else f"Hello {name},"


def _message(to: str, subject: str, name: str, *paragraphs: str, link: tuple[str, str] | None = None) -> Message:
    text = [greeting(name), paragraphs[0], *([link[0]] if link else []), *paragraphs[1:], SHOP]
    html = [escape(part) for part in text]
    if link is not None:
        html[2] = f'<a href="{escape(link[0])}">{escape(link[1])}</a>'
    return Message(to, f"{subject} - {SHOP}", "\n\n".join(text) + "\n", _page(html))


def _page(paragraphs: Sequence[str]) -> str:
    body = "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<body>\n{body}\n</body>\n</html>\n'
